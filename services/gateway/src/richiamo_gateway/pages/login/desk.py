"""At which extension does somebody work who came in by single sign-on? Asked once, if they have none of their own."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from richiamo_gateway.auth.access import CurrentUser
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway, gateway_of
from richiamo_gateway.pages.login.routes import HOME, own_path
from richiamo_gateway.pages.rendering import render
from richiamo_kit.errors import Problem

router = APIRouter()

_PATH = "/login/desk"


async def on_the_way(gateway: Gateway, user: User, wanted: str) -> str:
    """The page to go to after a sign-on: `wanted`, or for an operator without an extension the question first."""
    await gateway.desks.arrive(user.username)
    now = gateway.site.operators.get(user.username)
    if user.role == "operator" and now is not None and not now.extension:
        return f"{_PATH}?next={quote(wanted)}"
    return wanted


@router.get(_PATH)
async def ask(request: Request, user: CurrentUser, next: str = HOME) -> Response:  # noqa: A002 - a parameter's name
    """The question; nobody has to answer it."""
    return render(request, user, "login/desk.html", next=own_path(next), extension="", wrong=None)


@router.post(_PATH)
async def sit(
    request: Request,
    user: CurrentUser,
    extension: Annotated[str, Form(max_length=20)] = "",
    next: Annotated[str, Form(max_length=4000)] = HOME,  # noqa: A002 - a field's name
) -> Response:
    """Work there until the log-out; an empty answer changes nothing."""
    wanted = extension.strip()
    try:
        if wanted:
            await gateway_of(request).desks.sit(user.username, wanted)
    except Problem as refused:
        if refused.type not in {"extension-taken", "invalid"}:
            raise
        return render(
            request,
            user,
            "login/desk.html",
            status=refused.status,
            next=own_path(next),
            extension=wanted,
            wrong=refused,
        )
    return RedirectResponse(own_path(next), 303)
