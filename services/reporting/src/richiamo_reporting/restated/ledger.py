# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""How is kept what restated a day? One entry a run of late records, written in the batch's own transaction.

Late records that follow one another within ten minutes are one entry: an import of history, or what a spool held
back. A run is cut by the records' own instants, so a rebuild finds the same entries; within an entry the changes
are summed by the minute, so that an earlier `as_of` sees only those recorded by then, to the minute.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from psycopg import AsyncConnection, sql

from richiamo_events.envelope import Recorded
from richiamo_events.language import CallFlushed, FlushUndone
from richiamo_events.wire import type_of
from richiamo_reporting.restated.changes import FIGURES, Change

_ONE_RUN = timedelta(minutes=10)

DDL = (
    "CREATE TABLE {schema}.restatement (entry_at timestamptz NOT NULL, minute timestamptz NOT NULL, day date NOT NULL, "
    "queue text NOT NULL, type text NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL, changes int NOT NULL, "
    "kind text NOT NULL, record text NOT NULL, "
    + ", ".join(f"{figure} int NOT NULL" for figure in FIGURES)
    + ", PRIMARY KEY (day, entry_at, minute, queue, type))"
)
_COLUMNS = ("entry_at", "minute", "day", "queue", "type", "first_at", "last_at", "changes", "kind", "record", *FIGURES)
_WRITE = (
    f"INSERT INTO {{table}} AS held ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "
    "ON CONFLICT (day, entry_at, minute, queue, type) DO UPDATE SET last_at = excluded.last_at, "
    + ", ".join(f"{name} = held.{name} + excluded.{name}" for name in ("changes", *FIGURES))
)


@dataclass
class _Sum:
    first_at: datetime
    last_at: datetime
    kind: str
    record: str
    changes: int = 0
    by: Counter[str] = field(default_factory=Counter)


class Ledger:
    """What one batch restates; `run` is the entry that late records of before may still belong to."""

    def __init__(self, run: tuple[datetime, datetime] | None) -> None:
        self.run = run
        self._sums: dict[tuple[datetime, datetime, date, str, str], _Sum] = {}

    def take(self, event: Recorded, at: datetime, changes: Counter[Change]) -> None:
        """The changes that an event recorded `at` made to settled days; none is no late record."""
        if not changes:
            return
        entry = at if self.run is None or at - self.run[1] > _ONE_RUN else self.run[0]
        self.run = (entry, at)
        minute = at.replace(second=0, microsecond=0)
        touched = {change[:3] for change in changes}
        for day, queue, kind in touched:
            held = self._sums.setdefault(
                (entry, minute, day, queue, kind), _Sum(at, at, type_of(event.data), record_of(event))
            )
            held.last_at = at
            # A call that was answered and closed a request is one record: counted with the request.
            if kind or not any(other[:2] == (day, queue) and other[2] for other in touched):
                held.changes += 1
        for (day, queue, kind, figure), by in changes.items():
            self._sums[entry, minute, day, queue, kind].by[figure] += by

    async def write(self, connection: AsyncConnection, schema: str) -> None:
        """Add the sums to the table, in the transaction that is open."""
        rows = [
            (
                *key,
                held.first_at,
                held.last_at,
                held.changes,
                held.kind,
                held.record,
                *map(held.by.__getitem__, FIGURES),
            )
            for key, held in self._sums.items()
        ]
        if rows:
            statement = sql.SQL(_WRITE).format(table=sql.Identifier(schema, "restatement"))
            async with connection.cursor() as cursor:
                await cursor.executemany(statement, rows)


async def last_run(connection: AsyncConnection, schema: str) -> tuple[datetime, datetime] | None:
    """The entry that the newest late record belongs to, and when that was recorded."""
    found = await connection.execute(
        sql.SQL("SELECT entry_at, last_at FROM {} ORDER BY last_at DESC LIMIT 1").format(
            sql.Identifier(schema, "restatement")
        )
    )
    return await found.fetchone()


def record_of(event: Recorded) -> str:
    """The record because of which something changed: its call, or the flush."""
    if isinstance(event.data, CallFlushed | FlushUndone):
        return str(event.data.flush)
    return str(getattr(event.data, "call", "") or "")
