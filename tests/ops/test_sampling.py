"""Does a sample hold all of the chosen and nobody else, and does a check of it see what is wrong with them?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import pytest
from psycopg import AsyncConnection

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, Username
from richiamo_events.language import CallerShown, SettingsChanged
from richiamo_kit import database
from richiamo_kit.projector import Projector
from richiamo_kit.store.memory import MemoryEventStore
from richiamo_ops.bench.filling import fill
from richiamo_ops.check import _view
from richiamo_ops.sampling import Sample
from richiamo_ops.site import Site
from richiamo_ops.views import VIEWS
from tests.ops.test_rebuild import NOON, lose


async def taken(store: MemoryEventStore, size: int, seed: int) -> Sample:
    sample = Sample(size, seed)
    async for event in store.read():
        sample.take(event)
    return sample


async def test_the_chosen_are_whole_and_a_seed_always_chooses_the_same(memory_store: MemoryEventStore) -> None:
    lines: dict[str, list[int]] = {}
    for round_ in range(4):
        for number in range(50):
            caller = CallerId(f"c{number}")
            event = NewEvent(
                id=f"{round_}-{number}",
                subject=subjects.caller(caller),
                data=SettingsChanged(values={}) if number == 49 else CallerShown(caller=caller, by=Username("sara")),
                occurred_at=NOON,
                actor="pbx:main",
                correlation_id="",
            )
            lines.setdefault(caller, []).append(await memory_store.append([event]))
    chosen = await taken(memory_store, 7, seed=3)
    assert len(chosen.callers) == 7
    events = await chosen.up_to(memory_store, 200)
    assert [event.position for event in events] == sorted(
        position for caller in [*chosen.callers, "c49"] for position in lines[caller]
    ), "everything of the chosen, and the settings, in the log's order"
    assert (await taken(memory_store, 7, seed=3)).callers == chosen.callers
    assert (await taken(memory_store, 7, seed=4)).callers != chosen.callers
    assert len((await taken(memory_store, 1000, seed=3)).callers) == 49
    early = await taken(memory_store, 1000, seed=3)
    assert max(event.position for event in await early.up_to(memory_store, 100)) == 100


@asynccontextmanager
async def spoilt(site: Site, statement: LiteralString, *values: object) -> AsyncIterator[AsyncConnection]:
    async with await database.connect(site.database_url, autocommit=True) as connection:
        await connection.execute(statement, values)
        yield connection


@pytest.mark.servers
async def test_a_check_of_a_sample_sees_what_is_wrong_with_the_chosen_alone(site: Site) -> None:
    await fill(site, past=600, waiting=20, told=lambda _: None)
    projectors = [Projector(site.store, make(site, ""), site.database_url) for make in VIEWS.values()]
    for projector in projectors:
        await projector.catch_up()
    sample, newest = Sample(15, seed=1), 0
    async for event in site.store.read():
        sample.take(event)
        newest = event.position
    # What is recorded while the check is at work belongs to it as far as the view has it.
    await lose(site, 1)
    for projector in projectors:
        await projector.catch_up()

    async def found(chosen: Sample | None = sample) -> list[str]:
        return [fault for name in VIEWS for fault in [one async for one in _view(site, name, newest, chosen)]]

    assert await found() == []
    assert await found(None) == [], "nor does the whole comparison find anything"
    inside = sample.callers[4]
    async with spoilt(site, "DELETE FROM view_reporting.missed_call WHERE caller = %s", inside):
        (fault,) = await found()
        assert "rows of missed_call are not what the log says; run: richiamo rebuild reporting" in fault
    async with spoilt(site, "UPDATE view_worklist.request SET calls = 9 WHERE NOT caller_id = ANY(%s)", sample.callers):
        assert await found() == [fault], "the others are not looked at"
        assert len(await found(None)) == 2, "the whole comparison looks at all"
    async with await database.connect(site.database_url, autocommit=True) as connection:
        left = await connection.execute("SELECT 1 FROM pg_namespace WHERE nspname ~ '_check$'")
        assert await left.fetchall() == []


@pytest.mark.servers
async def test_a_view_that_nobody_makes_or_that_stands_still_is_told(site: Site) -> None:
    await lose(site, 1)
    (fault,) = [one async for one in _view(site, "tracker", 1, None)]
    assert fault == "tracker: The view view_tracker was not made yet: start the system first."
    await Projector(site.store, VIEWS["tracker"](site, ""), site.database_url).catch_up()
    await lose(site, 2)
    (fault,) = [one async for one in _view(site, "tracker", 2, None)]
    assert fault == "tracker: this view stands at 1 and does not follow the log: is its service running?"
