"""How does a script log in, and out?"""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import PROBLEMS, Login, OwnChanges, ProblemDetail, Token, UserShown, UserWritten
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.api.users import shown
from richiamo_gateway.auth import access
from richiamo_gateway.context import gateway_of
from richiamo_kit.errors import Problem

router = APIRouter(tags=["session"])


@router.post(
    "/session",
    response_model=Token,
    responses={
        401: {"model": ProblemDetail, "description": "User name or password is wrong"},
        409: {"model": ProblemDetail, "description": "Somebody works at that extension (`name`, `username`)"},
        429: {"model": ProblemDetail, "description": "Too many failed tries under this name"},
    },
)
async def log_in(request: Request, credentials: Login) -> JSONResponse:
    """Opens a session; send its token as `Authorization: Bearer` from then on."""
    signed_in = await access.sign_in(request, credentials.username, credentials.password, credentials.extension)
    body: dict[str, Any] = {"token": signed_in.token, "expires_in": signed_in.lifetime_seconds}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.delete("/session", status_code=204, responses=PROBLEMS)
async def log_out(request: Request) -> Response:
    """Ends this session and hands back what its user has reserved."""
    if await access.sign_out(request) is None:
        raise problem.not_logged_in()
    response = Response(status_code=204)
    access.forget(request, response)
    return response


@router.get("/session", response_model=UserShown, responses=PROBLEMS)
async def who_am_i(request: Request, user: access.CurrentUser) -> JSONResponse:
    """The user behind this session, as the log knows them now."""
    position = await gateway_of(request).people.position_of(user.username)
    return JSONResponse({**user.payload(), "active": True, "position": position})


@router.patch("/session", response_model=UserWritten, responses=PROBLEMS)
async def change_my_own(gateway: GatewayOf, user: access.CurrentUser, changes: OwnChanges) -> JSONResponse:
    """Changes one's own language or password; a new password asks for the old one and ends all one's sessions."""
    values = changes.model_dump(exclude_unset=True, exclude={"current_password", "extension"})
    if changes.password is not None:
        try:
            await gateway.sessions.check_password(user.username, changes.current_password or "")
        except Problem as refused:
            if refused.status != HTTPStatus.UNAUTHORIZED:
                raise
            # 401 would say that the session has ended.
            raise problem.invalid("The password was not changed.", {"current_password": "Is not right."}) from None
    if changes.extension is not None:
        await (
            gateway.desks.sit(user.username, changes.extension)
            if changes.extension
            else gateway.desks.leave(user.username)
        )
    written = await gateway.people.change(user.username, values, by=user.username, key=None)
    return JSONResponse({"position": written.position, **shown(written.user)})
