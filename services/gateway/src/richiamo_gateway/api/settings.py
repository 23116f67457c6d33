"""Which rules does the site have? The calls of `/settings`, for administrators."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import JSONResponse

from richiamo_gateway.api.models import PROBLEMS, SettingsShown, SettingsWritten
from richiamo_gateway.api.parameters import GatewayOf, IdempotencyKey, MinPosition
from richiamo_gateway.auth.access import Admin

router = APIRouter(prefix="/settings", tags=["settings"], responses=PROBLEMS)


@router.get("", response_model=SettingsShown)
async def read_settings(gateway: GatewayOf, _user: Admin, min_position: MinPosition = None) -> JSONResponse:
    """Every setting with its present value."""
    if min_position:
        await gateway.rules.caught_up(min_position)
    return JSONResponse(gateway.rules.current.values())


@router.patch("", response_model=SettingsWritten)
async def change_settings(
    gateway: GatewayOf,
    user: Admin,
    changes: Annotated[dict[str, Any], Body(examples=[{"success_threshold_seconds": 10}])],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Changes the settings given; facts that happened before keep the rule of their time."""

    async def carry_out() -> tuple[int, dict[str, Any]]:
        changed = await gateway.rules.change(changes, by=user.username, key=idempotency_key)
        return 200, {"position": changed.position, **changed.settings.values()}

    return await gateway.answered.once(user.username, idempotency_key, ["change settings", changes], carry_out)
