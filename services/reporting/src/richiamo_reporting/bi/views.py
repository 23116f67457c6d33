# ruff: noqa: S608 - statements put together from constants of ours.
"""How is the BI schema kept? Views in `bi` over the facts, made again whenever they are missing or of another shape."""

import hashlib

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from richiamo_reporting.bi.catalogue import VIEWS, View

SCHEMA = "bi"
ROLE = "richiamo_bi"
NUMBERS = "bi_numbers"
NUMBERS_ROLE = "richiamo_bi_numbers"
_DIRECTORY_VIEW = "view_worklist.number"
"""The one table of numbers that PostgreSQL holds; what is erased is gone from it at once (decision 25)."""
_LIMITS = (
    "ALTER ROLE {role} CONNECTION LIMIT 10",
    "ALTER ROLE {role} SET statement_timeout = '60s'",
    "ALTER ROLE {role} SET idle_in_transaction_session_timeout = '60s'",
    "ALTER ROLE {role} SET default_transaction_read_only = on",
)
_LOCK = 0x5269_6368_6269


async def ensure_bi(pool: AsyncConnectionPool, view_schema: str, site_timezone: str) -> bool:
    """Make schema, views, comments and the reading role; whether anything had to be made.

    The role is made when the database user may; without that right the views are there all the same.
    """
    shape = hashlib.sha256(repr((VIEWS, view_schema, site_timezone)).encode()).hexdigest()
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await _ensure_numbers(connection)
        if await _stands(connection, shape):
            return False
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
        await _let_read(connection)
    return True


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


async def _let_read(connection: AsyncConnection) -> None:
    if not await _roles(connection):
        return
    role, schema = sql.Identifier(ROLE), sql.Identifier(SCHEMA)
    for limit in _LIMITS:
        await connection.execute(sql.SQL(limit).format(role=role))
    await connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role))
    await connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, role))


async def _roles(connection: AsyncConnection) -> bool:
    """Make the two roles that are not there; whether this user may give them rights."""
    found = await connection.execute(
        "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user",
    )
    row = await found.fetchone()
    if row is None or not row[0]:
        return False
    for name in (ROLE, NUMBERS_ROLE):
        there = await connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,))
        if await there.fetchone() is None:
            await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
    return True


async def _ensure_numbers(connection: AsyncConnection) -> None:
    """The view of numbers in a schema of its own, for whoever has the further role as well.

    It goes when the service makes the view anew that it stands on, and comes back with the next look.
    """
    found = await connection.execute(
        "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NULL",
        (_DIRECTORY_VIEW, f"{NUMBERS}.dim_caller_number"),
    )
    row = await found.fetchone()
    if row is None or not row[0] or not await _roles(connection):
        return
    schema, role = sql.Identifier(NUMBERS), sql.Identifier(NUMBERS_ROLE)
    for statement in (
        "CREATE SCHEMA IF NOT EXISTS {schema}",
        f"CREATE VIEW {{schema}}.dim_caller_number AS SELECT caller_id, number FROM {_DIRECTORY_VIEW}",
        "COMMENT ON VIEW {schema}.dim_caller_number IS 'One row a customer who ever lost a call and was not erased.'",
        "COMMENT ON COLUMN {schema}.dim_caller_number.caller_id IS 'The caller''s opaque id (bi.dim_caller).'",
        "COMMENT ON COLUMN {schema}.dim_caller_number.number IS 'The phone number, E.164 where it has that form.'",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT ON {schema}.dim_caller_number TO {role}",
    ):
        await connection.execute(sql.SQL(statement).format(schema=schema, role=role))
