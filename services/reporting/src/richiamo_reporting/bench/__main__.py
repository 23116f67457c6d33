# ruff: noqa: T201 - this program prints; its statements are constants of ours.
"""How quick is every report over three years of calls? `make bench-reports` prints p95 beside plain SQL and the aim."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from richiamo_events.directory import MemoryDirectory
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.clock import SystemClock
from richiamo_kit.servers import PostgresServer, free_port, running
from richiamo_reporting.bench.generate import generate
from richiamo_reporting.facts.projection import SCHEMA, ReportingFacts
from richiamo_reporting.questions import BehindQuestion, Question, read
from richiamo_reporting.reports import Reports

_MONTH, _YEAR, _PAST = 200, 1000, 5000
"""Milliseconds aimed at, p95, with 10 million calls on 2 cores."""
_PLAIN = {
    "dashboard": "SELECT count(*) FROM {schema}.request WHERE recorded_to = 'infinity' AND opened_at >= %s "
    "AND opened_at < %s GROUP BY (opened_at AT TIME ZONE 'Europe/Rome')::date, closed_by",
    "code_caller": "SELECT count(DISTINCT caller) FROM {schema}.missed_call WHERE recorded_to = 'infinity' "
    "AND called_at >= %s AND called_at < %s GROUP BY queue, (called_at AT TIME ZONE 'Europe/Rome')::date",
    "historical": "SELECT count(DISTINCT caller) FROM {schema}.missed_call WHERE recorded_to = 'infinity' "
    "AND called_at >= %s AND called_at < %s GROUP BY (called_at AT TIME ZONE 'Europe/Rome')::date",
}


def main() -> None:
    """Generate, ask every report some times, print a table."""
    asked = argparse.ArgumentParser(prog="make bench-reports", description=__doc__)
    asked.add_argument("--calls", type=int, default=300_000, help="calls over three years, up to ten million")
    asked.add_argument("--times", type=int, default=7, help="how often each report is asked")
    options = asked.parse_args()
    if not 1_000 <= options.calls <= 10_000_000:
        asked.error("--calls: from 1000 to 10000000.")
    asyncio.run(_measure(options.calls, options.times))


async def _measure(calls: int, times: int) -> None:
    with tempfile.TemporaryDirectory(prefix="richiamo-bench-") as folder:
        server = PostgresServer(Path(folder) / "postgres", free_port(), uuid4().hex, durable=False)
        async with running(server):
            site = SiteSettings()
            began = time.perf_counter()
            async with await database.connect(server.url) as connection:
                await generate(connection, ReportingFacts(site), calls, site.zone)
            print(f"{calls:,} calls over three years, generated in {time.perf_counter() - began:.0f} s\n")
            pool = database.make_pool(server.url)
            await pool.open(wait=True)
            try:
                await _table(Reports(pool, MemoryDirectory(), site, SystemClock()), pool, times)
            finally:
                await pool.close()


async def _table(reports: Reports, pool: Any, times: int) -> None:
    today = datetime.now(UTC).date()
    past = datetime.now(UTC) - timedelta(days=500)
    print(f"{'report':<14}{'period':<16}{'p95 ms':>9}{'aim ms':>9}{'plain SQL ms':>14}")
    ways: dict[str, Callable[[Question], Awaitable[Any]]] = {
        "dashboard": reports.dashboard,
        "code_caller": reports.code_caller,
        "historical": reports.historical,
    }
    for name, way in ways.items():
        for period, days, aim, as_of in (
            ("a month", 30, _MONTH, None),
            ("a year", 365, _YEAR, None),
            ("month as of then", 30, _PAST, past),
            ("year as of then", 365, _PAST, past),
        ):
            last = as_of.date() if as_of else today
            asked = {"from": (last - timedelta(days=days - 1)).isoformat(), "to": last.isoformat()}
            question = read(Question, {**asked, "as_of": as_of.isoformat()} if as_of else asked)
            taken = await _p95(lambda way=way, question=question: way(question), times)  # type: ignore[misc]
            plain = await _p95(lambda name=name, last=last, days=days: _plain(pool, name, last, days), times)  # type: ignore[misc]
            print(f"{name:<14}{period:<17}{taken:>8.0f}{aim:>9}{plain:>14.0f}")
    for report, figure, days, aim in (
        ("dashboard", "unanswered", 30, _MONTH),
        ("dashboard", "total", 365, _YEAR),
        ("historical", "callers", 30, _MONTH),
        ("code-caller", "not_recalled", 30, _MONTH),
        ("code-caller", "not_recalled", 365, _YEAR),
    ):
        asked = {"from": (today - timedelta(days=days - 1)).isoformat(), "to": today.isoformat()}
        behind = read(BehindQuestion, {**asked, "report": report, "figure": figure, "limit": 100})
        taken = await _p95(lambda behind=behind: reports.requests(behind), times)  # type: ignore[misc]
        print(f"{'behind ' + report + ' ' + figure:<24}{days:>4} days{taken:>11.0f}{aim:>9}")
    for label, day, aim in (("today, live", today, _MONTH), ("a year ago", today - timedelta(days=365), _MONTH)):
        question = read(Question, {"day": day.isoformat()})
        taken = await _p95(lambda question=question: reports.day(question), times)  # type: ignore[misc]
        print(f"{'day':<14}{label:<17}{taken:>8.0f}{aim:>9}")
    question = read(Question, {"day": past.date().isoformat(), "as_of": past.isoformat()})
    print(f"{'day':<14}{'as of then':<17}{await _p95(lambda: reports.day(question), times):>8.0f}{_PAST:>9}")


async def _p95(ask: Callable[[], Awaitable[Any]], times: int) -> float:
    """Milliseconds; the first time warms up and is not counted."""
    await ask()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[min(times - 1, int(times * 0.95))]


async def _plain(pool: Any, report: str, last: date, days: int) -> None:
    ends = datetime.combine(last, datetime.min.time(), tzinfo=UTC) + timedelta(days=1)
    async with pool.connection() as connection:
        statement = _PLAIN[report].format(schema=SCHEMA)
        await (await connection.execute(statement.encode(), (ends - timedelta(days=days), ends))).fetchall()


if __name__ == "__main__":
    main()
