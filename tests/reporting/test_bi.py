"""Does an analyst find the star, every column explained, and nothing but it?"""

import psycopg
import pytest

from richiamo_events.ids import Username
from richiamo_events.language import OperatorChanged
from richiamo_kit import database
from richiamo_reporting.bi.catalogue import VIEWS
from richiamo_reporting.bi.views import ensure_bi
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
