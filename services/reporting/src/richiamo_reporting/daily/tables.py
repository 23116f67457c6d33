"""Where do the sums of the days lie, and how are they kept? In the transaction of the facts that they add up.

All are of one time zone, that of the site; a site that moves to another has everything counted anew, once. Beside the
sums stands, day by day, when they last changed: before that, only the facts know what was known.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, LiteralString

from psycopg import AsyncConnection, sql

from richiamo_reporting.daily.cells import SUMS, Cell, Sums


def ddl(schema: str) -> Sequence[str]:
    """The statements that make the tables of sums in `schema`."""
    statements = [
        f"""CREATE TABLE {schema}.daily_zone (
            one boolean PRIMARY KEY DEFAULT true CHECK (one), zone text NOT NULL, since timestamptz NOT NULL
        )""",
        f"CREATE TABLE {schema}.daily_changed (day date PRIMARY KEY, changed_at timestamptz NOT NULL)",
    ]
    for sums in SUMS:
        columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in sums.columns)
        key = ", ".join(name for name, _ in sums.columns)
        statements.append(
            f"CREATE TABLE {schema}.{sums.name} ({columns}, n int NOT NULL CHECK (n <> 0), PRIMARY KEY ({key}))"
        )
    statements.append(f"CREATE INDEX ON {schema}.daily_requests (closed_on)")
    return statements


async def zone_of(connection: AsyncConnection, schema: str) -> str | None:
    """The time zone of the sums; None before anything was counted."""
    found = await connection.execute(sql.SQL("SELECT zone FROM {}").format(sql.Identifier(schema, "daily_zone")))
    row = await found.fetchone()
    return row[0] if row else None


class Shares:
    """What one batch adds to the sums, and when it changed which days."""

    def __init__(self) -> None:
        self.found: Counter[Cell] = Counter()
        self.changed: dict[date, datetime] = {}
        self.anew_since: datetime | None = None
        """Set when all has to be counted anew: before this instant the new sums know nothing."""

    def take(self, cells: Iterable[tuple[Cell, int]], known_after: datetime) -> None:
        """Take what a step adds; from after `known_after` on, every question counts it."""
        for cell, by in cells:
            self.found[cell] += by
            for day in cell[0].days(cell[1]):
                self.changed[day] = max(self.changed.get(day, known_after), known_after)

    def begin_anew(self, at: datetime) -> None:
        """The site has moved: what follows is of another zone."""
        self.anew_since = max(at, self.anew_since or at, *self.changed.values())
        self.changed.clear()


async def add(connection: AsyncConnection, schema: str, found: Mapping[Cell, int]) -> None:
    """Add to the sums; a sum that comes to nothing is no row."""
    rows: dict[Sums, list[tuple[Any, ...]]] = defaultdict(list)
    for (sums, key), by in found.items():
        if by:
            rows[sums].append((*(json.dumps(part) if isinstance(part, tuple) else part for part in key), by))
    for sums, added in rows.items():
        await connection.execute(_merge(sums, schema), [list(column) for column in zip(*added, strict=True)])


async def note(connection: AsyncConnection, schema: str, changed: Mapping[date, datetime]) -> None:
    """Write when days changed; the latest instant of each stands."""
    if not changed:
        return
    await connection.execute(
        sql.SQL(
            "INSERT INTO {} AS held (day, changed_at) SELECT * FROM unnest(%s::date[], %s::timestamptz[]) "
            "ON CONFLICT (day) DO UPDATE SET changed_at = greatest(held.changed_at, excluded.changed_at)"
        ).format(sql.Identifier(schema, "daily_changed")),
        (list(changed), list(changed.values())),
    )


async def begin_anew(connection: AsyncConnection, schema: str, zone: str, since: datetime) -> None:
    """Empty sums, of this zone from now on; they know nothing of before `since`, nor of before what they held."""
    zones, changed = sql.Identifier(schema, "daily_zone"), sql.Identifier(schema, "daily_changed")
    found = await connection.execute(
        sql.SQL("SELECT greatest(%s::timestamptz, (SELECT since FROM {}), (SELECT max(changed_at) FROM {}))").format(
            zones, changed
        ),
        (since,),
    )
    row = await found.fetchone()
    assert row is not None
    for table in (zones, changed, *(sql.Identifier(schema, sums.name) for sums in SUMS)):
        await connection.execute(sql.SQL("DELETE FROM {}").format(table))
    await connection.execute(sql.SQL("INSERT INTO {} (zone, since) VALUES (%s, %s)").format(zones), (zone, row[0]))


_MERGE: LiteralString = (
    "MERGE INTO {table} AS held USING unnest({arrays}) AS new ({columns}, n) ON ({held}) = ({new}) "
    "WHEN MATCHED AND held.n + new.n = 0 THEN DELETE "
    "WHEN MATCHED THEN UPDATE SET n = held.n + new.n "
    "WHEN NOT MATCHED THEN INSERT ({columns}, n) VALUES ({new}, new.n)"
)


def _merge(sums: Sums, schema: str) -> sql.Composed:
    names = [name for name, _ in sums.columns]
    return sql.SQL(_MERGE).format(
        table=sql.Identifier(schema, sums.name),
        arrays=sql.SQL(", ").join(
            sql.SQL("%s::{}[]").format(sql.SQL(kind)) for kind in [*(kind for _, kind in sums.columns), "int"]
        ),
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        held=sql.SQL(", ").join(sql.Identifier("held", name) for name in names),
        new=sql.SQL(", ").join(sql.Identifier("new", name) for name in names),
    )
