"""Does PostgreSQL refuse a service what is not its own? Each, on a real server, tries what belongs to the others."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from psycopg import AsyncConnection, sql
from psycopg.errors import InsufficientPrivilege

from richiamo_kit import database
from richiamo_kit.roles import OPS, PAGE, ROLES, SCHEMAS, USERS, owner_of, role_of
from richiamo_kit.servers import PostgresServer, free_port, running

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = tuple(SCHEMAS)

NOBODYS = (
    "CREATE ROLE another",
    "ALTER ROLE richiamo SUPERUSER",
    "ALTER ROLE richiamo_ops PASSWORD 'mine'",
    "SELECT rolpassword FROM pg_authid",
    "SET ROLE richiamo",
    "SET ROLE richiamo_ops",
    "GRANT richiamo_ops TO current_user",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO '/dev/null'",
    "CREATE DATABASE another",
    "CREATE TABLE public.theirs (n int)",
    "ALTER SYSTEM SET wal_recycle = on",
)
TRIES = (
    "SELECT * FROM {schema}.kept",
    "SELECT count(*) FROM {schema}.kept",
    "TABLE {schema}.shown",
    "INSERT INTO {schema}.kept VALUES (2)",
    "UPDATE {schema}.kept SET n = 3",
    "DELETE FROM {schema}.kept",
    "TRUNCATE {schema}.kept",
    "COPY {schema}.kept TO STDOUT",
    "ALTER TABLE {schema}.kept ADD COLUMN more int",
    "CREATE INDEX ON {schema}.kept (n)",
    "CREATE VIEW {schema}.theirs AS SELECT 1",
    "CREATE TABLE {schema}.theirs (n int)",
    "GRANT SELECT ON {schema}.kept TO PUBLIC",
    "GRANT USAGE ON SCHEMA {schema} TO PUBLIC",
    "ALTER SCHEMA {schema} RENAME TO theirs",
    "DROP TABLE {schema}.kept",
    "DROP SCHEMA {schema} CASCADE",
)


@pytest_asyncio.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    """A server on which every schema holds a table and a view of its owner."""
    made = PostgresServer(tmp_path_factory.mktemp("postgres"), free_port(), uuid4().hex, durable=False)
    async with running(made):
        for service, schemas in SCHEMAS.items():
            async with await database.connect(made.url_as(service), autocommit=True) as connection:
                for schema in schemas:
                    await furnish(connection, schema)
        yield made


async def furnish(connection: AsyncConnection, schema: str) -> None:
    for statement in (
        "CREATE TABLE {schema}.kept (n int)",
        "INSERT INTO {schema}.kept VALUES (1)",
        "CREATE VIEW {schema}.shown AS SELECT n FROM {schema}.kept",
    ):
        await connection.execute(in_schema(statement, schema))


def in_schema(statement: str, schema: str) -> sql.Composed:
    return sql.SQL(statement).format(schema=sql.Identifier(schema))


pytestmark = pytest.mark.servers


@pytest.mark.parametrize("service", SERVICES)
async def test_what_belongs_to_others_is_refused(server: PostgresServer, service: str) -> None:
    others = [schema for other, schemas in SCHEMAS.items() if other != service for schema in schemas]
    async with await database.connect(server.url_as(service), autocommit=True) as connection:
        for schema in others:
            for attempt in TRIES:
                with pytest.raises(InsufficientPrivilege):
                    await connection.execute(in_schema(attempt, schema))
        for other in SERVICES:
            if other != service:
                with pytest.raises(InsufficientPrivilege):
                    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role_of(other))))


@pytest.mark.parametrize("service", SERVICES)
async def test_what_belongs_to_nobody_is_refused(server: PostgresServer, service: str) -> None:
    async with await database.connect(server.url_as(service), autocommit=True) as connection:
        for attempt in NOBODYS:
            with pytest.raises(InsufficientPrivilege):
                await connection.execute(attempt.encode())
        if service != "queue":
            for attempt in ("SELECT pg_switch_wal()", "CHECKPOINT"):
                with pytest.raises(InsufficientPrivilege):
                    await connection.execute(attempt.encode())


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_its_own_is_made_anew(server: PostgresServer, service: str) -> None:
    """A view of another shape: its schema is dropped and made again, and stays its own."""
    async with await database.connect(server.url_as(service), autocommit=True) as connection:
        for schema in SCHEMAS[service]:
            await connection.execute(in_schema("DROP SCHEMA {schema} CASCADE", schema))
            await connection.execute(in_schema("CREATE SCHEMA {schema}", schema))
            await furnish(connection, schema)
            await connection.execute(in_schema("VACUUM (FULL) {schema}.kept", schema))


async def test_queue_sees_whose_transaction_still_sees_the_past_and_removes_the_log_of_writes(
    server: PostgresServer,
) -> None:
    async with (
        await database.connect(server.url_as("reporting"), application="long-report") as reporting,
        await database.connect(server.url_as("queue"), autocommit=True) as queue,
    ):
        await reporting.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await reporting.execute("SELECT * FROM bi.kept")
        found = await queue.execute(
            "SELECT backend_xmin IS NOT NULL FROM pg_stat_activity "
            "WHERE application_name = 'long-report' AND backend_type = 'client backend'"
        )
        assert await found.fetchall() == [(True,)]
        await queue.execute("SELECT pg_switch_wal()")
        await queue.execute("CHECKPOINT")


async def test_ops_works_with_every_schema_as_its_owner(server: PostgresServer) -> None:
    async with await database.connect(server.url_as(OPS), autocommit=True) as connection:
        for service, schemas in SCHEMAS.items():
            for schema in schemas:
                await connection.execute(in_schema("SELECT n FROM {schema}.shown", schema))
                owner = await owner_of(connection, schema)
                assert owner == role_of(service)
                async with await database.connect(server.url_as(OPS), autocommit=True, role=owner) as as_owner:
                    await as_owner.execute(in_schema("CREATE TABLE {schema}.more (n int)", schema))
        assert await owner_of(connection, "nowhere") is None
        with pytest.raises(InsufficientPrivilege):
            await connection.execute("CREATE ROLE another")
        with pytest.raises(InsufficientPrivilege):
            await connection.execute("SELECT rolpassword FROM pg_authid")
    for service, schemas in SCHEMAS.items():
        async with await database.connect(server.url_as(service), autocommit=True) as connection:
            for schema in schemas:
                await connection.execute(in_schema("DROP TABLE {schema}.more", schema))


async def test_a_function_laid_in_the_way_of_those_with_more_rights_is_not_called(server: PostgresServer) -> None:
    """PostgreSQL looks for functions in a schema of the user's own name too, and each service may make one."""
    async with (
        await database.connect(server.url_as("ingest"), autocommit=True) as ingest,
        await database.connect(server.url, autocommit=True) as superuser,
    ):
        for name in ("richiamo", *map(role_of, USERS)):
            await ingest.execute(in_schema("CREATE SCHEMA {schema}", name))
            await ingest.execute(
                in_schema(
                    "CREATE FUNCTION {schema}.format(text, name, text) RETURNS text LANGUAGE plpgsql "
                    "AS 'BEGIN RAISE EXCEPTION ''as %'', current_user; END'",
                    name,
                )
            )
        call = "SELECT format('%s %s', current_database(), 'x'::text)"
        try:
            await superuser.execute(ROLES.encode())
            for user in USERS:
                async with await database.connect(server.url_as(user)) as connection:
                    await connection.execute(call.encode())
        finally:
            for name in ("richiamo", *map(role_of, USERS)):
                await ingest.execute(in_schema("DROP SCHEMA {schema} CASCADE", name))


