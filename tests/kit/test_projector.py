"""Does a view hold every event exactly once, whatever happens to its projector?"""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import AsyncConnection

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import CallerShown
from richiamo_kit import database
from richiamo_kit.errors import Unavailable
from richiamo_kit.projector import Projector, wait_for
from richiamo_kit.store.memory import MemoryEventStore

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


class Counting:
    """Counts the events of each caller."""

    schema = "view_counting"

    def __init__(self, *, fails_at: int = 0) -> None:
        self.fails_at = fails_at

    def ddl(self) -> Sequence[str]:
        return ["CREATE TABLE view_counting.seen (position bigint PRIMARY KEY, caller text NOT NULL)"]

    async def start(self, connection: AsyncConnection) -> None:
        pass

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        touched = set()
        for event in batch:
            assert isinstance(event.data, CallerShown)
            await connection.execute(
                "INSERT INTO view_counting.seen VALUES (%s, %s)", (event.position, event.data.caller)
            )
            touched.add(event.data.caller)
            if event.position == self.fails_at:
                self.fails_at = 0
                raise psycopg.OperationalError("the connection broke in the middle of a batch")
        return touched


def shown(number: int) -> NewEvent:
    caller = CallerId(f"c{number}")
    return NewEvent(
        id=f"e{number}",
        subject=subjects.caller(caller),
        data=CallerShown(caller=caller, by="eva"),
        occurred_at=NOON,
        actor="user:eva",
        correlation_id="k",
    )


async def seen(url: str) -> list[int]:
    async with await database.connect(url) as connection:
        rows = await (await connection.execute("SELECT position FROM view_counting.seen ORDER BY 1")).fetchall()
    return [row[0] for row in rows]


async def test_a_view_catches_up_and_goes_on_where_it_stopped(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    await memory_store.append([shown(1)])
    assert await Projector(memory_store, Counting(), database_url).catch_up() == 1
    await memory_store.append([shown(2)])
    assert await Projector(memory_store, Counting(), database_url).catch_up() == 2
    assert await seen(database_url) == [1, 2]


async def test_a_batch_that_broke_is_written_once(memory_store: MemoryEventStore, database_url: str) -> None:
    for number in range(1, 6):
        await memory_store.append([shown(number)])
    projector = Projector(memory_store, Counting(fails_at=3), database_url)
    task = asyncio.create_task(projector.run())
    pool = database.make_pool(database_url)
    await pool.open()
    try:
        async with asyncio.timeout(10):
            while projector.position < 5:
                await asyncio.sleep(0.01)
        assert await wait_for(pool, "view_counting", 5) == 5
        with pytest.raises(Unavailable):
            await wait_for(pool, "view_counting", 6, timeout=0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await pool.close()
    assert await seen(database_url) == [1, 2, 3, 4, 5]


async def test_of_two_projectors_one_writes_and_the_other_takes_over(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    told: list[tuple[str, int, bool]] = []

    def running(name: str) -> tuple[Projector, asyncio.Task[None]]:
        async def tell(position: int, touched: AbstractSet[CallerId] | None) -> None:
            told.append((name, position, touched is None))

        projector = Projector(memory_store, Counting(), database_url, tell)
        return projector, asyncio.create_task(projector.run())

    first, first_task = running("first")
    async with asyncio.timeout(10):
        while not first.ready:
            await asyncio.sleep(0.01)
    second, second_task = running("second")
    await memory_store.append([shown(1)])
    async with asyncio.timeout(10):
        while first.position < 1:
            await asyncio.sleep(0.01)
    assert not second.ready
    first_task.cancel()
    await asyncio.gather(first_task, return_exceptions=True)
    await memory_store.append([shown(2)])
    async with asyncio.timeout(10):
        while second.position < 2:
            await asyncio.sleep(0.01)
    second_task.cancel()
    await asyncio.gather(second_task, return_exceptions=True)
    assert await seen(database_url) == [1, 2]
    assert ("first", 0, True) in told, "who begins asks all to look again"
    assert ("first", 1, False) in told
