"""What changed just now, for whom? One subscription to CHANGES per process, shared by all streams.

The rows of a step are asked once, whatever the number of streams, then cut to what each person may see.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

import structlog

from richiamo_gateway.auth.user import Role, User
from richiamo_gateway.feed import UNKNOWN, ChangeFeed, Notice
from richiamo_kit import metrics, tracing
from richiamo_kit.errors import Problem, Unavailable

ROWS = "richiamo.queue.rows"
_EXTENSION = "~extension~"
"""Stands for the extension of whoever looks, in the links of shared rows."""


def _asker(*, masked: bool) -> dict[str, Any]:
    """Rows are asked as somebody who sees all queues, and cut down here for each person."""
    return {
        "username": "",
        "name": "",
        "role": "admin",
        "extension": _EXTENSION,
        "queues": [],
        "masked": masked,
        "language": "it",
    }


_AT_ONCE = 500
"""Callers in one question."""
_WAITING = 256
"""Changes that wait for a slow browser; one more, and it is told to read everything again."""
_AGAIN_SECONDS = 1.0
_KEPT_CALLERS = 200_000
_KEPT_STEPS = 20_000
_KEPT_ROWS = 1_000
"""How many of the newest steps keep their rows for browsers that come back."""
_REPLAYED_CALLERS = 5_000
"""Who missed more than this reads the lists again: that is less work for everybody."""

Row = dict[str, Any]

_log = structlog.get_logger(__name__)


class Asks(Protocol):
    """The way to the other services."""

    async def ask(self, subject: str, payload: Mapping[str, Any], timeout: float = 5.0) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one step of the worklist changed, as one user may see it.

    `callers` are those touched; `items` the open requests they have now, as far as the user may see them (a
    caller without items has none left). With `resync` the stream cannot tell what was missed: read the lists
    again. One object is shared by all streams whose users see the same.
    """

    position: int
    callers: tuple[str, ...] = ()
    items: tuple[Row, ...] = ()
    resync: bool = False
    _made: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    def once(self, key: str, make: Callable[["Change"], bytes]) -> bytes:
        """What `make` makes of this change, made once for all streams that ask with this key."""
        if key not in self._made:
            self._made[key] = make(self)
        return self._made[key]


@dataclass(slots=True)
class _Step:
    """A notice with the rows of its callers, and what each kind of user sees of them."""

    notice: Notice
    rows: dict[bool, tuple[Row, ...]] = field(default_factory=dict)
    """With numbers in clear (False) and masked (True); only what somebody has asked for."""
    _cut: dict[tuple[object, ...], Change] = field(default_factory=dict)

    def for_user(self, user: User) -> Change:
        rows = self.rows.get(user.masked)
        if rows is None and self.notice.callers:
            # The right to see numbers changed while this waited.
            return Change(position=self.notice.position, resync=True)
        rows = rows or ()
        supervisor = user.may(Role.SUPERVISOR)
        hides = not supervisor and any(row.get("hidden_until") for row in rows)
        linked = any(_EXTENSION in str(row.get("link")) for row in rows)
        audience = (
            user.queues,
            user.masked,
            supervisor,
            user.username if hides else "",
            user.extension if linked else "",
        )
        if audience not in self._cut:
            visible = tuple(_shown(row, user) for row in rows if _sees(row, user))
            self._cut[audience] = Change(
                position=self.notice.position, callers=self.notice.callers, items=visible, resync=self.notice.resync
            )
        return self._cut[audience]


def _sees(row: Row, user: User) -> bool:
    """Whether a row belongs into this user's stream: own queues, and hidden rows only to whom they concern."""
    if not user.sees(str(row.get("queue", ""))):
        return False
    return not row.get("hidden_until") or user.may(Role.SUPERVISOR) or row.get("reserved_by") == user.username


def _shown(row: Row, user: User) -> Row:
    link = row.get("link")
    if not isinstance(link, str) or _EXTENSION not in link:
        return row
    return {**row, "link": link.replace(_EXTENSION, quote(user.extension, safe=""))}


class Subscription:
    """One user's changes: `async for change in subscription`, or `next_within` for heartbeats.

    Close it when the browser is gone. What waits for it is bounded; beyond, one change with `resync` is left.
    """

    def __init__(self, live: "Live", user: User, last_event_id: int | None) -> None:
        self.user = user
        self._live = live
        self._cursor = last_event_id
        self._waiting: deque[_Step] = deque()
        self._wake = asyncio.Event()
        self._started = False
        self.closed = False

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        while True:
            change = await self.next_within(3600)
            if change is not None:
                return change
            if self.closed:
                raise StopAsyncIteration

    async def next_within(self, seconds: float) -> Change | None:
        """The next change, or None when none came within `seconds` or the subscription was closed."""
        if not self._started and not await self._start(seconds):
            return None
        if not self._waiting and not self.closed:
            self._wake.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft().for_user(self.user) if self._waiting else None

    async def _start(self, seconds: float) -> bool:
        """Catches up with what was missed, as soon as the past hour has been read."""
        try:
            async with asyncio.timeout(seconds):
                await self._live.primed.wait()
        except TimeoutError:
            return False
        if self._started:
            return True
        self._started = True
        if self._cursor is not None:
            missed = self._live.missed(self._cursor)
            self._live.register(self)
            missed = await self._live.with_rows(missed, masked=self.user.masked)
            self._waiting.extendleft(reversed(missed))
        return True

    def offer(self, step: _Step) -> None:
        """Called by Live for each step; never waits."""
        if self._cursor is not None and not step.notice.resync and step.notice.position < self._cursor:
            # Rows also change by time alone (a hiding ends), at a position that was told before.
            return
        if len(self._waiting) >= _WAITING:
            self._waiting.clear()
            step = _Step(Notice(step.notice.position, resync=True))
        self._waiting.append(step)
        self._wake.set()

    def close(self) -> None:
        self.closed = True
        self._live.unregister(self)
        self._wake.set()


