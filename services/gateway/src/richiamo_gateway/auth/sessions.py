"""Who stands behind this token? Opaque sessions in PostgreSQL; only the token's sha256 is kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from richiamo_gateway.auth.credentials import Credentials
from richiamo_gateway.auth.passwords import Passwords
from richiamo_gateway.auth.schema import session
from richiamo_gateway.auth.user import User
from richiamo_gateway.plain_text import is_plain
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem
from richiamo_kit.log_view import SiteView

_IDLE = timedelta(hours=12)
"""A session unused for so long ends; longer than a shift with its break."""
_TRUSTED = timedelta(seconds=3)
"""How long an answer of the database about a token is used again: other gateways end sessions too."""
_TRIES = 10
_TRIES_WITHIN = timedelta(minutes=5)
_CACHE_LIMIT = 10_000
_DEVICE_LIMIT = 300

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just opened. `token` is shown once and kept nowhere."""

    token: str
    user: User
    lifetime_seconds: int


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended. `id` names it without being of any use to open it."""

    id: str
    device: str
    created_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class _Seen:
    username: str
    asked_at: datetime


class Sessions:
    """Opens, finds and ends sessions.

    Rights are read from the log at every request, so that a deactivation counts at once.
    """

    def __init__(self, engine: AsyncEngine, credentials: Credentials, site: SiteView, clock: Clock) -> None:
        self._engine = engine
        self._credentials = credentials
        self._site = site
        self._clock = clock
        self._passwords = Passwords()
        self._seen: dict[bytes, _Seen] = {}

    async def sign_in(self, username: str, password: str, device: str = "") -> SignedIn:
        """Opens a session for the right password.

        Raises the problem 401 `wrong-credentials`, the same for an unknown name, a wrong password and a
        deactivated user, and 429 `too-many-tries` after 10 failures under that name in 5 minutes.
        """
        if not is_plain(username) or not is_plain(password):
            raise _wrong_credentials()
        name = self._spelled(username.strip())
        await self.check_password(name, password)
        return await self.opened_for(name, device)

    async def opened_for(self, username: str, device: str = "") -> SignedIn:
        """Opens a session for somebody who has proven who they are; `wrong-credentials` (401) when deactivated."""
        operator = self._site.operators.get(username)
        if operator is None or not operator.active:
            raise _wrong_credentials()
        token = await self._open(username, device, self._clock.now())
        _log.info("login", username=username)
        return SignedIn(token, User.of(operator), int(_IDLE.total_seconds()))

    async def check_password(self, username: str, password: str) -> None:
        """Raises the problems `wrong-credentials` (401) and `too-many-tries` (429); as slow for an unknown name."""
        now = self._clock.now()
        failures = await self._credentials.failures_since(username, now - _TRIES_WITHIN)
        if len(failures) >= _TRIES:
            wait = int((failures[-_TRIES] + _TRIES_WITHIN - now).total_seconds()) + 1
            raise Problem(
                429,
                "too-many-tries",
                "Too many failed logins under this name.",
                f"Try again in {wait} s.",
                retry_after=wait,
            )
        stored = await self._credentials.hash_of(username)
        if not await self._passwords.matches(stored, password):
            await self._credentials.note_failure(username, now, _TRIES_WITHIN)
            _log.info("password_refused", username=username)
            raise _wrong_credentials()
        if failures:
            await self._credentials.forget_failures(username)

    def _spelled(self, typed: str) -> str:
        """The user name as it was created; letters of either case find it."""
        if self._site.operators.get(typed) is not None:
            return typed
        wanted = typed.casefold()
        for username in self._site.operators.by_name:
            if username.casefold() == wanted:
                return username
        return typed[:100]

    async def _open(self, username: str, device: str, now: datetime) -> str:
        token = secrets.token_urlsafe(32)
        opened: dict[str, object] = {
            "token_hash": _hash(token),
            "username": username,
            "created_at": now,
            "used_at": now,
        }
        opened["device"] = device[:_DEVICE_LIMIT] if is_plain(device) else ""
        async with self._engine.begin() as connection:
            await connection.execute(delete(session).where(session.c.expires_at < now))
            await connection.execute(insert(session).values(**opened, expires_at=now + _IDLE))
        return token

    async def user_of(self, token: str) -> User | None:
        """The active person behind a token; None for a token that is unknown or has ended."""
        key = _hash(token)
        now = self._clock.now()
        seen = self._seen.get(key)
        if seen is None or now - seen.asked_at > _TRUSTED:
            seen = await self._look_up(key, now)
        if seen is None:
            return None
        operator = self._site.operators.get(seen.username)
        return User.of(operator) if operator is not None and operator.active else None

    async def _look_up(self, key: bytes, now: datetime) -> _Seen | None:
        ours = session.c.token_hash == key
        async with self._engine.begin() as connection:
            found = await connection.execute(
                select(session.c.username, session.c.used_at).where(ours, session.c.expires_at > now)
            )
            row = found.one_or_none()
            if row is None:
                self._seen.pop(key, None)
                return None
            username, used_at = row
            if now - used_at > timedelta(minutes=1):
                await connection.execute(update(session).where(ours).values(used_at=now, expires_at=now + _IDLE))
        if len(self._seen) >= _CACHE_LIMIT:
            self._seen.clear()
        seen = self._seen[key] = _Seen(str(username), now)
        return seen

    async def sign_out(self, token: str) -> User | None:
        """Ends one session; returns whose it was, None when it had ended already."""
        key = _hash(token)
        self._seen.pop(key, None)
        async with self._engine.begin() as connection:
            username: str | None = await connection.scalar(
                delete(session).where(session.c.token_hash == key).returning(session.c.username)
            )
        operator = None if username is None else self._site.operators.get(username)
        return None if operator is None else User.of(operator)

    async def open_of(self, username: str) -> list[OpenSession]:
        """The sessions of a person that have not ended, the one used last first."""
        statement = (
            select(session)
            .where(session.c.username == username, session.c.expires_at > self._clock.now())
            .order_by(session.c.used_at.desc())
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement)).all()
        return [OpenSession(_name_of(row.token_hash), row.device, row.created_at, row.used_at) for row in rows]

    async def end_one(self, username: str, name: str) -> bool:
        """Ends the session of that id; whether there was one."""
        async with self._engine.begin() as connection:
            keys = await connection.scalars(select(session.c.token_hash).where(session.c.username == username))
            key = next((key for key in keys if _name_of(key) == name), None)
            if key is None:
                return False
            await connection.execute(delete(session).where(session.c.token_hash == key))
        self._seen.pop(key, None)
        return True

    async def end_all_of(self, username: str) -> None:
        """Ends every session of a person: after a new password, or a deactivation."""
        for key in [key for key, seen in self._seen.items() if seen.username == username]:
            self._seen.pop(key, None)
        async with self._engine.begin() as connection:
            await connection.execute(delete(session).where(session.c.username == username))

    async def set_password(self, username: str, password: str) -> None:
        """Stores a new password and ends the sessions that the old one opened."""
        password_hash = await self._passwords.hash(password)
        await self._credentials.set_hash(username, password_hash, self._clock.now())
        await self._credentials.forget_failures(username)
        await self.end_all_of(username)


def _wrong_credentials() -> Problem:
    return Problem(401, "wrong-credentials", "User name or password is wrong.")


def session_id(token: str) -> str:
    """The id under which a session is listed."""
    return _name_of(_hash(token))


def _name_of(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:24]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
