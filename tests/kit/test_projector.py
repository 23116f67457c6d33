"""Is a view written exactly once, whatever dies in between? Projectors on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import AsyncConnection

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import CallerShown
from richiamo_kit.database import make_pool
from richiamo_kit.errors import Unavailable
from richiamo_kit.projector import OnCommit, Projector, wait_for
from richiamo_kit.servers import PostgresServer
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.memory import MemoryEventStore
from richiamo_kit.together import ended
from tests.kit.events import many, shown
from tests.kit.servers import restartable

pytestmark = pytest.mark.servers


class Counting:
    """How often was each caller shown? Counts in memory, so that a lost batch or a doubled one is seen."""

    def __init__(self, schema: str = "view_counting", *, column: str = "shown") -> None:
        self.schema = schema
        self.column = column
        self.counts: dict[str, int] = {}
        self.breaks_at: int | None = None
        self.loads = 0

    def ddl(self) -> Sequence[str]:
        return [f"CREATE TABLE {self.schema}.counts (caller text PRIMARY KEY, {self.column} integer NOT NULL)"]

    async def start(self, connection: AsyncConnection) -> None:
        self.loads += 1
        rows = await connection.execute(f"SELECT caller, {self.column} FROM {self.schema}.counts".encode())
        self.counts = {str(caller): int(count) for caller, count in await rows.fetchall()}

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        touched = set()
        for event in batch:
            if isinstance(event.data, CallerShown):
                caller = event.data.caller
                self.counts[caller] = self.counts.get(caller, 0) + 1
                touched.add(caller)
        async with connection.cursor() as cursor:
            await cursor.executemany(
                f"INSERT INTO {self.schema}.counts VALUES (%s, %s)"
                f" ON CONFLICT (caller) DO UPDATE SET {self.column} = excluded.{self.column}".encode(),
                [(caller, self.counts[caller]) for caller in touched],
            )
        if self.breaks_at is not None and batch[-1].position >= self.breaks_at:
            self.breaks_at = None
            raise psycopg.OperationalError("the line was cut after the rows were written")
        return touched


class Announced:
    """What `on_commit` was told; a test waits for a position."""

    def __init__(self) -> None:
        self.told: list[tuple[int, AbstractSet[CallerId] | None]] = []
        self._grown = asyncio.Condition()

    async def __call__(self, position: int, touched: AbstractSet[CallerId] | None) -> None:
        async with self._grown:
            self.told.append((position, touched))
            self._grown.notify_all()

    async def reached(self, position: int) -> None:
        async with asyncio.timeout(60), self._grown:
            await self._grown.wait_for(lambda: bool(self.told) and self.told[-1][0] >= position)

    async def times(self, count: int) -> None:
        async with asyncio.timeout(60), self._grown:
            await self._grown.wait_for(lambda: len(self.told) >= count)


@asynccontextmanager
async def working(projector: Projector) -> AsyncIterator[Projector]:
    task = asyncio.create_task(projector.run())
    try:
        yield projector
    finally:
        await ended([task])


async def rows(database_url: str, schema: str = "view_counting", column: str = "shown") -> dict[str, int]:
    async with await AsyncConnection.connect(database_url) as connection:
        found = await connection.execute(f"SELECT caller, {column} FROM {schema}.counts".encode())
        return {str(caller): int(count) for caller, count in await found.fetchall()}


async def test_it_catches_up_and_a_second_time_changes_nothing(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    await memory_store.append([*many("a", 1500), *many("b", 3)])
    assert await Projector(memory_store, Counting(), database_url).catch_up() == 1503
    assert await Projector(memory_store, Counting(), database_url).catch_up() == 1503
    assert await rows(database_url) == {"a": 1500, "b": 3}
    await memory_store.append(many("c", 1))
    assert await Projector(memory_store, Counting(), database_url).catch_up() == 1504
    assert await rows(database_url) == {"a": 1500, "b": 3, "c": 1}


async def test_it_tells_what_changed_after_the_commit(event_store: JetStreamEventStore, database_url: str) -> None:
    announced = Announced()
    projector = Projector(event_store, Counting(), database_url, announced)
    async with working(projector), make_pool(database_url) as pool:
        await announced.times(1)
        assert announced.told == [(0, None)]
        assert projector.ready
        position = await event_store.append(many("a", 2))
        assert await wait_for(pool, "view_counting", position) == position
        assert await rows(database_url) == {"a": 2}
        await announced.reached(position)
        assert announced.told[-1] == (position, {"a"})
    assert not projector.ready


async def test_a_change_that_could_not_be_told_is_owed_as_a_resync(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    announced = Announced()
    failures = [False, True, False]

    async def unreliable(position: int, touched: AbstractSet[CallerId] | None) -> None:
        if failures and failures.pop(0):
            await announced(position, frozenset({CallerId("lost")}))
            raise ConnectionError("nobody there")
        await announced(position, touched)

    callback: OnCommit = unreliable
    async with working(Projector(memory_store, Counting(), database_url, callback)):
        await announced.times(1)
        for count, caller in ((2, "a"), (3, "b"), (4, "c")):
            await memory_store.append(many(caller, 1))
            await announced.times(count)
    assert announced.told == [(0, None), (1, {"lost"}), (2, None), (3, {"c"})]


async def test_a_line_cut_after_the_rows_were_written_counts_nothing_twice(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    counting, announced = Counting(), Announced()
    await memory_store.append(many("a", 5))
    counting.breaks_at = 5
    async with working(Projector(memory_store, counting, database_url, announced)):
        await announced.reached(5)
    assert counting.loads == 2
    assert await rows(database_url) == {"a": 5}


async def test_a_killed_connection_is_replaced_and_nothing_is_lost(
    event_store: JetStreamEventStore, database_url: str
) -> None:
    announced = Announced()
    async with working(Projector(event_store, Counting(), database_url, announced)):
        for number in range(3):
            position = await event_store.append([shown("a", f"before {number}")])
            await announced.reached(position)
            async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'view_counting'"
                )
            position = await event_store.append([shown("a", f"after {number}")])
            await announced.reached(position)
    assert await rows(database_url) == {"a": 6}


async def test_it_outlives_a_killed_postgresql(event_store: JetStreamEventStore, tmp_path: Path) -> None:
    async with restartable(PostgresServer(tmp_path / "postgres")) as postgres:
        announced = Announced()
        async with working(Projector(event_store, Counting(), postgres.url, announced)):
            await announced.reached(await event_store.append(many("a", 2)))
            await postgres.kill()
            position = await event_store.append(many("b", 2))
            await postgres.start()
            await announced.reached(position)
        assert await rows(postgres.url) == {"a": 2, "b": 2}


async def test_of_two_projectors_one_writes_and_the_other_takes_over(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    first, second = Announced(), Announced()
    other = Projector(memory_store, Counting(), database_url, second)
    async with working(Projector(memory_store, Counting(), database_url, first)):
        await first.times(1)
        async with working(other):
            await memory_store.append(many("a", 3))
            await first.reached(3)
            assert not other.ready
            assert second.told == []
            async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
                # The holder of the lock is cut off; whichever of the two is next goes on from the checkpoint.
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                )
            await memory_store.append(many("b", 3))
            async with make_pool(database_url) as pool:
                await wait_for(pool, "view_counting", 6, timeout=60)
    assert await rows(database_url) == {"a": 3, "b": 3}


async def test_a_projector_whose_checkpoint_was_moved_writes_nothing_and_loads_anew(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    await memory_store.append(many("a", 2))
    announced, counting = Announced(), Counting()
    async with working(Projector(memory_store, counting, database_url, announced)):
        await announced.reached(2)
        async with await AsyncConnection.connect(database_url) as connection:
            # Another one has seen the third event already.
            await connection.execute("UPDATE view_counting.checkpoint SET position = 3")
            await connection.execute("UPDATE view_counting.counts SET shown = 100")
        await memory_store.append(many("b", 2))
        await announced.reached(4)
    assert counting.loads == 2
    assert await rows(database_url) == {"a": 100, "b": 1}


async def test_tables_of_another_shape_are_made_anew_from_the_log(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    await memory_store.append(many("a", 4))
    await Projector(memory_store, Counting(), database_url).catch_up()
    await Projector(memory_store, Counting(column="seen"), database_url).catch_up()
    assert await rows(database_url, column="seen") == {"a": 4}


async def test_a_rebuilt_view_takes_the_place_of_the_old_one_under_a_working_projector(
    memory_store: MemoryEventStore, database_url: str
) -> None:
    await memory_store.append(many("a", 3))
    announced, counting = Announced(), Counting()
    async with working(Projector(memory_store, counting, database_url, announced)):
        await announced.reached(3)
        async with await AsyncConnection.connect(database_url) as connection:
            await connection.execute("UPDATE view_counting.counts SET shown = 99")
        await Projector(memory_store, Counting("view_counting_next"), database_url).catch_up()
        async with await AsyncConnection.connect(database_url) as connection:
            await connection.execute("DROP SCHEMA view_counting CASCADE")
            await connection.execute("ALTER SCHEMA view_counting_next RENAME TO view_counting")
        await memory_store.append(many("b", 2))
        await announced.reached(5)
    assert await rows(database_url) == {"a": 3, "b": 2}
    assert counting.loads == 2


async def test_a_view_that_does_not_get_there_is_unavailable(database_url: str) -> None:
    await Projector(MemoryEventStore(), Counting(), database_url).catch_up()
    async with make_pool(database_url) as pool:
        assert await wait_for(pool, "view_counting", 0) == 0
        with pytest.raises(Unavailable):
            await wait_for(pool, "view_counting", 1, timeout=0.05)
        with pytest.raises(Unavailable):
            await wait_for(pool, "view_unknown", 1, timeout=0.05)
