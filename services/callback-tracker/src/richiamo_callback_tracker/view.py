"""What must the tracker know of the log? Who ever lost a call, the clicks, and which facts are written."""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from richiamo_callback_tracker.matching import Dial
from richiamo_events.envelope import Recorded
from richiamo_events.history import whole_second
from richiamo_events.ids import CallerId, CallId, DialId
from richiamo_events.language import CallMissed, CallServed, Rank, RecallFailed, RecallStarted, RecallSucceeded
from richiamo_kit.errors import Unavailable

SCHEMA = "view_tracker"


class TrackerProjection:
    """Fills the view."""

    def __init__(self, schema: str = SCHEMA) -> None:
        self.schema = schema

    def ddl(self) -> Sequence[str]:
        dials = (
            "dial_id text PRIMARY KEY, caller_id text NOT NULL, extension text NOT NULL,"
            " clicked_at timestamptz NOT NULL, pbx text, unique_id text"
        )
        return (
            f"CREATE TABLE {self.schema}.losers_v1 (caller_id text PRIMARY KEY)",
            f"CREATE TABLE {self.schema}.written_v1 (event_id text PRIMARY KEY)",
            f"CREATE TABLE {self.schema}.dials_v1 ({dials})",
            f"CREATE INDEX ON {self.schema}.dials_v1 (extension, clicked_at)",
        )

    async def start(self, connection: AsyncConnection) -> None:
        """Nothing is kept in memory."""

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        lost: set[str] = set()
        written: set[str] = set()
        dials: list[tuple[object, ...]] = []
        matches: list[tuple[object, ...]] = []
        for event in batch:
            match event.data:
                case CallMissed(caller=caller) if caller is not None:
                    lost.add(caller)
                case RecallStarted() as started:
                    clicked_at = whole_second(event.occurred_at)
                    dials.append((started.dial, started.caller, started.extension, clicked_at))
                case CallServed(rank=rank) if rank >= Rank.SUMMARY:
                    written.add(event.id)
                case (RecallSucceeded() | RecallFailed()) as recall if recall.call is not None:
                    written.add(event.id)
                    if recall.dial is not None:
                        matches.append((recall.call.pbx, recall.call.unique_id, recall.dial))
                case _:
                    pass
        async with connection.cursor() as cursor:
            await cursor.execute(self._statement(_LOSER), (sorted(lost),))
            await cursor.execute(self._statement(_WRITTEN), (sorted(written),))
            await cursor.executemany(self._statement(_DIAL), dials)
            await cursor.executemany(self._statement(_MATCH), matches)
        return set()

    def _statement(self, template: str) -> sql.Composed:
        return sql.SQL(template).format(schema=sql.Identifier(self.schema))


_LOSER = "INSERT INTO {schema}.losers_v1 (caller_id) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_WRITTEN = "INSERT INTO {schema}.written_v1 (event_id) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_DIAL = (
    "INSERT INTO {schema}.dials_v1 (dial_id, caller_id, extension, clicked_at) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT DO NOTHING"
)
_MATCH = "UPDATE {schema}.dials_v1 SET pbx = %s, unique_id = %s WHERE dial_id = %s"


class TrackerView:
    """Asks the view. Every method raises `Unavailable` when PostgreSQL does not answer."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def ever_lost(self, callers: Collection[CallerId]) -> set[CallerId]:
        rows = await self._ask("SELECT caller_id FROM view_tracker.losers_v1 WHERE caller_id = ANY(%s)", list(callers))
        return {CallerId(row[0]) for row in rows}

    async def written(self, events: Collection[str]) -> set[str]:
        rows = await self._ask("SELECT event_id FROM view_tracker.written_v1 WHERE event_id = ANY(%s)", list(events))
        return {row[0] for row in rows}

    async def dials(
        self, extensions: Collection[str], since: datetime, until: datetime, named: Collection[str] = ()
    ) -> list[Dial]:
        """The clicks of these extensions in this time, both ends included, and those that a call's id names."""
        rows = await self._ask(
            "SELECT dial_id, extension, caller_id, clicked_at, pbx, unique_id FROM view_tracker.dials_v1"
            " WHERE extension = ANY(%s) AND clicked_at BETWEEN %s AND %s OR dial_id = ANY(%s)",
            list(extensions),
            since,
            until,
            list(named),
        )
        return [
            Dial(
                id=DialId(dial),
                extension=extension,
                caller=CallerId(caller),
                clicked_at=clicked_at,
                matched=CallId(pbx, unique_id) if pbx else None,
            )
            for dial, extension, caller, clicked_at, pbx, unique_id in rows
        ]

    async def _ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(statement.encode(), values)
                return await cursor.fetchall()
        except (psycopg.Error, PoolTimeout, OSError) as error:
            raise Unavailable(f"the tracker's view does not answer: {type(error).__name__}") from error
