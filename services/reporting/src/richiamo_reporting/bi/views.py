# ruff: noqa: S608 - statements put together from constants of ours.
"""How is the BI schema kept? Views in `bi` over the facts, made again whenever they are missing or of another shape."""

import hashlib

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from richiamo_kit.analysts import NUMBERS_ROLE, STAR_ROLE
from richiamo_reporting.bi.catalogue import VIEWS, View

SCHEMA = "bi"
NUMBERS = "bi_numbers"
_DIRECTORY_VIEW = "view_worklist.number"
"""The one table of numbers that PostgreSQL holds; what is erased is gone from it at once (decision 25)."""
_LOCK = 0x5269_6368_6269


async def ensure_bi(pool: AsyncConnectionPool, view_schema: str, site_timezone: str) -> bool:
    """Make schema, views and comments, and open them to the analysts' roles; whether views had to be made.

    Without those roles the views are there all the same; made later, they may read after the next look.
    """
    shape = hashlib.sha256(repr((VIEWS, view_schema, site_timezone)).encode()).hexdigest()
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await _ensure_numbers(connection)
        standing = await _stands(connection, shape)
        if not standing:
            await _make_all(connection, view_schema, site_timezone, shape)
        await _let_read(connection, SCHEMA, STAR_ROLE)
        await _let_read(connection, NUMBERS, NUMBERS_ROLE)
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


async def _let_read(connection: AsyncConnection, name: str, reader: str) -> None:
    """Open every view of the schema to the role, where there is such a role and it does not read them all yet."""
    closed = await connection.execute(
        "SELECT FROM pg_roles r JOIN pg_class c ON c.relnamespace = to_regnamespace(%s) AND c.relkind = 'v' "
        "WHERE r.rolname = %s AND NOT (has_schema_privilege(r.oid, c.relnamespace, 'USAGE') "
        "AND has_table_privilege(r.oid, c.oid, 'SELECT')) LIMIT 1",
        (name, reader),
    )
    if await closed.fetchone() is None:
        return
    schema, role = sql.Identifier(name), sql.Identifier(reader)
    await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role))
    await connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, role))


async def _ensure_numbers(connection: AsyncConnection) -> None:
    """The view of numbers in a schema of its own, for whoever has the further role as well.

    It goes when the service makes the view anew that it stands on, and comes back with the next look.
    """
    found = await connection.execute(
        "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NULL",
        (_DIRECTORY_VIEW, f"{NUMBERS}.dim_caller_number"),
    )
    row = await found.fetchone()
    if row is None or not row[0]:
        return
    for statement in (
        "CREATE SCHEMA IF NOT EXISTS {schema}",
        f"CREATE VIEW {{schema}}.dim_caller_number AS SELECT caller_id, number FROM {_DIRECTORY_VIEW}",
        "COMMENT ON VIEW {schema}.dim_caller_number IS 'One row a customer who ever lost a call and was not erased.'",
        "COMMENT ON COLUMN {schema}.dim_caller_number.caller_id IS 'The caller''s opaque id (bi.dim_caller).'",
        "COMMENT ON COLUMN {schema}.dim_caller_number.number IS 'The phone number, E.164 where it has that form.'",
    ):
        await connection.execute(sql.SQL(statement).format(schema=sql.Identifier(NUMBERS)))
