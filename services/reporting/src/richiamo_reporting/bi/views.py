"""How is the BI schema kept? Views in `bi` over the facts, made again whenever they are missing or of another shape."""

import hashlib

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from richiamo_kit.analysts import STAR_ROLE, let_read
from richiamo_reporting.bi.catalogue import VIEWS, View

SCHEMA = "bi"
_LOCK = 0x5269_6368_6269


async def ensure_bi(pool: AsyncConnectionPool, view_schema: str, site_timezone: str) -> bool:
    """Make schema, views and comments, and open them to the analysts' role; whether views had to be made.

    Without that role the views are there all the same; made later, it may read after the next look.
    """
    shape = hashlib.sha256(repr((VIEWS, view_schema, site_timezone)).encode()).hexdigest()
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        standing = await _stands(connection, shape)
        if not standing:
            await _make_all(connection, view_schema, site_timezone, shape)
        await let_read(connection, SCHEMA, STAR_ROLE)
    return not standing


async def _make_all(connection: AsyncConnection, view_schema: str, site_timezone: str, shape: str) -> None:
    await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SCHEMA)))
    await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
    for view in VIEWS:
        await _make(connection, view, view_schema, site_timezone)
    await connection.execute(
        sql.SQL("COMMENT ON SCHEMA {} IS {}").format(
            sql.Identifier(SCHEMA),
            sql.Literal(
                "Richiamo for analysts: a star of facts and dimensions. A column is never renamed or retyped "
                f"inside a major version. Shape {shape}"
            ),
        )
    )


async def _stands(connection: AsyncConnection, shape: str) -> bool:
    found = await connection.execute(
        "SELECT obj_description(n.oid, 'pg_namespace') FROM pg_namespace n WHERE n.nspname = %s", (SCHEMA,)
    )
    row = await found.fetchone()
    if row is None or not str(row[0]).endswith(f"Shape {shape}"):
        return False
    found = await connection.execute(
        "SELECT count(*) FROM pg_views WHERE schemaname = %s AND viewname = ANY(%s)",
        (SCHEMA, [view.name for view in VIEWS]),
    )
    row = await found.fetchone()
    return row is not None and row[0] == len(VIEWS)


async def _make(connection: AsyncConnection, view: View, view_schema: str, site_timezone: str) -> None:
    name = sql.Identifier(SCHEMA, view.name)
    body = view.query.replace("{facts}", view_schema).replace("{zone}", site_timezone.replace("'", "''"))
    columns = sql.SQL(", ").join(sql.Identifier(column) for column, _ in view.columns)
    await connection.execute(sql.SQL("CREATE VIEW {} ({}) AS {}").format(name, columns, sql.SQL(body)))
    await connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(view.comment)))
    for column, comment in view.columns:
        await connection.execute(
            sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(name, sql.Identifier(column), sql.Literal(comment))
        )
