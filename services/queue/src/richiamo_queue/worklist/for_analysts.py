# ruff: noqa: S608 - statements put together from constants of ours.
"""How do analysts who may see phone numbers read them? By one view, `bi_numbers.dim_caller_number` (decision 25)."""

from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from richiamo_kit.analysts import NUMBERS_ROLE, let_read
from richiamo_queue.worklist.projection import SCHEMA

NUMBERS = "bi_numbers"
_TABLE = f"{SCHEMA}.number"
"""The one table of numbers that PostgreSQL holds; what is erased is gone from it at once."""
_LOCK = 0x5269_6368_626E


async def ensure_numbers(pool: AsyncConnectionPool) -> None:
    """Make the view, in a schema of its own, and open it to whoever has the further role.

    It goes when the worklist is made anew, on which it stands, and comes back with the next look.
    """
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        found = await connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NULL", (_TABLE, f"{NUMBERS}.dim_caller_number")
        )
        row = await found.fetchone()
        if row is not None and row[0]:
            for statement in (
                "CREATE SCHEMA IF NOT EXISTS {schema}",
                f"CREATE VIEW {{schema}}.dim_caller_number AS SELECT caller_id, number FROM {_TABLE}",
                "COMMENT ON VIEW {schema}.dim_caller_number IS 'One row a customer who ever lost a call and was not erased.'",
                "COMMENT ON COLUMN {schema}.dim_caller_number.caller_id IS 'The caller''s opaque id (bi.dim_caller).'",
                "COMMENT ON COLUMN {schema}.dim_caller_number.number IS 'The phone number, E.164 where it has that form.'",
            ):
                await connection.execute(sql.SQL(statement).format(schema=sql.Identifier(NUMBERS)))
        await let_read(connection, NUMBERS, NUMBERS_ROLE)