async def test_nobody_comes_in_with_the_password_of_another(server: PostgresServer) -> None:
    passwords = {user: server.url_as(user).partition("@")[0].rpartition(":")[2] for user in USERS}
    assert len({*passwords.values(), server.password}) == len(USERS) + 1
    for user in USERS:
        another = passwords["gateway" if user != "gateway" else "queue"]
        with pytest.raises(Exception, match="password authentication failed"):
            await database.connect(server.url_as(user).replace(passwords[user], another))


async def test_what_one_role_owned_is_handed_over_and_it_works_on(server: PostgresServer) -> None:
    """An installation of an earlier version: everything belongs to one role, a superuser or none."""
    async with await database.connect(server.url_of("postgres"), autocommit=True) as superuser:
        await superuser.execute("CREATE DATABASE earlier")
        await superuser.execute("CREATE ROLE boss SUPERUSER LOGIN")
        await superuser.execute(sql.SQL("ALTER ROLE boss PASSWORD {}").format(sql.Literal(server.password)))
    as_boss = server.url_of("earlier").replace("//richiamo:", "//boss:")
    async with await database.connect(as_boss, autocommit=True) as boss:
        await boss.execute("ALTER ROLE richiamo RENAME TO before")
        await boss.execute("CREATE ROLE richiamo LOGIN")
        await boss.execute("GRANT CREATE ON DATABASE earlier TO richiamo")
        try:
            async with await database.connect(as_boss, autocommit=True, role="richiamo") as earlier:
                for schema in ("view_worklist", "gateway", "bi", "view_calls_next", "analyst_s"):
                    await earlier.execute(in_schema("CREATE SCHEMA {schema}", schema))
                    await furnish(earlier, schema)
                await earlier.execute("CREATE VIEW bi.numbers AS SELECT n FROM view_worklist.kept")
            for _ in range(2):
                await boss.execute(ROLES.encode())
            owners = {schema: role_of(service) for service, schemas in SCHEMAS.items() for schema in schemas}
            for schema, owner in (owners | {"view_calls_next": role_of(OPS), "analyst_s": "richiamo"}).items():
                assert await owner_of(boss, schema) == owner
            strange = await boss.execute(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE nspname = ANY(%s) AND relowner <> nspowner",
                (list(owners),),
            )
            assert await strange.fetchall() == []
            async with await database.connect(as_boss, autocommit=True, role="richiamo") as earlier:
                await earlier.execute("INSERT INTO view_worklist.kept VALUES (2)")
                await earlier.execute("SELECT n FROM gateway.shown")
            async with await database.connect(as_boss, autocommit=True, role=role_of(OPS)) as ops:
                await ops.execute("DROP SCHEMA view_calls_next CASCADE")
        finally:
            await boss.execute("DROP OWNED BY richiamo CASCADE")
            await boss.execute("DROP ROLE richiamo")
            await boss.execute("ALTER ROLE before RENAME TO richiamo")
            await boss.execute(sql.SQL("ALTER ROLE richiamo PASSWORD {}").format(sql.Literal(server.password)))


def test_the_deployed_file_is_what_the_catalogue_says() -> None:
    assert (DEPLOY / "roles.sql").read_text() == PAGE, "run: make database-roles"
