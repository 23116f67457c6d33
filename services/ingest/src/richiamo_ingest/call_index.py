"""Under which caller is a call in the log already? Looked up before anything about it is stored.

A call id already in the log is never written under another caller (`domain.md`, Privacy), so that the
records of an erased caller, sent again, lead to no new directory entry.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallMissed, CallServed, CallVoided, RecallFailed, RecallSucceeded
from richiamo_kit.errors import Unavailable
from richiamo_kit.gathering import Gathering

SCHEMA = "view_calls"
_REMEMBERED = 50_000
_BRIDGED = 120.0
"""Seconds for which what was just written stands above the view: far longer than the view ever lags."""


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call that the log holds; `caller` None: as withheld. `events` are the ids of its facts."""

    caller: CallerId | None
    events: frozenset[str]


class CallIndex(Protocol):
    """Answers for many calls at once. Every method raises `Unavailable` when it cannot tell."""

    async def known(self, calls: Collection[CallId]) -> dict[CallId, KnownCall]: ...

    async def ever_lost(self, callers: Collection[CallerId]) -> set[CallerId]: ...

    def remember(self, call: CallId, caller: CallerId | None, event: str, *, lost: bool) -> None:
        """What this process has just written: known here before the view has read it."""
        ...


class MemoryCallIndex:
    """The twin that knows only what it was told, and the bridge over the view's delay."""

    def __init__(self, most: int = _REMEMBERED, seconds: float = math.inf) -> None:
        self._most = most
        self._seconds = seconds
        self._calls: OrderedDict[CallId, tuple[float, KnownCall]] = OrderedDict()
        self._lost: OrderedDict[CallerId, None] = OrderedDict()

    async def known(self, calls: Collection[CallId]) -> dict[CallId, KnownCall]:
        since = time.monotonic() - self._seconds
        found = {call: self._calls[call] for call in calls if call in self._calls}
        return {call: known for call, (at, known) in found.items() if at >= since}

    async def ever_lost(self, callers: Collection[CallerId]) -> set[CallerId]:
        return {caller for caller in callers if caller in self._lost}

    def remember(self, call: CallId, caller: CallerId | None, event: str, *, lost: bool) -> None:
        _, old = self._calls.pop(call, (0.0, KnownCall(None, frozenset())))
        self._calls[call] = time.monotonic(), KnownCall(caller or old.caller, old.events | {event})
        if lost and caller is not None:
            self._lost[caller] = None
        for held in (self._calls, self._lost):
            while len(held) > self._most:
                held.popitem(last=False)


class DatabaseCallIndex:
    """The view, with what was just written on top of it."""

    def __init__(self, pool: AsyncConnectionPool, *, within: float = 1.0) -> None:
        self._pool = pool
        self._within = within
        self._recent = MemoryCallIndex(seconds=_BRIDGED)
        self._single = Gathering(self._known_each)

    async def known(self, calls: Collection[CallId]) -> dict[CallId, KnownCall]:
        if len(calls) == 1:
            # Customers who hang up at the same time share a statement.
            (call,) = calls
            one = await self._single.ask(call)
            found = {call: one} if one else {}
        else:
            found = await self._known_in_view(calls)
        for call, recent in (await self._recent.known(calls)).items():
            old = found.get(call)
            found[call] = KnownCall(
                (old.caller if old else None) or recent.caller, recent.events | (old.events if old else frozenset())
            )
        return found

    async def _known_each(self, calls: Sequence[CallId]) -> list[KnownCall | None]:
        found = await self._known_in_view(set(calls))
        return [found.get(call) for call in calls]

    async def _known_in_view(self, calls: Collection[CallId]) -> dict[CallId, KnownCall]:
        rows = await self._ask(
            f"SELECT c.pbx, c.unique_id, c.caller_id, c.events FROM {SCHEMA}.calls_v1 c"  # noqa: S608
            " JOIN unnest(%s::text[], %s::text[]) AS w (pbx, unique_id) USING (pbx, unique_id)",
            [call.pbx for call in calls],
            [call.unique_id for call in calls],
        )
        return {
            CallId(pbx, uid): KnownCall(caller and CallerId(caller), frozenset(ids)) for pbx, uid, caller, ids in rows
        }

    async def ever_lost(self, callers: Collection[CallerId]) -> set[CallerId]:
        if not callers:
            return set()
        rows = await self._ask(
            f"SELECT caller_id FROM {SCHEMA}.losers_v1 WHERE caller_id = ANY(%s::text[])",  # noqa: S608
            list(callers),
        )
        return {CallerId(row[0]) for row in rows} | await self._recent.ever_lost(callers)

    def remember(self, call: CallId, caller: CallerId | None, event: str, *, lost: bool) -> None:
        self._recent.remember(call, caller, event, lost=lost)

    async def _ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            async with asyncio.timeout(self._within), self._pool.connection(timeout=self._within) as connection:
                cursor = await connection.execute(statement.encode(), values)
                return await cursor.fetchall()
        except (psycopg.Error, PoolTimeout, TimeoutError, OSError) as error:
            raise Unavailable(f"the index of calls does not answer: {type(error).__name__}") from error


