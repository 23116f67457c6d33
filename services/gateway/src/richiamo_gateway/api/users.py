"""Who may work here? The calls of `/users`, for administrators."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from richiamo_events.language import OperatorChanged
from richiamo_gateway.api.models import PROBLEMS, NewUser, ProblemDetail, UserFields, UserList, UserWritten
from richiamo_gateway.api.parameters import GatewayOf, IdempotencyKey, MinPosition
from richiamo_gateway.auth.access import Admin

router = APIRouter(prefix="/users", tags=["users"], responses=PROBLEMS)
_TAKEN: dict[int | str, dict[str, Any]] = {
    409: {
        "model": ProblemDetail,
        "description": "The name or the extension is taken, or no administrator would be left",
    }
}


def shown(user: OperatorChanged) -> dict[str, Any]:
    return {
        "username": user.username,
        "name": user.name,
        "role": user.role,
        "extension": user.extension,
        "queues": list(user.queues),
        "language": user.language,
        "active": user.active,
        "masked": user.masked,
    }


@router.get("", response_model=UserList)
async def list_users(gateway: GatewayOf, _user: Admin, min_position: MinPosition = None) -> JSONResponse:
    """All users, those who left too (`active` false), by name."""
    if min_position:
        await gateway.people.caught_up(min_position)
    users = sorted(gateway.site.operators.by_name.values(), key=lambda one: one.username.casefold())
    return JSONResponse({"items": [shown(one) for one in users], "position": gateway.site.position})


@router.post("", status_code=201, response_model=UserWritten, responses=_TAKEN)
async def create_user(
    gateway: GatewayOf, user: Admin, new: NewUser, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Creates a user."""
    values = new.model_dump(exclude_unset=True)

    async def carry_out() -> tuple[int, dict[str, Any]]:
        written = await gateway.people.create(values, by=user.username, key=idempotency_key)
        return 201, {"position": written.position, **shown(written.user)}

    return await gateway.answered.once(user.username, idempotency_key, ["create user", values], carry_out)


@router.patch("/{username}", response_model=UserWritten, responses=_TAKEN)
async def change_user(
    gateway: GatewayOf, user: Admin, username: str, changes: UserFields, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Changes what is given and leaves the rest; `active` false takes the user's rights, sessions and reservations."""
    values = changes.model_dump(exclude_unset=True)

    async def carry_out() -> tuple[int, dict[str, Any]]:
        written = await gateway.people.change(username, values, by=user.username, key=idempotency_key)
        if "extension" in values:
            await gateway.desks.forget(written.user.username)
        if values.get("active") is False:
            await gateway.hand_back(written.user.username, by=user, why="deactivated")
        return 200, {"position": written.position, **shown(written.user)}

    return await gateway.answered.once(user.username, idempotency_key, ["change user", username, values], carry_out)
