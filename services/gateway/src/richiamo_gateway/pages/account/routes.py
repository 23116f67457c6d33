"""My account: password, language, extension of today, colours, keys, and where I am logged in."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser, end_session, forget, remember, token_of
from richiamo_gateway.auth.sessions import session_id
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway
from richiamo_gateway.pages.account.devices import device_name
from richiamo_gateway.pages.language import N_, Language, language_of
from richiamo_gateway.pages.rendering import language_for, render
from richiamo_gateway.pages.users.form import wrong_of
from richiamo_kit.errors import Problem

router = APIRouter()

PATH = "/account"
_SAVED = {
    "password": N_("Your password is changed. Everywhere else you have to log in again."),
    "language": N_("Your language is changed."),
    "extension": N_("Your extension is changed."),
    "session": N_("That session has ended."),
    "token": N_("That token is revoked."),
}
_NOT_RIGHT = N_("This is not your password.")
_TOO_MANY = N_("Too many tries under this name. Wait a few minutes and try again.")
_TAKEN = N_("%(name)s is working at extension %(extension)s. Choose another one.")


@router.get(PATH)
async def page(request: Request, gateway: GatewayOf, user: CurrentUser, saved: str = "") -> Response:
    """The page; `saved` names what was just changed."""
    note = language_for(request, user)(_SAVED[saved]) if saved in _SAVED else ""
    return await account_page(request, gateway, user, note=note)


@router.post(f"{PATH}/password")
async def change_password(
    request: Request,
    gateway: GatewayOf,
    user: CurrentUser,
    current: Annotated[str, Form(max_length=1000)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """A new password for the old one; this browser stays logged in, all others do not."""
    language = language_for(request, user)
    try:
        await gateway.sessions.check_password(user.username, current)
    except Problem as refused:
        text = _TOO_MANY if refused.type == "too-many-tries" else _NOT_RIGHT
        return await account_page(request, gateway, user, status=422, wrong={"current": language(text)})
    try:
        await gateway.people.change(user.username, {"password": password}, by=user.username, key=None)
    except Problem as refused:
        wrong = _wrong(refused, language, gateway)
        return await account_page(request, gateway, user, status=refused.status, wrong=wrong)
    response = back("password")
    signed_in = await gateway.sessions.opened_for(user.username, request.headers.get("user-agent", ""))
    remember(request, response, signed_in)
    return response


@router.post(f"{PATH}/language")
async def change_language(
    gateway: GatewayOf, user: CurrentUser, language: Annotated[str, Form(max_length=10)] = ""
) -> Response:
    """The language of the pages, the workbooks and the mails."""
    await gateway.people.change(user.username, {"language": language_of(language).code}, by=user.username, key=None)
    return back("language")


@router.post(f"{PATH}/extension")
async def change_extension(
    request: Request, gateway: GatewayOf, user: CurrentUser, extension: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Work at another extension until the log-out; empty: back at one's own."""
    wanted = extension.strip()
    try:
        await (gateway.desks.sit(user.username, wanted) if wanted else gateway.desks.leave(user.username))
    except Problem as refused:
        language = language_for(request, user)
        if refused.type == "extension-taken":
            wrong = {"extension": language(_TAKEN, name=refused.extra.get("name", ""), extension=wanted)}
        else:
            wrong = _wrong(refused, language, gateway)
        return await account_page(request, gateway, user, status=refused.status, wrong=wrong, extension=wanted)
    return back("extension")


@router.post(f"{PATH}/sessions/{{session}}/end")
async def end(request: Request, gateway: GatewayOf, user: CurrentUser, session: str) -> Response:
    """Ends a session of one's own; ending this one is logging out."""
    await end_session(gateway, user.username, session, by=user)
    if session != session_id(token_of(request) or ""):
        return back("session")
    response = RedirectResponse("/login", 303)
    forget(request, response)
    return response


async def sessions_shown(request: Request, gateway: Gateway, username: str) -> list[dict[str, Any]]:
    """The rows of a table of sessions."""
    mine = session_id(token_of(request) or "")
    return [
        {
            "id": one.id,
            "device": device_name(one.device),
            "told": one.device,
            "since": one.created_at.isoformat(),
            "used": one.used_at.isoformat(),
            "current": one.id == mine,
        }
        for one in await gateway.sessions.open_of(username)
    ]


async def account_page(
    request: Request,
    gateway: Gateway,
    user: User,
    *,
    status: int = 200,
    note: str = "",
    wrong: dict[str, str] | None = None,
    extension: str | None = None,
    typed: Mapping[str, Any] | None = None,
    issued: Mapping[str, str] | None = None,
) -> Response:
    """The page: what is wrong by field, what was `typed` about a token, and a token just `issued`."""
    return render(
        request,
        user,
        "account/page.html",
        status=status,
        note=note,
        wrong=wrong or {},
        extension=user.extension if extension is None else extension,
        sessions=await sessions_shown(request, gateway, user.username),
        tokens=await gateway.tokens.of(user.username),
        typed=typed or {"name": "", "scopes": ["read"]},
        issued=issued,
    )


def _wrong(refused: Problem, language: Language, gateway: Gateway) -> dict[str, str]:
    return wrong_of(refused, language, gateway.settings.password_min_length)


def back(saved: str) -> Response:
    """To the page, which says what was just done."""
    return RedirectResponse(f"{PATH}?saved={saved}", 303)
