"""Who may read the star with SQL of their own? Two roles, made by a superuser and never by a service.

A service that could make roles could make one for itself: it only grants what is its own (decision 72).
"""

from psycopg import AsyncConnection, sql

STAR_ROLE = "richiamo_bi"
"""Reads the schema `bi`, with limits; callers are opaque ids there."""
NUMBERS_ROLE = "richiamo_bi_numbers"
"""Reads phone numbers too (decision 25)."""

ROLES = """\
-- The roles to which analysts belong (docs/bi.md). As a superuser; harmless when repeated.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo_bi') THEN
    CREATE ROLE richiamo_bi NOLOGIN CONNECTION LIMIT 10;
    ALTER ROLE richiamo_bi SET statement_timeout = '60s';
    ALTER ROLE richiamo_bi SET idle_in_transaction_session_timeout = '60s';
    ALTER ROLE richiamo_bi SET default_transaction_read_only = on;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo_bi_numbers') THEN
    CREATE ROLE richiamo_bi_numbers NOLOGIN;
  END IF;
END
$$;
"""
"""`deploy/analysts.sql`, what `richiamo install` writes, and what the embedded server is given at each start."""


async def let_read(connection: AsyncConnection, name: str, reader: str) -> None:
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
