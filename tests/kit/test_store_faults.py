"""Does the log on JetStream survive its server? Killed, frozen and restarted under readers and writers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from richiamo_events import subjects
from richiamo_events.ids import CallerId
from richiamo_kit.errors import StreamMoved, Unavailable
from richiamo_kit.servers import NatsServer
from richiamo_kit.store.api import JetStreamError, api
from richiamo_kit.store.jetstream import JetStreamEventStore, connect, ensure_streams
from richiamo_kit.store.messages import newest_on
from richiamo_kit.store.port import Guarded
from richiamo_kit.store.publish import publish
from richiamo_kit.store.streams import CDR, EVENTS
from tests.kit.events import many, shown
from tests.kit.servers import Restartable, restartable

pytestmark = pytest.mark.servers

A = subjects.caller(CallerId("a"))


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Restartable]:
    async with restartable(NatsServer(tmp_path / "nats")) as running:
        yield running


@pytest_asyncio.fixture
async def store(server: Restartable) -> AsyncIterator[JetStreamEventStore]:
    client = await connect(server.url)
    await ensure_streams(client)
    yield JetStreamEventStore(client)
    await client.close()


class Tail:
    """Follows in the background and remembers when each position came."""

    def __init__(self, store: JetStreamEventStore) -> None:
        self.positions: list[int] = []
        self._grown = asyncio.Event()
        self._task = asyncio.create_task(self._follow(store))

    async def _follow(self, store: JetStreamEventStore) -> None:
        async with aclosing(store.follow(0)) as batches:
            async for batch in batches:
                self.positions.extend(event.position for event in batch)
                self._grown.set()

    async def reached(self, position: int) -> None:
        async with asyncio.timeout(60):
            while not self.positions or self.positions[-1] < position:
                self._grown.clear()
                await self._grown.wait()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_a_live_tail_goes_on_after_a_kill(server: Restartable, store: JetStreamEventStore) -> None:
    tail = Tail(store)
    await tail.reached(await store.append(many("a", 10)))
    await server.kill()
    await server.start()
    last = await store.append([shown("a", "after")])
    await tail.reached(last)
    assert tail.positions == list(range(1, 12))
    await tail.close()


async def test_a_live_tail_that_is_idle_during_the_kill_sees_what_another_writes(
    server: Restartable, store: JetStreamEventStore
) -> None:
    tail = Tail(store)
    await tail.reached(await store.append([shown("a", "1")]))
    for turn in range(3):
        await server.kill()
        await server.start()
        other = await connect(server.url)
        last = await JetStreamEventStore(other).append([shown("a", f"turn {turn}")])
        await tail.reached(last)
        await other.close()
    assert tail.positions == [1, 2, 3, 4]
    await tail.close()


async def test_every_acknowledged_event_survives_kills_and_is_there_once(
    server: Restartable, store: JetStreamEventStore
) -> None:
    acknowledged: list[str] = []
    enough = asyncio.Event()

    async def write() -> None:
        position = 0
        for number in range(10_000):
            position = await store.append([shown("a", str(number))], expected=position)
            acknowledged.append(str(number))
            if enough.is_set():
                return

    writer = asyncio.create_task(write())
    for target in (50, 100, 150):
        async with asyncio.timeout(60):
            while len(acknowledged) < target:
                await asyncio.sleep(0.005)
        await server.kill()
        await server.start()
    enough.set()
    await asyncio.wait_for(writer, 60)
    assert [event.id async for event in store.read()] == acknowledged


async def test_an_append_whose_answer_was_lost_is_found_when_the_server_wakes(
    server: Restartable, store: JetStreamEventStore
) -> None:
    await store.append([shown("a", "1")])
    server.freeze()
    append = asyncio.create_task(store.append([shown("a", "2")], expected=1))
    batch = asyncio.create_task(store.append_guarded([Guarded(subjects.caller(CallerId("b")), 0, many("b", 3))]))
    # Longer than one try's time-out: both are sent again while the first tries still lie in the socket.
    await asyncio.wait([append, batch], timeout=2.5)
    assert not append.done()
    server.thaw()
    assert await append in (2, 5)
    assert await batch in (4, 5)
    assert sorted([event.id async for event in store.read()]) == ["1", "2", "b-0", "b-1", "b-2"]


@pytest.mark.slow
async def test_a_log_that_stays_away_is_unavailable_after_eight_seconds(
    server: Restartable, store: JetStreamEventStore
) -> None:
    await server.kill()
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await store.append([shown("a", "1")])
    assert time.monotonic() - started > 7
    await server.start()
    # What waited in the connection may have been stored, so a repeat must not store it again.
    await store.append([shown("a", "1")])
    assert [event.id async for event in store.read()] == ["1"]


@pytest.mark.slow
async def test_a_log_that_is_full_refuses_forgets_nothing_and_goes_on_when_there_is_room(
    store: JetStreamEventStore,
) -> None:
    async def room(max_bytes: int) -> None:
        configuration = (await api(store.client, f"STREAM.INFO.{EVENTS}"))["config"]
        assert isinstance(configuration, dict)
        await api(store.client, f"STREAM.UPDATE.{EVENTS}", {**configuration, "max_bytes": max_bytes})

    await store.append([shown("a", "1")])
    await room(500)
    with pytest.raises(Unavailable):
        await store.append(many("a", 5, 2))
    with pytest.raises(Unavailable):
        await store.append_guarded([Guarded(subjects.caller(CallerId("b")), 0, many("b", 5))])
    assert [event.id async for event in store.read()] == ["1"]
    await room(-1)
    await store.append([shown("a", "2")])
    await store.append_guarded([Guarded(subjects.caller(CallerId("b")), 0, many("b", 5))])
    assert [event.id async for event in store.read()] == ["1", "2", *(f"b-{number}" for number in range(5))]


async def test_a_caller_moved_by_another_connection_is_noticed(server: Restartable, store: JetStreamEventStore) -> None:
    other = await connect(server.url)
    await JetStreamEventStore(other).append([shown("a", "1")])
    with pytest.raises(StreamMoved):
        await store.append([shown("a", "2")], expected=0)
    await other.close()


async def test_a_flush_of_twenty_thousand_callers_is_one_batch_and_more_is_refused(
    store: JetStreamEventStore,
) -> None:
    groups = [
        Guarded(subjects.caller(CallerId(f"c{number}")), 0, [shown(f"c{number}", "flush")]) for number in range(20_001)
    ]
    with pytest.raises(ValueError, match="at once"):
        await store.append_guarded(groups)
    assert await store.last_position() == 0
    assert await store.append_guarded(groups[:-1]) == 20_000


async def test_other_streams_take_messages_by_id_once(store: JetStreamEventStore) -> None:
    first = await publish(store.client, "richiamo.cdr.main", b"{}", message_id="1")
    again = await publish(store.client, "richiamo.cdr.main", b"{}", message_id="1")
    assert (again.position, again.duplicate) == (first.position, True)
    stored = await newest_on(store.client, CDR, "richiamo.cdr.>")
    assert stored is not None
    assert stored.body == b"{}"


async def test_the_log_refuses_to_forget(store: JetStreamEventStore) -> None:
    await store.append([shown("a", "1")])
    for question, content in (("STREAM.PURGE", {}), ("STREAM.MSG.DELETE", {"seq": 1})):
        with pytest.raises(JetStreamError):
            await api(store.client, f"{question}.{EVENTS}", content)
    await ensure_streams(store.client)
    assert await store.last_position() == 1
