"""Does this request carry a session, and is its person allowed in?

A token comes as `Authorization: Bearer` (scripts) or in a cookie (browsers). The cookie's name begins
with `__Host-` when the connection is https, so that no other host or path can plant one.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.responses import Response

from richiamo_gateway import problem
from richiamo_gateway.auth import tokens
from richiamo_gateway.auth.sessions import SignedIn
from richiamo_gateway.auth.user import Role, User
from richiamo_gateway.context import Gateway, gateway_of

SECURE_COOKIE = "__Host-richiamo"
PLAIN_COOKIE = "richiamo"
_SIGN_IN_SECONDS = 30.0
"""Longer than a question to the database may take: a password waits its turn when a whole shift logs in at once."""


def _is_https(connection: HTTPConnection) -> bool:
    return connection.url.scheme in {"https", "wss"}


def cookie_name(connection: HTTPConnection) -> str:
    """The only cookie name that is read and written on this kind of connection."""
    return SECURE_COOKIE if _is_https(connection) else PLAIN_COOKIE


def bearer_token(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def token_of(connection: HTTPConnection) -> str | None:
    """The session token of a request; a Bearer token leads."""
    return bearer_token(connection) or connection.cookies.get(cookie_name(connection))


async def optional_user(connection: HTTPConnection) -> User | None:
    """The person behind a request, or None: for pages that also strangers see (login)."""
    token = token_of(connection)
    user = await gateway_of(connection).from_database(_behind(connection, token)) if token else None
    # Errors are told in this person's language.
    connection.state.user = user
    return user


async def _behind(connection: HTTPConnection, token: str) -> User | None:
    gateway = gateway_of(connection)
    if not token.startswith(tokens.PREFIX):
        return await gateway.sessions.user_of(token)
    bearer = await gateway.tokens.bearer_of(token)
    if bearer is not None:
        bearer.check(connection.scope.get("method", "GET"), connection.url.path)
    return None if bearer is None else bearer.user


async def current_user(connection: HTTPConnection) -> User:
    """The person behind a request.

    Raises the problem 401 otherwise; a browser that asked for a page is led to `/login?next=...`.
    """
    user = await optional_user(connection)
    if user is None:
        raise problem.not_logged_in()
    return user


def requires(role: Role) -> Callable[[User], Awaitable[User]]:
    """A dependency: the person behind a request, who must have the rights of `role` (else 403)."""

    async def allowed(user: Annotated[User, Depends(current_user)]) -> User:
        if not user.may(role):
            raise problem.forbidden(role.name.lower())
        return user

    return allowed


CurrentUser = Annotated[User, Depends(current_user)]
Supervisor = Annotated[User, Depends(requires(Role.SUPERVISOR))]
Admin = Annotated[User, Depends(requires(Role.ADMIN))]


def remember(connection: HTTPConnection, response: Response, signed_in: SignedIn) -> None:
    """Puts the session into the browser; HttpOnly, SameSite=Lax, Secure when https."""
    response.set_cookie(
        cookie_name(connection),
        signed_in.token,
        max_age=signed_in.lifetime_seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_https(connection),
    )


def forget(connection: HTTPConnection, response: Response) -> None:
    """Takes the session out of the browser."""
    response.delete_cookie(
        cookie_name(connection),
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_https(connection),
    )


async def sign_in(connection: HTTPConnection, username: str, password: str, extension: str = "") -> SignedIn:
    """Opens a session, at the extension that is named when one is.

    Raises the problems `wrong-credentials` (401), `too-many-tries` (429), and with an extension `extension-taken` (409)
    and `invalid` (422).

    For the login page: `remember(request, response, await sign_in(request, username, password))`.
    """
    gateway = gateway_of(connection)
    device = connection.headers.get("user-agent", "")
    signing_in = _signed_in(gateway, username, password, extension, device)
    return await gateway.from_database(signing_in, within=_SIGN_IN_SECONDS)


async def _signed_in(gateway: Gateway, username: str, password: str, extension: str, device: str) -> SignedIn:
    signed_in = await gateway.sessions.sign_in(username, password, device)
    try:
        if extension:
            await gateway.desks.sit(signed_in.user.username, extension)
        else:
            await gateway.desks.arrive(signed_in.user.username)
    except BaseException:
        # Nobody will hear of this session, also when it is only that its person did not wait.
        await gateway.sessions.sign_out(signed_in.token)
        raise
    return signed_in


async def end_session(gateway: Gateway, username: str, session_id: str, *, by: User) -> None:
    """Ends one session of somebody; with their last one goes what they had reserved. Raises 404 for none."""
    if not await gateway.sessions.end_one(username, session_id):
        raise problem.not_found("There is no session with this id; it may have ended.")
    if not await gateway.sessions.open_of(username):
        await gateway.hand_back(username, by=by, why="logout")
        await gateway.desks.leave(username)


async def sign_out(connection: HTTPConnection) -> User | None:
    """Ends this request's session and hands back what its person had reserved.

    The session ends even when the queue service does not answer: the reservations then expire by
    themselves (`domain.md` rule 8). Returns who it was.
    """
    token = token_of(connection)
    if token is None:
        return None
    gateway = gateway_of(connection)
    user = await gateway.sessions.sign_out(token)
    if user is not None:
        await gateway.hand_back(user.username, by=user, why="logout")
        if not await gateway.sessions.open_of(user.username):
            await gateway.desks.leave(user.username)
    return user
