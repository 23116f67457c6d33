"""Is a large workbook made as a job: all its rows, in memory that does not grow with them, for who asked and may?"""

import asyncio
import base64
import gc
import tempfile
import tracemalloc
from collections.abc import AsyncIterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from openpyxl import load_workbook

from richiamo_kit.clock import FixedClock
from richiamo_kit.errors import Problem
from richiamo_reporting.behind.workbook import COLUMNS, write_requests
from richiamo_reporting.questions import BehindQuestion, WorkbookQuestion, read
from richiamo_reporting.workbook_jobs import WorkbookJobs
from tests.reporting.conftest import View
from tests.reporting.test_dashboard import a_monday

pytestmark = pytest.mark.servers

EVA = {"username": "eva", "name": "Eva", "role": "supervisor", "queues": [], "masked": False, "language": "en"}
BEHIND = {"report": "dashboard", "figure": "total", "from": "2026-03-01", "to": "2026-03-03"}
ASKED = {"user": EVA, **BEHIND}


@pytest_asyncio.fixture
async def jobs(view: View, tmp_path: Path) -> AsyncIterator[WorkbookJobs]:
    async with view.pool.connection() as connection:
        await connection.execute("CREATE SCHEMA IF NOT EXISTS view_audit")
        await connection.execute("CREATE TABLE IF NOT EXISTS view_audit.entry (kind text, recorded_at timestamptz)")
    made = WorkbookJobs(view.reports, view.pool, view.clock, tmp_path / "workbooks")
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert list((tmp_path / "workbooks").glob("*")) == []


async def ready(jobs: WorkbookJobs, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while job["state"] in {"waiting", "making"}:
            await asyncio.sleep(0)
            job = await jobs.state({"user": EVA, "workbook_id": job["workbook_id"]})
    assert job["state"] == "ready", job
    return job


async def fetched(jobs: WorkbookJobs, job: dict[str, Any]) -> bytes:
    content, offset = b"", None
    while offset is not None or not content:
        part = await jobs.part({"user": EVA, "workbook_id": job["workbook_id"], "offset": offset or 0})
        content += base64.b64decode(part["content"])
        offset = part["next"]
    assert len(content) == job["size"]
    return content


async def test_the_requests_behind_a_figure_row_by_row(view: View, jobs: WorkbookJobs) -> None:
    await view.apply(a_monday().events)
    job = await ready(jobs, await jobs.begin(ASKED))
    assert (job["done"], job["rows"], job["name"]) == (4, 4, "richiamo-requests-dashboard-2026-03-01-2026-03-03.xlsx")
    book = load_workbook(BytesIO(await fetched(jobs, job)))
    rows = list(book["Requests"].iter_rows(values_only=True))
    assert rows[0][:2] == ("Number", "Queue")
    items = (await view.reports.requests(read(BehindQuestion, ASKED)))["items"]
    assert [row[COLUMNS.index("first_call")] for row in rows[1:]] == [
        datetime.fromisoformat(item["first_call"]).replace(tzinfo=None) for item in items
    ]
    assert [row[COLUMNS.index("outcome")] for row in rows[1:]] == ["Recalled", "Unanswered", "Unhandled", "Served"]
    about = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True, max_col=2) if row[0]}
    assert about["Figure"] == "Total: Requests opened in the period or on the day."


async def test_a_whole_report_is_a_job_too(view: View, jobs: WorkbookJobs) -> None:
    await view.apply(a_monday().events)
    job = await ready(jobs, await jobs.begin({**ASKED, "figure": None, "report": "code-caller"}))
    assert load_workbook(BytesIO(await fetched(jobs, job))).sheetnames == ["Queues", "About"]


async def test_only_who_asked_and_still_may_gets_it(view: View, jobs: WorkbookJobs) -> None:
    await view.apply(a_monday().events)
    job = await ready(jobs, await jobs.begin(ASKED))
    for changed, status in (
        ({"username": "berta"}, 404),
        ({"queues": ["Vendite"]}, 403),
        ({"masked": True}, 403),
        ({"role": "operator"}, 403),
    ):
        with pytest.raises(Problem) as refused:
            await jobs.part({"user": {**EVA, **changed}, "workbook_id": job["workbook_id"]})
        assert refused.value.status == status


async def test_it_goes_after_an_hour_or_with_an_erased_customer(view: View, jobs: WorkbookJobs) -> None:
    await view.apply(a_monday().events)
    first = await ready(jobs, await jobs.begin(ASKED))
    assert isinstance(view.clock, FixedClock)
    view.clock.set(datetime.fromisoformat(first["expires_at"]))
    with pytest.raises(Problem, match="404"):
        await jobs.state({"user": EVA, "workbook_id": first["workbook_id"]})
    second = await ready(jobs, await jobs.begin(ASKED))
    async with view.pool.connection() as connection:
        await connection.execute("INSERT INTO view_audit.entry VALUES ('caller_erased', %s)", (view.clock.now(),))
    with pytest.raises(Problem, match="404"):
        await jobs.part({"user": EVA, "workbook_id": second["workbook_id"]})
    async with view.pool.connection() as connection:
        await connection.execute("DELETE FROM view_audit.entry")


async def test_what_cannot_be_asked_is_refused_at_once_and_a_sixth_too(view: View, jobs: WorkbookJobs) -> None:
    with pytest.raises(Problem, match="422"):
        await jobs.begin({**ASKED, "report": "nonsense"})
    with pytest.raises(Problem, match="422"):
        await jobs.begin({**ASKED, "figure": "nonsense"})
    with pytest.raises(Problem, match="422"):
        await jobs.begin({**ASKED, "from": "2026-03-04"})
    others = [await jobs.begin(ASKED) for _ in range(5)]
    with pytest.raises(Problem, match="429"):
        await jobs.begin(ASKED)
    for job in others:
        await jobs.remove({"user": EVA, "workbook_id": job["workbook_id"]})


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_rows(view: View) -> None:
    requests = 4_000
    async with view.connection.transaction():
        await view.connection.execute(
            f"""
            INSERT INTO {view.schema}.request (caller, request_id, queue, type, called, source, account_code, opened_at,
                last_call, calls_at, tried_at, recorded_from, recorded_to)
            SELECT 'c' || n %% 500, 'main:' || n, 'Queue ' || n %% 50, 'queue', '050' || n, 'line ' || n, 'code ' || n, at, at,
                ARRAY[at], ARRAY[]::timestamptz[], at, 'infinity'
            FROM (SELECT n, timestamptz '2026-03-02 08:00+00' + n * interval '0.1 seconds' AS at
                FROM generate_series(1, %s) AS n) AS made
            """.encode(),
            (requests,),
        )
    held: dict[int, int] = {}

    def told(done: int, rows: int) -> None:
        assert rows == requests
        gc.collect()
        held[done] = tracemalloc.get_traced_memory()[0]

    with tempfile.TemporaryFile() as out:
        tracemalloc.start()
        try:
            await write_requests(view.reports, read(WorkbookQuestion, ASKED), read(BehindQuestion, ASKED), out, told)
        finally:
            tracemalloc.stop()
    assert held.keys() == {1000, 2000, 3000, 4000}
    # Of two thousand rows more nothing is kept: one that is takes over a kilobyte.
    assert held[4000] - held[2000] < 2000 * 200, held