class CallIndexProjection:
    """Fills the view: a row for each call of which the log holds a fact, and the callers that ever lost one."""

    def __init__(self, schema: str = SCHEMA) -> None:
        self.schema = schema

    def ddl(self) -> Sequence[str]:
        calls = "pbx text NOT NULL, unique_id text NOT NULL, caller_id text, events text[] NOT NULL"
        return (
            f"CREATE TABLE {self.schema}.calls_v1 ({calls}, PRIMARY KEY (pbx, unique_id))",
            f"CREATE TABLE {self.schema}.losers_v1 (caller_id text PRIMARY KEY)",
        )

    async def start(self, connection: AsyncConnection) -> None:
        """Nothing is kept in memory."""

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        async with connection.cursor() as cursor:
            for run in _runs(batch):
                if isinstance(run, CallVoided):
                    await cursor.execute(self._statement(_FORGET), (run.call.pbx, run.call.unique_id, run.caller))
                else:
                    rows = [
                        (call.pbx, call.unique_id, known.caller, event)
                        for call, known in run.items()
                        for event in sorted(known.events)
                    ]
                    await cursor.execute(self._statement(_KEEP), [list(column) for column in zip(*rows, strict=True)])
            lost = {event.data.caller for event in batch if isinstance(event.data, CallMissed) and event.data.caller}
            await cursor.execute(self._statement(_LOSER), (sorted(lost),))
        return set()

    def _statement(self, template: str) -> sql.Composed:
        return sql.SQL(template).format(schema=sql.Identifier(self.schema))


_KEEP = (
    "INSERT INTO {schema}.calls_v1 AS c (pbx, unique_id, caller_id, events)"
    " SELECT pbx, unique_id, max(caller_id), array_agg(event ORDER BY event)"
    " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS n (pbx, unique_id, caller_id, event)"
    " GROUP BY pbx, unique_id"
    " ON CONFLICT (pbx, unique_id) DO UPDATE SET caller_id = coalesce(c.caller_id, excluded.caller_id),"
    " events = ARRAY(SELECT DISTINCT unnest(c.events || excluded.events) AS event ORDER BY event)"
)
_FORGET = "DELETE FROM {schema}.calls_v1 WHERE pbx = %s AND unique_id = %s AND caller_id IS NOT DISTINCT FROM %s"
_LOSER = "INSERT INTO {schema}.losers_v1 (caller_id) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"


def _runs(batch: Iterable[Recorded]) -> Iterable[CallVoided | Mapping[CallId, KnownCall]]:
    """The batch as stretches of facts, each one row a call, with the voids between them in their place."""
    rows: dict[CallId, KnownCall] = {}
    for event in batch:
        match event.data:
            case CallVoided() as void:
                if rows:
                    yield rows
                    rows = {}
                yield void
            case CallMissed() | CallServed() | RecallSucceeded() | RecallFailed() as fact if fact.call is not None:
                old = rows.get(fact.call, KnownCall(None, frozenset()))
                rows[fact.call] = KnownCall(old.caller or fact.caller, old.events | {event.id})
            case _:
                pass
    if rows:
        yield rows
