"""Over which days, with which filters and as of when is a report asked? The frame that all queries share."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

_EVERYTHING = datetime(9999, 1, 1, tzinfo=UTC)
"""After every recorded instant: with it the newest versions are seen, whatever the clocks say."""
_AS_RECORDED = re.compile(r"(\w+\.)?recorded_from <= %\(recorded\)s AND (?:\w+\.)?recorded_to > %\(recorded\)s")


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """00:00 of a site day as an instant in UTC; days are 23 and 25 hours long twice a year (`domain.md` rule 12)."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The instant as of which a report is asked.

    What had been *recorded* by it counts (inclusive), and of that, outcomes look only at what *happened*
    strictly before it. A report of now sees everything recorded, also what a PBX whose clock runs ahead dates
    a little later than ours: else the lists would say *closed* and the reports *open* (decision 7).
    """

    instant: datetime
    is_now: bool

    @property
    def recorded(self) -> datetime:
        return _EVERYTHING if self.is_now else self.instant

    @property
    def happened(self) -> datetime:
        """Outcomes look at what happened strictly before this; a report of now trusts the PBX's clock."""
        return self.recorded


@dataclass(frozen=True, slots=True)
class Period:
    """The site days from `first` to `last`, both included, as of an instant."""

    first: date
    last: date
    zone: ZoneInfo
    as_of: AsOf

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def edges(self) -> list[datetime]:
        """The starts of all days, and the end of the last."""
        return [start_of(day, self.zone) for day in [*self.days, self.last + timedelta(days=1)]]

    @property
    def ends(self) -> list[datetime]:
        """`eod(d)` of each day: the earlier of the end of d and `as_of`."""
        return [min(edge, self.as_of.happened) for edge in self.edges[1:]]

    def of(self, first: date, last: date) -> "Period":
        return replace(self, first=first, last=last)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which requests and calls count. None: all."""

    queues: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None

    def limited_to(self, allowed: Sequence[str]) -> "Filters":
        """These filters for a user who may see only some queues; none named means all."""
        if not allowed:
            return self
        wanted = tuple(allowed) if self.queues is None else tuple(queue for queue in self.queues if queue in allowed)
        return replace(self, queues=wanted)


@dataclass(frozen=True, slots=True)
class Frame:
    """One question: a period and its filters."""

    period: Period
    filters: Filters = Filters()

    def over(self, first: date, last: date) -> "Frame":
        return replace(self, period=self.period.of(first, last))

    def parameters(self) -> dict[str, Any]:
        """The parameters that every query knows.

        `first`, `last`: the days themselves; `edges`: starts of the days and the end of the last; `ends`: `eod` of each day; `starting`, `ending`:
        of the whole period; `opening`: its start, or `as_of` if that is earlier; `eod`: of its last day, which is
        `eod_on`; `as_of`: what happened before it counts; `recorded`: what to know; `instant`: when it is.
        """
        edges, ends = self.period.edges, self.period.ends
        return {
            "first": self.period.first,
            "last": self.period.last,
            "edges": edges,
            "ends": ends,
            "starting": edges[0],
            "ending": edges[-1],
            "opening": min(edges[0], self.period.as_of.happened),
            "eod": ends[-1],
            "eod_on": self.period.last,
            "as_of": self.period.as_of.happened,
            "instant": self.period.as_of.instant,
            "recorded": self.period.as_of.recorded,
            "queues": None if self.filters.queues is None else list(self.filters.queues),
            "types": None if self.filters.types is None else list(self.filters.types),
        }


def _standing(query: str, parameters: dict[str, Any]) -> str:
    """A report of now is asked with the one condition that the indexes of standing versions know."""
    if parameters.get("recorded") == _EVERYTHING:
        return _AS_RECORDED.sub(r"\1recorded_to = 'infinity'", query)
    return query


class Snapshot:
    """The view at one moment: every query of a report sees the same rows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self, query: str, parameters: dict[str, Any]) -> list[DictRow]:
        """Every row at once."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_standing(query, parameters).encode(), parameters)
            return await cursor.fetchall()

    async def pages(self, query: str, parameters: dict[str, Any], size: int) -> AsyncIterator[list[DictRow]]:
        """Every row, `size` at a time, of a query of any length."""
        async with self._connection.cursor(name="pages", row_factory=dict_row) as cursor:
            await cursor.execute(_standing(query, parameters).encode(), parameters)
            while page := await cursor.fetchmany(size):
                yield page

    async def one(self, query: str, parameters: dict[str, Any]) -> DictRow:
        """The only row of a query that always has one."""
        found = await self.all(query, parameters)
        assert len(found) == 1
        return found[0]


@asynccontextmanager
async def snapshot(pool: AsyncConnectionPool, schema: str) -> AsyncIterator[Snapshot]:
    """A read-only transaction in which table names mean those of `schema`."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Compiling a query takes longer than most of them run; sorts of a year fit into memory.
        await connection.execute(
            "SELECT set_config('search_path', %s, true), set_config('jit', 'off', true), "
            "set_config('work_mem', '64MB', true), set_config('random_page_cost', '1.1', true)",
            (schema,),
        )
        yield Snapshot(connection)


KNOWN_REQUESTS = """
known AS NOT MATERIALIZED (
    SELECT * FROM request
    WHERE recorded_from <= %(recorded)s AND recorded_to > %(recorded)s
      AND (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
      AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s::text[]))
)
"""
"""The requests that the frame lets through, as they were known: the first part of most queries."""

LOST_CALLS = """
lost AS (
    SELECT *, width_bucket(called_at, %(edges)s::timestamptz[]) AS nth FROM missed_call
    WHERE recorded_from <= %(recorded)s AND recorded_to > %(recorded)s
      AND (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
      AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s::text[]))
      AND called_at >= %(starting)s AND called_at < %(ending)s
)
"""
"""The missed calls of the period, each with the number of its day, from 1."""


def share(part: int, whole: int) -> float | None:
    """A fraction from 0 to 1; of nothing there is none."""
    return part / whole if whole else None