class Live:
    """Follows CHANGES once and serves every stream of this process."""

    def __init__(self, inside: Asks, feed: ChangeFeed, log_position: Callable[[], Awaitable[int]]) -> None:
        self._inside = inside
        self._feed = feed
        self._log_position = log_position
        self._subscriptions: set[Subscription] = set()
        self._kept: deque[_Step] = deque()
        self._kept_callers = 0
        self._floor = 0
        """The position up to which steps may be unknown."""
        self._newest = 0
        self.primed = asyncio.Event()
        self.closed = False

    @property
    def streams(self) -> int:
        """How many streams are open now."""
        return len(self._subscriptions)

    def subscribe(self, user: User, last_event_id: int | None = None) -> Subscription:
        """Changes after log position `last_event_id` (None: from now on), as `user` may see them."""
        subscription = Subscription(self, user, last_event_id)
        if last_event_id is None:
            self.register(subscription)
        return subscription

    def register(self, subscription: Subscription) -> None:
        if self.closed:
            subscription.closed = True
        else:
            self._subscriptions.add(subscription)
            metrics.STREAMS_OPEN.set(len(self._subscriptions))

    def unregister(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        metrics.STREAMS_OPEN.set(len(self._subscriptions))

    def close(self) -> None:
        """Ends every stream, so that the server can stop."""
        self.closed = True
        for subscription in list(self._subscriptions):
            subscription.close()

    async def run(self) -> None:
        """Follows the feed until cancelled; after a failure everybody is told to read everything again."""
        failed = False
        while True:
            try:
                if failed:
                    await self._take([Notice(UNKNOWN, resync=True)])
                async with aclosing(self._feed.follow()) as batches:
                    async for notices in batches:
                        with tracing.consequence("push changes", (notice.traceparent for notice in notices)) as span:
                            span.set_attributes({"richiamo.streams": self.streams, "richiamo.steps": len(notices)})
                            await self._take(notices)
            except Exception:
                _log.exception("changes_not_followed")
            failed = True
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _take(self, notices: Sequence[Notice]) -> None:
        steps = [_Step(notice) for notice in notices]
        if self.primed.is_set():
            for masked in {subscription.user.masked for subscription in self._subscriptions}:
                steps = await self.with_rows(steps, masked=masked)
        for step in steps:
            if step.notice.position == UNKNOWN:
                step.notice = Notice(self._newest or await self._log_position(), resync=True)
            self._keep(step)
            for subscription in self._subscriptions:
                subscription.offer(step)
        self.primed.set()

    def _keep(self, step: _Step) -> None:
        notice = step.notice
        self._newest = max(self._newest, notice.position)
        if notice.resync:
            # Nobody can be told what happened before this: it is where the memory begins.
            self._kept.clear()
            self._kept_callers = 0
            self._floor = notice.position
            return
        self._kept.append(step)
        self._kept_callers += len(notice.callers)
        if len(self._kept) > _KEPT_ROWS:
            self._kept[-1 - _KEPT_ROWS].rows.clear()
        while len(self._kept) > _KEPT_STEPS or self._kept_callers > _KEPT_CALLERS:
            forgotten = self._kept.popleft().notice
            self._kept_callers -= len(forgotten.callers)
            self._floor = forgotten.position

    def missed(self, last_event_id: int) -> list[_Step]:
        """The steps after a position, or one that says `resync` when not all of them are known."""
        if last_event_id < self._floor:
            return [_Step(Notice(self._newest, resync=True))]
        steps: list[_Step] = []
        callers = 0
        for step in reversed(self._kept):
            if step.notice.position < last_event_id:
                break
            steps.append(_Step(step.notice, dict(step.rows)))
            callers += len(step.notice.callers)
            if callers > _REPLAYED_CALLERS or len(steps) >= _WAITING:
                return [_Step(Notice(self._newest, resync=True))]
        in_order = steps[::-1]
        if in_order and in_order[0].notice.position == last_event_id:
            # The step that was seen; more at its position are rows that changed by time alone.
            del in_order[0]
        return in_order

    async def with_rows(self, steps: list[_Step], *, masked: bool) -> list[_Step]:
        """The steps with the rows of their callers; when these cannot be had, one step that says `resync`."""
        lacking = [step for step in steps if masked not in step.rows and step.notice.callers]
        if not lacking:
            return steps
        wanted = sorted({caller for step in lacking for caller in step.notice.callers})
        try:
            rows = await self._ask_rows(wanted, masked=masked)
        except (Unavailable, Problem) as error:
            _log.warning("rows_not_available", error=str(error), callers=len(wanted))
            return [_Step(Notice(max(step.notice.position for step in steps), resync=True))]
        for step in lacking:
            step.rows[masked] = tuple(row for caller in step.notice.callers for row in rows.get(caller, ()))
        return steps

    async def _ask_rows(self, callers: list[str], *, masked: bool) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for start in range(0, len(callers), _AT_ONCE):
            question = {"user": _asker(masked=masked), "caller_ids": callers[start : start + _AT_ONCE]}
            answer = await self._inside.ask(ROWS, question)
            for row in answer["items"]:
                found.setdefault(str(row["caller_id"]), []).append(row)
        return found


def as_json(change: Change) -> bytes:
    """A change as one server-sent event of the JSON API."""
    body: dict[str, Any] = {"position": change.position, "callers": change.callers, "items": change.items}
    name = b""
    if change.resync:
        body["resync"] = True
        name = b"event: resync\n"
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return b"id: %d\n%sdata: %s\n\n" % (change.position, name, data)
