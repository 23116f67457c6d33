"""Where do the sums of the days lie, and how are they kept? In the transaction of the facts that they add up.

All are of one time zone, that of the site; a site that moves to another has everything counted anew, once.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import AsyncConnection, sql

from richiamo_reporting.daily.cells import SUMS, Cell, Sums


def ddl(schema: str) -> Sequence[str]:
    """The statements that make the tables of sums in `schema`."""
    statements = [
        f"CREATE TABLE {schema}.daily_zone (one boolean PRIMARY KEY DEFAULT true CHECK (one), zone text NOT NULL)"
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


async def add(connection: AsyncConnection, schema: str, found: Counter[Cell]) -> None:
    """Add to the sums; a sum that comes to nothing is no row."""
    rows: dict[Sums, list[tuple[Any, ...]]] = defaultdict(list)
    for (sums, key), by in found.items():
        if by:
            rows[sums].append((*(json.dumps(part) if isinstance(part, tuple) else part for part in key), by))
    for sums, added in rows.items():
        await connection.execute(_merge(sums, schema), [list(column) for column in zip(*added, strict=True)])


async def begin_anew(connection: AsyncConnection, schema: str, zone: str) -> None:
    """Empty sums, of this zone from now on."""
    for name in ("daily_zone", *(sums.name for sums in SUMS)):
        await connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(schema, name)))
    await connection.execute(
        sql.SQL("INSERT INTO {} (zone) VALUES (%s)").format(sql.Identifier(schema, "daily_zone")), (zone,)
    )


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
