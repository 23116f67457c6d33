"""Does an analyst find the star, every column explained, and nothing but it?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from richiamo_events.ids import Username
from richiamo_events.language import OperatorChanged
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.analysts import STAR_ROLE
from richiamo_reporting.bi.catalogue import VIEWS
from richiamo_reporting.bi.views import ensure_bi
from richiamo_reporting.facts.projection import ReportingFacts
from richiamo_reporting.questions import BehindQuestion
from tests.reporting.conftest import View
from tests.reporting.log import Log, instant
from tests.reporting.test_dashboard import a_monday

pytestmark = pytest.mark.servers


async def test_every_view_answers_and_every_column_is_explained(view: View) -> None:
    await view.apply(a_monday().events)
    assert await ensure_bi(view.pool, view.schema, "Europe/Rome")
    assert not await ensure_bi(view.pool, view.schema, "Europe/Rome")
    async with view.pool.connection() as connection:
        for each in VIEWS:
            await connection.execute(f"SELECT * FROM bi.{each.name}".encode())
        found = await connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = 'bi'::regnamespace AND a.attnum > 0 "
            "AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)"
        )
        assert await found.fetchall() == []


async def test_local_dates_are_the_site_s_days_and_equal_the_reports(view: View) -> None:
    log = Log(instant("2026-03-28 23:00:00"))
    log.missed("ada", "1.1", instant("2026-03-28 22:59:59"))
    log.missed("ben", "1.2", instant("2026-03-28 23:00:00"))
    await view.apply(log.events)
    await ensure_bi(view.pool, view.schema, "Europe/Rome")
    async with view.pool.connection() as connection:
        found = await connection.execute(
            "SELECT local_date::text, time_of_day, missed_calls FROM bi.fact_missed_call "
            "JOIN bi.fact_queue_day USING (queue, local_date) ORDER BY call_id"
        )
        assert await found.fetchall() == [("2026-03-28", 1439, 1), ("2026-03-29", 0, 1)]
        found = await connection.execute(
            "SELECT extract(epoch FROM ends_at - starts_at)::int / 3600 FROM bi.dim_date WHERE local_date = '2026-03-29'"
        )
        assert await found.fetchone() == (23,)


async def test_the_reading_role_sees_the_star_and_nothing_else(view: View) -> None:
    await ensure_bi(view.pool, view.schema, "Europe/Rome")
    async with view.pool.connection() as connection:
        url = str(connection.info.dsn)
        password = connection.info.password
    async with await database.connect(f"{url} password={password}") as analyst:
        await analyst.execute("SET ROLE richiamo_bi")
        await analyst.execute("SELECT count(*) FROM bi.fact_request")
        await analyst.commit()
        await analyst.execute("SET ROLE richiamo_bi")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await analyst.execute("SELECT count(*) FROM view_reporting.request")
        await analyst.rollback()


async def test_a_service_that_may_make_no_role_opens_the_star_to_analysts(database_url: str) -> None:
    """As where PostgreSQL was set up before the roles were: the views come first, and open when the roles are made."""
    parts = urlsplit(database_url)
    as_service = urlunsplit(parts._replace(netloc=f"service:word@{parts.hostname}:{parts.port}"))
    async with (
        await database.connect(database_url, autocommit=True) as superuser,
        a_plain_role(superuser, parts.path[1:]),
        database.make_pool(as_service, most=1) as pool,
    ):
        async with without_the_role(superuser):
            async with pool.connection() as connection:
                await connection.execute("CREATE SCHEMA view_reporting")
                for statement in ReportingFacts(SiteSettings(), "view_reporting").ddl():
                    await connection.execute(statement.encode())
                await connection.execute(
                    "CREATE TABLE view_reporting.checkpoint (position bigint, recorded_at timestamptz)"
                )
            assert await ensure_bi(pool, "view_reporting", "Europe/Rome")
        assert await readable(superuser, STAR_ROLE) == set()
        assert not await ensure_bi(pool, "view_reporting", "Europe/Rome")
        assert await readable(superuser, STAR_ROLE) == {f"bi.{view.name}" for view in VIEWS}


@asynccontextmanager
async def a_plain_role(superuser: AsyncConnection, name: str) -> AsyncIterator[None]:
    """`service`, which may make schemas in the database of this name and nothing else."""
    await superuser.execute("CREATE ROLE service LOGIN PASSWORD 'word'")
    try:
        await superuser.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO service").format(sql.Identifier(name)))
        yield
    finally:
        await superuser.execute("DROP OWNED BY service CASCADE")
        await superuser.execute("DROP ROLE service")


@asynccontextmanager
async def without_the_role(superuser: AsyncConnection) -> AsyncIterator[None]:
    """Under another name meanwhile: other databases of the server know it."""
    await superuser.execute(f"ALTER ROLE {STAR_ROLE} RENAME TO {STAR_ROLE}_away".encode())
    try:
        yield
    finally:
        await superuser.execute(f"ALTER ROLE {STAR_ROLE}_away RENAME TO {STAR_ROLE}".encode())


async def readable(connection: AsyncConnection, role: str) -> set[str]:
    """Every table and view outside PostgreSQL's own schemas that the role may read."""
    found = await connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND has_schema_privilege(%(role)s, n.oid, 'USAGE') AND has_table_privilege(%(role)s, c.oid, 'SELECT')",
        {"role": role},
    )
    return {name for (name,) in await found.fetchall()}


async def test_operators_are_numbers_when_the_site_wants_that(view: View) -> None:
    log = Log(instant("2026-03-02 09:00:00"))
    for username in ("eva", "anna"):
        log.add(OperatorChanged(username=Username(username), name=username.title(), role="operator", extension="204"))
    log.missed("ada", "1.1", instant("2026-03-02 08:50:00"))
    log.reserve("ada", "r1")
    log.recall("ada", "1.2", instant("2026-03-02 09:00:00"), talk=0)
    await view.apply(log.events)
    await ensure_bi(view.pool, view.schema, "Europe/Rome")

    async def seen(reader: str) -> list[object]:
        async with view.pool.connection() as connection:
            recalls = await connection.execute("SELECT operator, extension FROM bi.fact_recall")
            people = await connection.execute("SELECT operator, name, extension FROM bi.dim_operator ORDER BY 1")
            rows = [*await recalls.fetchall(), *await people.fetchall()]
        asked = {"report": "day", "figure": "requests_to_handle", "day": "2026-03-02", "user": {"username": reader}}
        (item,) = (await view.reports.requests(BehindQuestion.model_validate(asked)))["items"]
        return [*rows, (item["reserved_by"], item["reserved_by_name"])]

    assert await seen("eva") == [
        ("anna", "204"),
        ("anna", "Anna", "204"),
        ("eva", "Eva", "204"),
        ("anna", "Anna"),
    ]
    before = len(log.events)
    log.settings(operators_as_numbers=True)
    log.add(OperatorChanged(username=Username("eva"), name="Eva B.", role="supervisor"))
    await view.apply(log.events[before:])
    assert await seen("eva") == [
        ("Op. 2", ""),
        ("Op. 1", "Op. 1", ""),
        ("Op. 2", "Op. 2", ""),
        ("Op. 2", "Op. 2"),
    ]
    assert (await seen("anna"))[-1] == ("anna", "Anna"), "to themselves they have their name"
