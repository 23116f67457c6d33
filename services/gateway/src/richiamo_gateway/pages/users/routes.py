"""Who may work here? The list of users and the form of one, for administrators."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from richiamo_events.language import OperatorChanged
from richiamo_gateway import problem
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Admin, end_session
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway, gateway_of
from richiamo_gateway.pages.account.routes import sessions_shown
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.list_look.shown import look_shown
from richiamo_gateway.pages.rendering import language_for, render
from richiamo_gateway.pages.users.form import ROLES, Typed, of_user, read_form, values_of, wrong_of
from richiamo_gateway.plain_text import is_plain
from richiamo_kit.errors import Problem

router = APIRouter()

_SAVED = {
    "new": N_("%(name)s can log in now."),
    "changed": N_("What you changed about %(name)s is saved."),
    "password": N_("%(name)s has a new password and has to log in again."),
    "session": N_("The session of %(name)s has ended."),
    "off": N_("%(name)s may no longer log in."),
    "on": N_("%(name)s may log in again."),
}


@router.get("/users")
async def page(request: Request, gateway: GatewayOf, user: Admin, saved: str = "", who: str = "") -> Response:
    """All users, those who left at the end."""
    known = gateway.site.operators.by_name
    users = sorted(known.values(), key=lambda one: (not one.active, one.name.casefold(), one.username))
    changed = next((one for one in users if one.username == who), None)
    told = _SAVED.get(saved)
    note = language_for(request, user)(told, name=changed.name) if told and changed else ""
    look = look_shown(await gateway.looks.of(user.username), "/users", request.query_params)
    return render(request, user, "users/page.html", users=users, roles=ROLES, note=note, look=look)


@router.get("/users/_new")
async def new(request: Request, user: Admin) -> Response:
    """An empty form. No user name begins with the sign of this address."""
    return await _form(request, user, Typed(language=user.language), None)


@router.post("/users/_new")
async def create(request: Request, gateway: GatewayOf, user: Admin) -> Response:
    """Creates the user, or shows the form again with what is wrong."""
    form = await request.form()
    typed = read_form(form, str(form.get("username") or "").strip())
    try:
        values = {**values_of(typed), "username": typed.username, "password": _password(form.get("password"))}
        written = await gateway.people.create(values, by=user.username, key=None)
    except Problem as refused:
        return await _form(
            request, user, replace(typed, wrong=_wrong(request, gateway, user, refused)), None, refused.status
        )
    return _back("new", written.user.username)


@router.get("/users/{username}")
async def edit(request: Request, gateway: GatewayOf, user: Admin, username: str) -> Response:
    """The form of one user."""
    known = _known(gateway, username)
    return await _form(request, user, of_user(known), known)


@router.post("/users/{username}")
async def change(request: Request, gateway: GatewayOf, user: Admin, username: str) -> Response:
    """Saves what was typed about a user."""
    known = _known(gateway, username)
    typed = read_form(await request.form(), known.username)
    try:
        await gateway.people.change(known.username, values_of(typed), by=user.username, key=None)
        if typed.extension != known.extension:
            await gateway.desks.forget(known.username)
    except Problem as refused:
        wrong = _wrong(request, gateway, user, refused)
        return await _form(request, user, replace(typed, wrong=wrong), known, refused.status)
    return _back("changed", known.username)


@router.post("/users/{username}/password")
async def new_password(request: Request, gateway: GatewayOf, user: Admin, username: str) -> Response:
    """Gives a user a new password, which ends their sessions."""
    known = _known(gateway, username)
    form = await request.form()
    try:
        values = {"password": _password(form.get("password"))}
        await gateway.people.change(known.username, values, by=user.username, key=None)
    except Problem as refused:
        wrong = _wrong(request, gateway, user, refused)
        return await _form(request, user, replace(of_user(known), wrong=wrong), known, refused.status)
    return _back("password", known.username)


@router.post("/users/{username}/sessions/{session}/end")
async def end(gateway: GatewayOf, user: Admin, username: str, session: str) -> Response:
    """Ends one session of a user; with the last one goes what they have reserved."""
    known = _known(gateway, username)
    await end_session(gateway, known.username, session, by=user)
    return _back("session", known.username)


@router.post("/users/{username}/active")
async def set_active(request: Request, gateway: GatewayOf, user: Admin, username: str) -> Response:
    """Takes a user's rights, sessions and reservations, or gives the rights back."""
    known = _known(gateway, username)
    active = (await request.form()).get("active") == "yes"
    try:
        await gateway.people.change(known.username, {"active": active}, by=user.username, key=None)
    except Problem as refused:
        wrong = _wrong(request, gateway, user, refused)
        wrong = {"": " ".join(wrong.values())}
        return await _form(request, user, replace(of_user(known), wrong=wrong), known, refused.status)
    if not active:
        await gateway.hand_back(known.username, by=user, why="deactivated")
    return _back("on" if active else "off", known.username)


def _known(gateway: Gateway, username: str) -> OperatorChanged:
    known = gateway.site.operators.get(username)
    if known is None:
        raise problem.not_found(f"There is no user {username}.")
    return known


def _password(typed: Any) -> str:
    """A password is kept as it was typed, blanks too."""
    password = typed if isinstance(typed, str) else ""
    if not password or not is_plain(password):
        raise problem.invalid("A user needs a password.", {"password": "A user needs a password."})
    return password


def _wrong(request: Request, gateway: Gateway, user: User, refused: Problem) -> dict[str, str]:
    return wrong_of(refused, language_for(request, user), gateway.settings.password_min_length)


async def _form(
    request: Request, user: User, typed: Typed, known: OperatorChanged | None, status: int = 200
) -> Response:
    sessions = await sessions_shown(request, gateway_of(request), known.username) if known else []
    return render(
        request, user, "users/form.html", typed=typed, known=known, roles=ROLES, sessions=sessions, status=status
    )


def _back(saved: str, username: str) -> Response:
    """To the list, so that a reload sends nothing again. A user name needs no escaping but for `@`."""
    return RedirectResponse(f"/users?saved={saved}&who={username.replace('@', '%40')}", 303)
