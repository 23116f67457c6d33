"""Does a view say what the log says? Compared with one folded beside it, as of one position, while both go on.

What the running view says at a position is kept as one hash a row, which takes no lock that anybody would notice; the
other view is then brought to exactly that position.
"""

from psycopg import AsyncConnection, sql

from richiamo_kit.errors import Problem
from richiamo_kit.projector import Projector

_TABLES = """
SELECT table_name FROM information_schema.tables a JOIN information_schema.tables b USING (table_name)
WHERE a.table_schema = %s AND b.table_schema = %s AND a.table_type = 'BASE TABLE' AND table_name <> 'checkpoint'
"""
_KEEP = "CREATE TEMPORARY TABLE {kept} AS SELECT hashtextextended(t::text, 0) AS said FROM {running} t"
_COUNT = """
SELECT count(*) FROM (
    (SELECT said FROM {kept} EXCEPT ALL SELECT hashtextextended(t::text, 0) FROM {beside} t)
    UNION ALL (SELECT hashtextextended(t::text, 0) FROM {beside} t EXCEPT ALL SELECT said FROM {kept})
) AS different
"""


async def position_of(connection: AsyncConnection, schema: str) -> int:
    """How far a running view is. Raises `Problem` when nobody has made it yet."""
    there = await (await connection.execute("SELECT to_regclass(%s)", (f"{schema}.checkpoint",))).fetchone()
    if there is None or there[0] is None:
        raise Problem(409, "no-running-view", f"The view {schema} was not made yet: start the system first.")
    found = await connection.execute(sql.SQL("SELECT position FROM {}.checkpoint").format(sql.Identifier(schema)))
    row = await found.fetchone()
    return int(row[0]) if row is not None else 0


async def differences(connection: AsyncConnection, running: str, beside: str, projector: Projector) -> dict[str, int]:
    """Rows that are in one of the two schemas only, by table; empty when both say the same.

    `connection` commits by itself; `projector` fills `beside`, has made its tables, and is not ahead of `running`.
    """
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        position = await position_of(connection, running)
        tables = [row[0] for row in await (await connection.execute(_TABLES, (running, beside))).fetchall()]
        for table in tables:
            await connection.execute(sql.SQL(_KEEP).format(kept=_kept(table), running=sql.Identifier(running, table)))
    await projector.catch_up(until=position)
    found: dict[str, int] = {}
    for table in tables:
        counted = await connection.execute(
            sql.SQL(_COUNT).format(kept=_kept(table), beside=sql.Identifier(beside, table))
        )
        row = await counted.fetchone()
        if row is not None and row[0]:
            found[table] = row[0]
        await connection.execute(sql.SQL("DROP TABLE {}").format(_kept(table)))
    return found


def _kept(table: str) -> sql.Identifier:
    return sql.Identifier("pg_temp", f"said_{table}")
