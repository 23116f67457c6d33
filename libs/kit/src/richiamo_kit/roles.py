# ruff: noqa: S608 - statements put together from constants of ours.
"""Which role of PostgreSQL owns what? One a service, with schemas of its own and no right on another's (decision 73).

`ops`, for administrators' commands, is a member of all of them: it reads everything, and makes tables as their owner.
"""

from collections.abc import Mapping

from psycopg import AsyncConnection, sql

OPS = "ops"
SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "ingest": ("view_calls",),
    "queue": ("view_worklist", "queue", "bi_numbers"),
    "callback-tracker": ("view_tracker", "tracker"),
    "reporting": ("view_reporting", "view_audit", "bi"),
    "gateway": ("gateway",),
}
"""The schemas of each service; no table of Richiamo stands elsewhere."""
USERS = (OPS, *SCHEMAS)


def role_of(user: str) -> str:
    """The role of a service, or of `ops`."""
    return f"richiamo_{user.replace('-', '_')}"


def passwords(of: Mapping[str, str]) -> str:
    """The statements that give each user's role its password, of letters and digits."""
    return "".join(f"ALTER ROLE {role_of(user)} PASSWORD '{password}';\n" for user, password in of.items())


async def owner_of(connection: AsyncConnection, schema: str) -> str | None:
    """The role that owns a schema; None when there is no such schema."""
    found = await connection.execute("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s", (schema,))
    row = await found.fetchone()
    return None if row is None else str(row[0])


async def password_is_set(connection: AsyncConnection, user: str, password: str) -> None:
    """Give the role of a user its password; only what is made of it goes to the server."""
    hashed = connection.pgconn.encrypt_password(password.encode(), role_of(user).encode(), b"scram-sha-256")
    await connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role_of(user)), sql.Literal(hashed.decode()))
    )


def _values() -> str:
    return ",\n      ".join(
        f"('{role_of(service)}', '{schema}')" for service, schemas in SCHEMAS.items() for schema in schemas
    )


ROLES = f"""\
-- One role a service and richiamo_ops for commands, each schema with its owner. As a superuser; harmless when repeated.
-- What a single role owned in an earlier version is handed over; that role, richiamo, works on as a member of ops.
SET client_min_messages = warning;
-- Else a function of the same name, in a schema that a service made, could run with a superuser's rights.
SET search_path = pg_catalog;
DO $$
DECLARE
  one record;
  held record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo_ops') THEN
    CREATE ROLE richiamo_ops LOGIN;
  END IF;
  ALTER ROLE richiamo_ops SET search_path = pg_catalog;
  FOR one IN SELECT * FROM (VALUES
      {_values()}
    ) AS owns (service, schema)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one.service) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', one.service);
    END IF;
    EXECUTE format('ALTER ROLE %I SET search_path = pg_catalog', one.service);
    EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), one.service);
    EXECUTE format('GRANT %I TO richiamo_ops', one.service);
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', one.schema, one.service);
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = one.schema AND nspowner <> to_regrole(one.service)) THEN
      EXECUTE format('ALTER SCHEMA %I OWNER TO %I', one.schema, one.service);
    END IF;
    FOR held IN
      SELECT oid::regclass AS name FROM pg_class
      WHERE relnamespace = to_regnamespace(one.schema) AND relkind IN ('r', 'v') AND relowner <> to_regrole(one.service)
    LOOP
      EXECUTE format('ALTER TABLE %s OWNER TO %I', held.name, one.service);
    END LOOP;
  END LOOP;
  -- What a killed rebuild, check or what-if of an earlier version left, for the next one to drop.
  FOR one IN
    SELECT nspname AS schema FROM pg_namespace
    WHERE nspname ~ '^(view_.*_(next|old|check)|what_if_.*)$' AND pg_get_userbyid(nspowner) = 'richiamo'
  LOOP
    EXECUTE format('ALTER SCHEMA %I OWNER TO richiamo_ops', one.schema);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'richiamo' AND NOT rolsuper) THEN
    GRANT richiamo_ops TO richiamo;
  END IF;
END
$$;
-- So that nothing of an erased person stays: it waits for whoever still sees it, and removes the log of writes.
GRANT pg_checkpoint, pg_read_all_stats TO richiamo_queue;
GRANT EXECUTE ON FUNCTION pg_switch_wal() TO richiamo_queue;
"""
"""Run in the database itself: `deploy/roles.sql`, what `richiamo install` writes, and the embedded server's start."""

PAGE = f"""\
-- Makes Richiamo's database and roles. As a superuser: psql -v ON_ERROR_STOP=1 -f roles.sql
-- Then each role needs a password: ALTER ROLE richiamo_queue PASSWORD '...'. Set wal_recycle = off as well.
SELECT 'CREATE DATABASE richiamo ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'richiamo') \\gexec
\\connect richiamo
{ROLES}"""
"""`deploy/roles.sql`."""
