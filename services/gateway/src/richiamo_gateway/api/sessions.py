"""Where is somebody logged in, and how does a session elsewhere end? One's own, and for administrators anybody's."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import PROBLEMS, ProblemDetail, SessionList
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Admin, CurrentUser, end_session, token_of
from richiamo_gateway.auth.sessions import session_id
from richiamo_gateway.context import Gateway

_NONE: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    404: {"model": ProblemDetail, "description": "No such user or session"},
}

router = APIRouter(tags=["session"], responses=_NONE)


@router.get("/sessions", response_model=SessionList)
async def my_sessions(request: Request, gateway: GatewayOf, user: CurrentUser) -> JSONResponse:
    """Where one is logged in."""
    return await _listed(request, gateway, user.username)


@router.delete("/sessions/{session}", status_code=204)
async def end_my_session(gateway: GatewayOf, user: CurrentUser, session: str) -> Response:
    """Ends a session of one's own; the last one hands back what is reserved."""
    await end_session(gateway, user.username, session, by=user)
    return Response(status_code=204)


@router.get("/users/{username}/sessions", response_model=SessionList)
async def sessions_of(request: Request, gateway: GatewayOf, _user: Admin, username: str) -> JSONResponse:
    """Where a user is logged in."""
    if gateway.site.operators.get(username) is None:
        raise problem.not_found(f"There is no user {username}.")
    return await _listed(request, gateway, username)


@router.delete("/users/{username}/sessions/{session}", status_code=204)
async def end_session_of(gateway: GatewayOf, user: Admin, username: str, session: str) -> Response:
    """Ends a session of a user."""
    await end_session(gateway, username, session, by=user)
    return Response(status_code=204)


async def _listed(request: Request, gateway: Gateway, username: str) -> JSONResponse:
    zone = gateway.site.settings.zone
    mine = session_id(token_of(request) or "")
    return JSONResponse(
        {
            "items": [
                {
                    "id": one.id,
                    "device": one.device,
                    "created_at": one.created_at.astimezone(zone).isoformat(),
                    "used_at": one.used_at.astimezone(zone).isoformat(),
                    "current": one.id == mine,
                }
                for one in await gateway.sessions.open_of(username)
            ]
        }
    )
