"""What does one event add to the sums of each day? A pure function of a caller's rows before and after it.

Every figure of a day is a sum over callers, distinct callers too: each adds one for the day, or nothing. So a caller
whose rows change takes their old share out of the cells and puts the new one in, and a rebuild ends at the same sums.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from richiamo_events.caller import Caller
from richiamo_events.requests import Request
from richiamo_reporting.facts.derive import RowKey, Rows, Values
from richiamo_reporting.facts.tables import MISSED_CALL, REQUEST, SERVED_CALL, WITHHELD, Table
from richiamo_reporting.frame import start_of

NEVER = date(9999, 12, 31)
"""Stands for the day of what has not happened: a request still open, or with no recall tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """A table of sums: one row a key, with the count `n`, which is never 0."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def days(self, key: tuple[Any, ...]) -> set[date]:
        """The days that a key names."""
        return {part for part in key if isinstance(part, date)} - {NEVER}


REQUESTS = Sums(
    "daily_requests",
    (
        ("opened_on", "date"),
        ("closed_on", "date"),
        ("closed_by", "text"),
        ("tried_on", "date"),
        ("queue", "text"),
        ("type", "text"),
    ),
)
"""Requests by the days on which they were opened, closed and first tried: the Dashboard of any period."""
TRIED = Sums("daily_tried", (("day", "date"), ("queue", "text"), ("type", "text")))
"""Requests of the backlog that are open at the end of a day on which a recall was tried."""
QUEUES = Sums("daily_queues", (("day", "date"), ("queue", "text"), ("figure", "text")))
"""Calls, and the numbers of Code Caller, of a queue and day."""
CALLERS = Sums("daily_callers", (("day", "date"), ("stood", "jsonb")))
"""Callers with a missed call on a day, by how they stand: `[[queue, outcome], ...]`, what counts most first.

Whoever sees only some queues takes the first pair of one of these; so one row serves every choice of queues.
"""

SUMS = (REQUESTS, TRIED, QUEUES, CALLERS)

Cell = tuple[Sums, tuple[Any, ...]]
"""A table of sums and a key in it. What a caller of the day stands as is a tuple of pairs."""


def _fields(table: Table, *names: str) -> "itemgetter[Any]":
    columns = [name for name, _ in table.columns]
    return itemgetter(*(columns.index(name) for name in names))


_REQUEST = _fields(REQUEST, "opened_at", "closed_at", "closed_by", "tried_at", "calls_at", "queue", "type")
_MISSED = _fields(MISSED_CALL, "called_at", "queue")
_SERVED = _fields(SERVED_CALL, "called_at", "queue")


def added(rows: tuple[Rows, Rows], states: tuple[Caller, Caller], zone: ZoneInfo) -> Iterator[tuple[Cell, int]]:
    """What a step adds to the cells, in days of `zone`; both pairs are before and after, the rows what differs at least.

    One cell may come several times, also with shares that cancel one another.
    """
    touched: set[date] = set()
    (before, after), (state_before, state_after) = rows, states
    for found, other, by in ((before, after, -1), (after, before, 1)):
        for key, values in found.items():
            if other.get(key) != values:
                for cell in _alone(key, values, zone, touched):
                    yield cell, by
    for day in touched:
        for state, by in ((state_before, -1), (state_after, 1)):
            for cell in _of_the_day(state, day, _edges(day, zone)):
                yield cell, by


def known_after(rows: tuple[Rows, Rows], recorded_at: datetime) -> datetime:
    """The instant after which every question counts all of a step: it was recorded, and what it says has happened."""
    latest = recorded_at
    for found in rows:
        for (table, _, _), values in found.items():
            if table is REQUEST:
                _, closed_at, _, tried_at, *_ = _REQUEST(values)
                latest = max(latest, closed_at or latest, tried_at[-1] if tried_at else latest)
    return latest


@lru_cache(maxsize=1024)
def _edges(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return start_of(day, zone), start_of(day + timedelta(days=1), zone)


def _alone(key: RowKey, values: Values, zone: ZoneInfo, touched: set[date]) -> Iterator[Cell]:
    """The cells that one row counts in by itself; the days on which its number counts are added to `touched`."""
    table, caller, _ = key
    if table is REQUEST:
        opened_at, closed_at, closed_by, tried_at, calls_at, queue, type_ = _REQUEST(values)
        opened = _day(opened_at, zone)
        closed = _day(closed_at, zone) if closed_at else NEVER
        tried = [_day(at, zone) for at in tried_at]
        yield REQUESTS, (opened, closed, closed_by or "", tried[0] if tried else NEVER, queue, type_)
        for day in set(tried):
            if opened < day < closed:
                yield TRIED, (day, queue, type_)
        touched.update(_day(at, zone) for at in calls_at)
    elif table is MISSED_CALL or table is SERVED_CALL:
        called_at, queue = (_MISSED if table is MISSED_CALL else _SERVED)(values)
        if queue is not None:
            day = _day(called_at, zone)
            yield QUEUES, (day, queue, "missed_calls" if table is MISSED_CALL else "answered_calls")
            if caller != WITHHELD:
                touched.add(day)


def _of_the_day(state: Caller, day: date, edges: tuple[datetime, datetime]) -> Iterator[Cell]:
    """The cells that a caller counts in as a number that called, or as a customer lost, on that day."""
    starts, ends = edges
    answered = {call.queue for call in state.served_calls if call.queue is not None and starts <= call.at < ends}
    lost: dict[str, list[Request]] = {}
    for request in state.requests:
        if any(starts <= call.at < ends for call in request.calls):
            lost.setdefault(request.queue, []).append(request)
    for queue in answered | set(lost):
        yield QUEUES, (day, queue, "numbers")
        if queue in answered:
            yield QUEUES, (day, queue, "numbers_answered")
        else:
            yield QUEUES, (day, queue, "numbers_not_answered")
            yield QUEUES, (day, queue, _judged(lost[queue]))
    if lost:
        yield CALLERS, (day, _stood(lost))


def _judged(requests: Sequence[Request]) -> str:
    """What became of a number that was never answered: its last request on the queue tells."""
    last = max(requests, key=lambda request: (request.opened_at, request.id))
    if last.closed_by == "recalled":
        return "recalled_reached"
    return "recalled_not_reached" if last.tried_at else "not_recalled"


def _stood(lost: Mapping[str, Sequence[Request]]) -> tuple[tuple[str, str], ...]:
    """Queues and outcomes, one pair a queue: those still open before all, then the last one closed."""
    waiting, ended = [], []
    for queue, requests in lost.items():
        closed = [(one.closed_at, one.id, one.closed_by) for one in requests if one.closed_at is not None]
        if len(closed) < len(requests):
            waiting.append((queue, "open"))
        else:
            ended.append((*max(closed), queue))
    last_first = sorted(ended, reverse=True)
    return (*sorted(waiting), *((queue, _ENDED.get(how, "closed")) for _, _, how, queue in last_first))


_ENDED: Mapping[str | None, str] = {"recalled": "called_back", "served": "served"}


def _day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
