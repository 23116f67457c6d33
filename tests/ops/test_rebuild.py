"""Is a view that was rebuilt what the log says, and does its projector go on afterwards?"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallId
from richiamo_events.language import CallMissed, Rank
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.projector import Projector
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.endpoints import Endpoints
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
    async with asyncio.timeout(10):
        while projector.position < position:
            await asyncio.sleep(0.01)


async def test_a_view_that_lies_is_put_right_while_its_projector_runs(
    event_store: JetStreamEventStore, database_url: str, tmp_path: Path
) -> None:
    site = Site(
        store=event_store,
        directory=NatsDirectory(event_store.client, read_key(tmp_path / "directory.key")),
        database_url=database_url,
        defaults=SiteSettings(),
        found=Endpoints("", "", "", "", 0),
    )
    await lose(site, 1)
    await lose(site, 2)
    projector = Projector(event_store, VIEWS["worklist"](site, ""), database_url)
    task = asyncio.create_task(projector.run())
    try:
        await reach(projector, 2)
        quiet = Console(quiet=True)
        assert await _rebuild_one(site, "worklist", quiet) == 0, "nothing to put right"
        async with await database.connect(database_url, autocommit=True) as connection:
            await connection.execute("UPDATE view_worklist.number SET number = '+390509999999'")
            assert await _rebuild_one(site, "worklist", quiet) == 1
            found = await connection.execute("SELECT number FROM view_worklist.number ORDER BY 1")
            assert [row[0] for row in await found.fetchall()] == ["+390501000001", "+390501000002"]
            await lose(site, 3)
            await reach(projector, 3)
            found = await connection.execute("SELECT count(*) FROM view_worklist.number")
            assert await found.fetchone() == (3,)
            found = await connection.execute(
                "SELECT count(*) FROM information_schema.schemata WHERE schema_name ~ '_(next|old)$'"
            )
            assert await found.fetchone() == (0,)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_line_of_a_replay_holds_the_whole_event_and_no_number(
    event_store: JetStreamEventStore, tmp_path: Path, database_url: str
) -> None:
    site = Site(
        store=event_store,
        directory=NatsDirectory(event_store.client, read_key(tmp_path / "directory.key")),
        database_url=database_url,
        defaults=SiteSettings(),
        found=Endpoints("", "", "", "", 0),
    )
    await lose(site, 1)
    lines = [as_line(event) async for event in event_store.read()]
    assert '"type": "caller.call_missed"' in lines[0]
    assert "0501000001" not in lines[0]
