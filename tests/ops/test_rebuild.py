"""Is a view that was rebuilt what the log says, and does its projector go on afterwards?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, LiteralString

import pytest
import pytest_asyncio
from rich.console import Console

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallId
from richiamo_events.language import CallMissed, Rank
from richiamo_kit import database
from richiamo_kit.errors import Problem
from richiamo_kit.projector import Projector
from richiamo_kit.together import ended
from richiamo_ops.rebuild import _rebuild_one
from richiamo_ops.replaying.lines import as_line
from richiamo_ops.site import Site
from richiamo_ops.views import VIEWS

pytestmark = pytest.mark.servers

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


async def lose(site: Site, number: int) -> None:
    caller = await site.directory.resolve(f"+39050100000{number}")
    await site.store.append(
        [
            NewEvent(
                id=f"lost-{number}",
                subject=subjects.caller(caller),
                data=CallMissed(
                    caller=caller,
                    call=CallId("main", f"{number}.0"),
                    rank=Rank.ROUTING,
                    received_at=NOON,
                    queue="Vendite",
                ),
                occurred_at=NOON,
                actor="pbx:main",
                correlation_id="k",
            )
        ]
    )


async def reach(projector: Projector, position: int) -> None:
    async with asyncio.timeout(60):
        while projector.position < position:
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def running(site: Site) -> AsyncIterator[Projector]:
    """The worklist's own projector at work, as in the queue service."""
    projector = Projector(site.store, VIEWS["worklist"](site, ""), site.database_url)
    task = asyncio.create_task(projector.run())
    async with asyncio.timeout(60):
        while not projector.ready:
            await asyncio.sleep(0.01)
    yield projector
    await ended([task])


async def rebuilt(site: Site) -> int:
    return await _rebuild_one(site, "worklist", Console(quiet=True))


async def asked(site: Site, question: LiteralString) -> list[Any]:
    async with await database.connect(site.database_url, autocommit=True) as connection:
        return [row[0] for row in await (await connection.execute(question)).fetchall()]


async def changed(site: Site, *statements: LiteralString) -> None:
    async with await database.connect(site.database_url, autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement)


BESIDE = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'view\\_%\\_%' AND nspname <> 'view_worklist'"


async def test_a_view_that_lies_is_put_right_while_its_projector_runs(site: Site, running: Projector) -> None:
    await lose(site, 1)
    await lose(site, 2)
    await reach(running, 2)
    assert await rebuilt(site) == 0, "nothing to put right"
    await changed(site, "UPDATE view_worklist.number SET number = '+390509999999'")
    assert await rebuilt(site) == 1
    assert await asked(site, "SELECT number FROM view_worklist.number ORDER BY 1") == ["+390501000001", "+390501000002"]
    await lose(site, 3)
    await reach(running, 3)
    assert await asked(site, "SELECT count(*) FROM view_worklist.number") == [3]
    assert await asked(site, BESIDE) == []


async def test_a_view_that_is_behind_the_log_is_compared_as_of_where_it_is(site: Site) -> None:
    await lose(site, 1)
    await Projector(site.store, VIEWS["worklist"](site, ""), site.database_url).catch_up()
    await lose(site, 2)
    assert await rebuilt(site) == 0, "what it has not read yet is no difference"
    assert await asked(site, "SELECT position FROM view_worklist.checkpoint") == [1]


async def test_an_interrupt_leaves_no_trace_and_the_view_as_it_was(site: Site, running: Projector) -> None:
    for number in range(30):
        await lose(site, number)
    await reach(running, 30)
    made = await asked(site, "SELECT made::text FROM view_worklist.checkpoint")
    # Its projector waits for the lock of the shadow, so that the interrupt comes in the middle.
    async with await database.connect(site.database_url) as holder:
        assert await database.try_lock(holder, "view_worklist_next")
        work = asyncio.create_task(rebuilt(site))
        async with asyncio.timeout(60):
            while not await asked(
                site,
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'view_worklist_next' AND datname = current_database()",
            ):
                await asyncio.sleep(0.01)
        await changed(site, "CREATE SCHEMA view_worklist_next", "CREATE TABLE view_worklist_next.number (n int)")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert work.cancelled()
    assert await asked(site, BESIDE) == []
    assert await asked(site, "SELECT made::text FROM view_worklist.checkpoint") == made
    assert await asked(site, "SELECT count(*) FROM view_worklist.number") == [30]


async def test_what_a_killed_rebuild_left_is_cleared_and_views_of_others_live_on(
    site: Site, running: Projector
) -> None:
    await lose(site, 1)
    await reach(running, 1)
    await changed(
        site,
        "CREATE SCHEMA bi_numbers",
        "CREATE VIEW bi_numbers.dim_caller_number AS SELECT caller_id, number FROM view_worklist.number",
        "COMMENT ON VIEW bi_numbers.dim_caller_number IS 'for analysts'",
        # Killed between the switch and the end: the old tables are there, and what analysts read stands on them.
        "ALTER SCHEMA view_worklist RENAME TO view_worklist_old",
        "CREATE SCHEMA view_worklist",
        "CREATE TABLE view_worklist.checkpoint (LIKE view_worklist_old.checkpoint INCLUDING ALL)",
        "CREATE TABLE view_worklist.number (LIKE view_worklist_old.number INCLUDING ALL)",
        "INSERT INTO view_worklist.checkpoint SELECT * FROM view_worklist_old.checkpoint",
        "CREATE SCHEMA view_worklist_next",
    )
    assert await rebuilt(site) == 1, "the table that this made up was empty"
    assert await asked(site, BESIDE) == []
    assert await asked(site, "SELECT number FROM bi_numbers.dim_caller_number") == ["+390501000001"]
    assert await asked(site, "SELECT obj_description('bi_numbers.dim_caller_number'::regclass)") == ["for analysts"]


async def test_one_rebuild_of_a_view_at_a_time(site: Site, running: Projector) -> None:
    async with await database.connect(site.database_url) as other:
        assert await database.try_lock(other, "rebuild view_worklist")
        with pytest.raises(Problem, match="Another rebuild of worklist"):
            await rebuilt(site)


async def test_what_the_running_projector_had_begun_goes_into_the_new_tables(site: Site, running: Projector) -> None:
    await lose(site, 1)
    await reach(running, 1)
    for number in range(2, 8):
        work = asyncio.create_task(rebuilt(site))
        await lose(site, number)
        assert await work == 0
        await reach(running, number)
        assert await asked(site, "SELECT count(*) FROM view_worklist.number") == [number]


async def test_a_line_of_a_replay_holds_the_whole_event_and_no_number(site: Site) -> None:
    await lose(site, 1)
    lines = [as_line(event) async for event in site.store.read()]
    assert '"type": "caller.call_missed"' in lines[0]
    assert "0501000001" not in lines[0]
