"""Who may work here, and how does that change? Users as events in the log; their passwords beside it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import structlog

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import Username
from richiamo_events.language import OperatorChanged
from richiamo_events.operators import Operators
from richiamo_gateway import problem
from richiamo_gateway.auth.sessions import Sessions
from richiamo_gateway.languages import NAMES as LANGUAGES
from richiamo_kit.clock import Clock
from richiamo_kit.errors import StreamMoved
from richiamo_kit.log_view import SiteView
from richiamo_kit.store.port import EventStore

ADMIN = "admin"
ROLES = ("operator", "supervisor", "admin")
_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_@-]|\.(?=[A-Za-z0-9_@-])){0,63}")
"""Also a token of a log subject: no blanks, wildcards, or empty parts between dots."""
_EXTENSION = re.compile(r"[0-9*#]{1,20}")
_NAME_LIMIT = 100
_PASSWORD_LIMIT = 200
_QUEUE_LIMIT = 500
_FIELDS = {"name", "role", "extension", "queues", "language", "active", "masked"}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A user as the log now has it, and the position that says so."""

    position: int
    user: OperatorChanged


class People:
    """Creates and changes users. One change at a time; the log's guard settles races between gateways."""

    def __init__(
        self, store: EventStore, site: SiteView, sessions: Sessions, clock: Clock, password_min_length: int
    ) -> None:
        self._store = store
        self._site = site
        self._sessions = sessions
        self._clock = clock
        self._password_min_length = password_min_length
        self._one_at_a_time = asyncio.Lock()

    async def create(
        self, values: Mapping[str, Any], *, by: str, key: str | None, with_password: bool = True
    ) -> Written:
        """Creates a user from the fields of `POST /users`; without a password only single sign-on lets them in.

        Raises the problems `invalid` (422), `username-taken` and `extension-taken` (409).
        """
        wrong = self._wrong(values)
        username, password = values.get("username"), values.get("password")
        if not isinstance(username, str) or not _USERNAME.fullmatch(username):
            wrong["username"] = "Must be 1 to 64 letters, digits or . _ @ -, and begin with a letter or digit."
        if password is None and with_password:
            wrong |= {"password": "A new user needs a password."}
        if wrong:
            raise problem.invalid("The user cannot be created like this.", wrong)
        chosen = {name: value for name, value in values.items() if name in _FIELDS and value is not None}
        fresh = _with(OperatorChanged(username=Username(str(username)), name=str(username), role="operator"), chosen)
        async with self._one_at_a_time:
            known = await self._known()
            taken = next((name for name in known.by_name if name.casefold() == fresh.username.casefold()), None)
            if taken is not None and (key is None or taken != fresh.username):
                raise _taken(taken)
            _check_extension(fresh, known)
            try:
                position = await self._append(fresh, expected=0, by=by, key=key)
            except StreamMoved:
                raise _taken(fresh.username) from None
        if password is not None:
            await self._sessions.set_password(fresh.username, str(password))
        _log.info("user_created", username=fresh.username, role=fresh.role, by=by)
        return Written(position, fresh)

    async def change(self, username: str, values: Mapping[str, Any], *, by: str, key: str | None) -> Written:
        """Changes the fields that `PATCH /users/{username}` names; a password ends the user's sessions.

        Raises the problems 404, `invalid` (422), `extension-taken` and `last-admin` (409).
        """
        async with self._one_at_a_time:
            known = await self._known()
            before = known.get(username)
            if before is None:
                raise problem.not_found(f"There is no user {username}.")
            wrong = self._wrong(values)
            if wrong:
                raise problem.invalid("The user cannot be changed like this.", wrong)
            chosen = {name: value for name, value in values.items() if name in _FIELDS and value is not None}
            after = _with(before, chosen)
            _check_extension(after, known)
            _check_admin_left(after, known)
            position = await self._store.last_on(subjects.operator(before.username))
            if after != before:
                position = await self._append(after, expected=position, by=by, key=key)
        if values.get("password") is not None:
            await self._sessions.set_password(after.username, str(values["password"]))
        if before.active and not after.active:
            await self._sessions.end_all_of(after.username)
        _log.info("user_changed", username=after.username, by=by, fields=sorted(values))
        return Written(position, after)

    async def position_of(self, username: str) -> int:
        """The log position of the last change of a user."""
        return await self._store.last_on(subjects.operator(Username(username)))

    async def caught_up(self, position: int) -> None:
        """Waits until the view holds every change of a user up to `position`; raises `Unavailable`."""
        await self._site.wait_for(min(position, await self._store.last_on(subjects.OPERATORS)))

    async def ensure_admin(self, password: str | None) -> bool:
        """Creates the user `admin` when there is no user at all; says whether it did.

        With users present the password is left alone: an administrator may have changed it.
        """
        known = await self._known()
        if known.by_name:
            return False
        if password is None:
            _log.warning("no_admin_password", hint="set RICHIAMO_ADMIN_PASSWORD to create the first user")
            return False
        fresh = OperatorChanged(username=Username(ADMIN), name="Admin", role="admin")
        try:
            await self._append(fresh, expected=0, by="system", key="first-start")
        except StreamMoved:
            return False
        await self._sessions.set_password(fresh.username, password)
        return True

    def _wrong(self, values: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with each field, in words."""
        wrong: dict[str, str] = {}
        name, password, extension = values.get("name"), values.get("password"), values.get("extension")
        if name is not None and not 1 <= len(str(name).strip()) <= _NAME_LIMIT:
            wrong["name"] = f"Must have 1 to {_NAME_LIMIT} characters."
        if values.get("role") not in {None, *ROLES}:
            wrong["role"] = "Must be operator, supervisor or admin."
        if values.get("language") not in {None, *LANGUAGES}:
            wrong["language"] = f"Must be one of {', '.join(LANGUAGES)}."
        if extension and not _EXTENSION.fullmatch(str(extension)):
            wrong["extension"] = "Must be up to 20 digits, or empty."
        if password is not None and not self._password_min_length <= len(str(password)) <= _PASSWORD_LIMIT:
            wrong["password"] = f"Must have {self._password_min_length} to {_PASSWORD_LIMIT} characters."
        queues = values.get("queues") or []
        if len(queues) > _QUEUE_LIMIT or not all(isinstance(queue, str) and queue.strip() for queue in queues):
            wrong["queues"] = "Must be a list of queue names; an empty list means all queues."
        return wrong

    async def _known(self) -> Operators:
        """All users as the log has them at this moment, not as the view last heard."""
        known = Operators()
        async for event in self._store.read(subject=subjects.OPERATORS):
            known = known.changed(event)
        return known

    async def _append(self, user: OperatorChanged, *, expected: int, by: str, key: str | None) -> int:
        subject = subjects.operator(user.username)
        position = await self._store.append(
            [_event(subject, user, by=by, key=key, at=self._clock.now())], expected=expected
        )
        await self._site.wait_for(position)
        return position


def _event(subject: str, data: OperatorChanged, *, by: str, key: str | None, at: datetime) -> NewEvent:
    """The same key gives the same event id, so that a repeat after a lost answer stores nothing."""
    event_id = str(uuid4() if key is None else uuid5(NAMESPACE_URL, f"richiamo:{by}:{key}"))
    return NewEvent(
        id=event_id, subject=subject, data=data, occurred_at=at, actor=f"user:{by}", correlation_id=event_id
    )


def _with(user: OperatorChanged, values: Mapping[str, Any]) -> OperatorChanged:
    chosen = dict(values)
    if "queues" in chosen:
        chosen["queues"] = tuple(dict.fromkeys(queue.strip() for queue in chosen["queues"]))
    if "name" in chosen:
        chosen["name"] = str(chosen["name"]).strip()
    return replace(user, **chosen)


def _taken(username: str) -> Exception:
    return problem.conflict("username-taken", f"There is already a user {username}.", username=username)


def _check_extension(user: OperatorChanged, known: Operators) -> None:
    if not user.active:
        return
    others = (one for one in known.by_name.values() if one.active and one.username != user.username)
    holder = next((one for one in others if user.extension and one.extension == user.extension), None)
    if holder is not None:
        title = f"Extension {user.extension} belongs to {holder.name} ({holder.username})."
        raise problem.conflict("extension-taken", title, username=holder.username)


def _check_admin_left(user: OperatorChanged, known: Operators) -> None:
    after = {**known.by_name, user.username: user}
    if not any(one.active and one.role == "admin" for one in after.values()):
        title = "Somebody has to stay administrator."
        raise problem.conflict("last-admin", title, "Make another user administrator first.")
