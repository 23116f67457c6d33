"""Is the page for analysts up to date, and do its worked questions answer what the pages answer?"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from richiamo_kit import database
from richiamo_queue.worklist.for_analysts import ensure_numbers
from richiamo_reporting.bi.guide import guide
from richiamo_reporting.bi.questions import QUESTIONS
from richiamo_reporting.bi.views import ensure_bi
from richiamo_reporting.questions import Question, read
from tests.reporting.conftest import View
from tests.reporting.log import Log, instant

SPAN = {"from": "2026-03-02", "to": "2026-03-04"}
DAYS = [date(2026, 3, 2) + timedelta(days=n) for n in range(3)]
Rows = list[tuple[Any, ...]]


def test_the_page_is_what_the_catalogue_says() -> None:
    written = Path(__file__).parents[2] / "docs" / "bi.md"
    assert written.read_text(encoding="utf-8") == guide(), "run: make docs"


def some_days() -> Log:
    """Recalls that reach and that do not, a served and a flushed request, late ones, withheld ones, two queues."""
    log = Log(instant("2026-03-01 12:00:00"))
    log.missed("gia", "0.1", instant("2026-03-01 09:00:00"))
    log.missed("zoe", "0.2", instant("2026-03-01 09:30:00"), queue="Assistenza")
    log.now = instant("2026-03-02 12:00:00")
    for n, (caller, queue) in enumerate(
        [("ada", "Vendite"), ("ben", "Vendite"), ("cleo", "Assistenza"), ("dan", "Vendite"), ("ada", "Assistenza")]
    ):
        log.missed(caller, f"1.{n}", instant("2026-03-02 08:00:00") + timedelta(minutes=7 * n), queue=queue)
    log.missed(None, "1.9", instant("2026-03-02 08:50:00"))
    log.served("eli", "1.8", instant("2026-03-02 09:50:00"), queue="Assistenza")
    log.recall("ada", "2.1", instant("2026-03-02 10:10:00"), talk=61)
    log.recall("ben", "2.2", instant("2026-03-02 10:20:00"), talk=5)
    log.now = instant("2026-03-03 12:00:00")
    log.served("dan", "3.1", instant("2026-03-03 09:00:00"))
    log.recall("gia", "3.2", instant("2026-03-03 09:10:00"), talk=12.5)
    log.missed("ben", "3.3", instant("2026-03-03 09:20:00"))
    log.flush("zoe", "f1", ["0.2"])
    log.now = instant("2026-03-04 12:00:00")
    log.missed("ivo", "4.1", instant("2026-03-04 09:20:00"))
    return log


async def _expected(view: View) -> list[Rows]:
    """What the pages say, in the shape of each question's rows."""
    question = read(Question, SPAN)
    board, storico = await view.reports.dashboard(question), await view.reports.historical(question)
    queues = (await view.reports.code_caller(question))["queues"]
    days = [figures for _, figures in await view.reports.days(question)]

    def by_day(rows: list[dict[str, Any]], *names: str) -> Rows:
        return [(on, *(row[name] for name in names)) for on, row in zip(DAYS, rows, strict=True)]

    def by_queue(busy: Callable[[dict[str, Any]], bool], *names: str) -> Rows:
        return [
            (queue["queue"], date.fromisoformat(day["day"]), *(day[name] for name in names))
            for queue in queues
            for day in queue["days"]
            if busy(day)
        ]

    outcomes = ("total", "served", "recalled", "flushed", "unanswered", "unhandled")
    today = [day["today"] for day in days]
    return [
        by_day(board["days"], *outcomes),
        [tuple(board["totals"][name] for name in outcomes)],
        by_day(board["backlog"], "served", "recalled", "flushed"),
        by_day(storico["days"], "missed_calls", "callers"),
        by_day(storico["days"], "not_yet", "recalled"),
        by_queue(lambda day: day["answered_calls"] + day["missed_calls"] > 0, "answered_calls", "missed_calls"),
        by_queue(lambda day: day["numbers"] > 0, "numbers", "numbers_answered"),
        by_day(today, "requests_recalled", "mean_seconds_to_recall"),
        by_day(today, "mean_bill_seconds"),
        [
            (on, day["today"]["requests_to_handle"], day["backlog"]["requests"], day["backlog"]["callers"])
            for on, day in zip(DAYS, days, strict=True)
        ],
    ]


@pytest.mark.servers
async def test_every_worked_question_answers_what_the_page_answers(view: View) -> None:
    await view.apply(some_days().events)
    await ensure_bi(view.pool, view.schema, "Europe/Rome")
    expected = await _expected(view)
    assert len(QUESTIONS) == len(expected) == 10
    async with view.pool.connection() as connection:
        for worked, rows in zip(QUESTIONS, expected, strict=True):
            found = await (await connection.execute(worked.query.encode())).fetchall()
            assert [tuple(map(_plain, row)) for row in found] == rows, worked.question


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


@pytest.mark.servers
async def test_freshness_says_how_far_the_views_are(view: View) -> None:
    log = some_days()
    await view.apply(log.events)
    await ensure_bi(view.pool, view.schema, "Europe/Rome")
    async with view.pool.connection() as connection:
        found = await connection.execute("SELECT position, recorded_at FROM bi.freshness")
        assert await found.fetchone() == (log.events[-1].position, log.events[-1].recorded_at)


@pytest.mark.servers
async def test_an_analyst_s_role_is_limited_and_reads_nothing_but_the_star(
    view: View, module_database_url: str
) -> None:
    """As it is after a log-in: `SET ROLE` would not apply the role's own settings."""
    await view.apply(some_days().events)
    async with view.pool.connection() as connection:
        await connection.execute("CREATE SCHEMA IF NOT EXISTS view_worklist")
        await connection.execute("CREATE TABLE IF NOT EXISTS view_worklist.number (caller_id text, number text)")
        await connection.execute("DROP SCHEMA IF EXISTS bi CASCADE")
    await ensure_bi(view.pool, view.schema, "Europe/Rome")
    await ensure_numbers(view.pool)
    async with view.pool.connection() as connection:
        await connection.execute("ALTER ROLE richiamo_bi LOGIN PASSWORD 'analyst'")
    try:
        parts = urlsplit(module_database_url)
        url = urlunsplit(parts._replace(netloc=f"richiamo_bi:analyst@{parts.hostname}:{parts.port}"))
        async with await database.connect(url) as analyst:
            await analyst.set_autocommit(True)
            limits = await (
                await analyst.execute(
                    "SELECT rolconnlimit, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'richiamo_bi'"
                )
            ).fetchone()
            assert limits == (10, False, False)
            assert await (await analyst.execute("SHOW statement_timeout")).fetchone() == ("1min",)
            await analyst.execute("SELECT * FROM bi.freshness")
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                await analyst.execute("CREATE TABLE bi.mine (n int)")
            readable = await analyst.execute(
                "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'bi') "
                "AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
            )
            assert await readable.fetchall() == []
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await analyst.execute("SELECT * FROM bi_numbers.dim_caller_number")
        async with view.pool.connection() as connection:
            await connection.execute("GRANT richiamo_bi_numbers TO richiamo_bi")
        async with await database.connect(url) as analyst:
            await analyst.execute("SELECT caller_id, number FROM bi_numbers.dim_caller_number")
    finally:
        async with view.pool.connection() as connection:
            await connection.execute("REVOKE richiamo_bi_numbers FROM richiamo_bi")
            await connection.execute("ALTER ROLE richiamo_bi NOLOGIN PASSWORD NULL")
