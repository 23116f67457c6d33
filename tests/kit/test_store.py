"""Does every event store keep its word? One contract, run on the in-memory twin and on NATS JetStream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio

from richiamo_events import subjects
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_kit.errors import StreamMoved
from richiamo_kit.store.api import api_patiently
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore, ensure_streams
from richiamo_kit.store.port import EventStore, Guarded
from richiamo_kit.store.streams import configurations
from richiamo_kit.testing import Background
from tests.kit.cluster import three_nodes
from tests.kit.events import NOON, many, shown

A = subjects.caller(CallerId("a"))
B = subjects.caller(CallerId("b"))
C = subjects.caller(CallerId("c"))


@pytest.fixture(scope="module")
def cluster_url(background_servers: Background, tmp_path_factory: pytest.TempPathFactory) -> str:
    return background_servers.enter(three_nodes(tmp_path_factory.mktemp("cluster"))).url


@pytest_asyncio.fixture
async def cluster_store(cluster_url: str) -> AsyncIterator[EventStore]:
    client = await connect(cluster_url, name="test")
    await ensure_streams(client, replicas=3)
    yield JetStreamEventStore(client)
    for name in configurations():
        await api_patiently(client, f"STREAM.DELETE.{name}")
    await client.close()


@pytest.fixture(
    params=[
        "memory_store",
        pytest.param("event_store", marks=pytest.mark.servers),
        pytest.param("cluster_store", marks=[pytest.mark.servers, pytest.mark.slow]),
    ]
)
def store(request: pytest.FixtureRequest) -> EventStore:
    kept: EventStore = request.getfixturevalue(request.param)
    return kept


async def ids(events: AsyncIterator[Recorded]) -> list[str]:
    return [event.id async for event in events]


async def taken(store: EventStore, after: int, count: int, *, subject: str = subjects.ALL) -> list[Recorded]:
    found: list[Recorded] = []
    async with asyncio.timeout(60), aclosing(store.follow(after, subject=subject)) as batches:
        async for batch in batches:
            found.extend(batch)
            if len(found) >= count:
                break
    return found


class TestAppending:
    async def test_an_event_comes_back_as_it_went_with_its_position(self, store: EventStore) -> None:
        position = await store.append([shown("a", "1", by="Niccolò")])
        [event] = [event async for event in store.read()]
        assert event.position == position == await store.last_position()
        assert (event.id, event.subject, event.occurred_at, event.actor) == ("1", A, NOON, "user:anna")
        assert event.data == shown("a", "1", by="Niccolò").data
        assert event.recorded_at.tzinfo is not None

    async def test_nothing_to_append_is_no_error(self, store: EventStore) -> None:
        assert await store.append([]) == 0
        assert await store.append_guarded([]) == 0

    async def test_the_expected_position_lets_the_next_event_in(self, store: EventStore) -> None:
        first = await store.append([shown("a", "1")], expected=0)
        await store.append([shown("b", "1")], expected=0)
        second = await store.append([shown("a", "2")], expected=first)
        assert second > first
        assert await store.last_on(A) == second

    async def test_a_wrong_expected_position_stores_nothing_and_names_the_subject(self, store: EventStore) -> None:
        await store.append([shown("a", "1")])
        with pytest.raises(StreamMoved) as moved:
            await store.append([shown("a", "2")], expected=0)
        assert moved.value.subjects == (A,)
        assert await ids(store.read()) == ["1"]

    async def test_a_position_expected_of_an_empty_subject_is_wrong(self, store: EventStore) -> None:
        await store.append([shown("b", "1")])
        with pytest.raises(StreamMoved):
            await store.append([shown("a", "1")], expected=1)

    async def test_the_guard_is_of_one_subject(self, store: EventStore) -> None:
        with pytest.raises(ValueError, match="one subject"):
            await store.append([shown("a", "1"), shown("b", "1")], expected=0)

    async def test_of_a_hundred_racing_writers_one_wins(self, store: EventStore) -> None:
        async def attempt(number: int) -> bool:
            try:
                await store.append([shown("a", f"racer-{number}")], expected=0)
            except StreamMoved:
                return False
            return True

        won = await asyncio.gather(*(attempt(number) for number in range(100)))
        assert sum(won) == 1
        assert await ids(store.read()) == [f"racer-{won.index(True)}"]

    async def test_several_events_of_one_caller_are_stored_together_behind_one_guard(self, store: EventStore) -> None:
        first = await store.append([shown("a", "1")])
        last = await store.append(many("a", 3, start=10), expected=first)
        assert await ids(store.read(first)) == ["a-10", "a-11", "a-12"]
        assert await store.last_on(A) == last
        with pytest.raises(StreamMoved):
            await store.append(many("a", 3, start=20), expected=first)
        assert await store.last_position() == last


class TestAppendingAgain:
    async def test_a_repeated_fact_answers_its_first_position(self, store: EventStore) -> None:
        first = await store.append([shown("a", "1")])
        await store.append([shown("a", "2")])
        assert await store.append([shown("a", "1")]) == first
        assert await ids(store.read()) == ["1", "2"]

    async def test_the_same_id_of_another_caller_is_another_event(self, store: EventStore) -> None:
        await store.append([shown("a", "1")])
        await store.append([shown("b", "1")])
        assert [event.subject async for event in store.read()] == [A, B]

    async def test_after_a_lost_answer_the_same_append_answers_where_it_stands(self, store: EventStore) -> None:
        first = await store.append([shown("a", "1")], expected=0)
        assert await store.append([shown("a", "1")], expected=0) == first

    async def test_after_a_lost_answer_it_does_so_even_if_others_went_on(self, store: EventStore) -> None:
        first = await store.append([shown("a", "1")], expected=0)
        await store.append([shown("a", "2")], expected=first)
        assert await store.append([shown("a", "1")], expected=0) == first
        assert await ids(store.read()) == ["1", "2"]

    async def test_a_lost_answer_of_several_callers_is_found_too(self, store: EventStore) -> None:
        groups = [Guarded(A, 0, many("a", 2)), Guarded(B, 0, many("b", 2))]
        last = await store.append_guarded(groups)
        assert await store.append_guarded(groups) == last
        assert await ids(store.read()) == ["a-0", "a-1", "b-0", "b-1"]

    async def test_facts_of_which_some_are_known_are_completed(self, store: EventStore) -> None:
        await store.append([shown("a", "1")])
        last = await store.append([shown("a", "1"), shown("b", "1"), shown("a", "2")])
        assert await ids(store.read()) == ["1", "1", "2"]
        assert last == await store.last_position()


class TestSeveralCallers:
    async def test_all_or_nothing(self, store: EventStore) -> None:
        await store.append([shown("b", "1")])
        with pytest.raises(StreamMoved) as moved:
            await store.append_guarded([Guarded(A, 0, many("a", 2)), Guarded(B, 0, many("b", 2))])
        assert moved.value.subjects == (B,)
        assert await ids(store.read()) == ["1"]

    async def test_a_thousand_callers_at_once(self, store: EventStore) -> None:
        groups = [
            Guarded(subjects.caller(CallerId(f"c{number}")), 0, [shown(f"c{number}", "flush")])
            for number in range(1500)
        ]
        last = await store.append_guarded(groups)
        assert last == 1500
        assert await store.last_on(groups[-1].subject) == last

    async def test_of_two_overlapping_batches_one_wins_whole(self, store: EventStore) -> None:
        async def attempt(name: str) -> bool:
            try:
                await store.append_guarded(
                    [Guarded(subject, 0, [shown(subject[-1], f"{name}-{subject[-1]}")]) for subject in (A, B, C)]
                )
            except StreamMoved:
                return False
            return True

        won = await asyncio.gather(attempt("x"), attempt("y"), attempt("z"))
        assert sum(won) == 1
        winner = "xyz"[won.index(True)]
        assert await ids(store.read()) == [f"{winner}-a", f"{winner}-b", f"{winner}-c"]


class TestReading:
    async def test_from_any_position_in_order(self, store: EventStore) -> None:
        for event in many("a", 10):
            await store.append([event])
        assert await ids(store.read()) == [f"a-{number}" for number in range(10)]
        assert await ids(store.read(7)) == ["a-7", "a-8", "a-9"]
        assert await ids(store.read(7, until=8)) == ["a-7"]
        assert await ids(store.read(10)) == []
        assert await ids(store.read(99)) == []

    async def test_an_empty_log(self, store: EventStore) -> None:
        assert await ids(store.read()) == []
        assert await store.last_position() == 0
        assert await store.last_on(A) == 0

    async def test_one_subject_or_a_pattern(self, store: EventStore) -> None:
        for number in range(5):
            await store.append([shown("a", str(number)), shown("b", str(number))])
        await store.append([shown("c", "last")])
        assert await ids(store.read(subject=B)) == [str(number) for number in range(5)]
        assert await ids(store.read(4, subject=A, until=8)) == ["2", "3"]
        assert len(await ids(store.read(subject="richiamo.events.caller.*"))) == 11
        assert await store.last_on("richiamo.events.caller.>") == 11
        assert await store.last_on("richiamo.events.operator.>") == 0

    async def test_more_than_one_batch(self, store: EventStore) -> None:
        await store.append(many("a", 3000))
        assert await ids(store.read()) == [f"a-{number}" for number in range(3000)]


class TestFollowing:
    async def test_what_is_there_and_what_comes(self, store: EventStore) -> None:
        await store.append(many("a", 3))
        tail = asyncio.create_task(taken(store, 1, 4))
        last = 0
        for event in many("b", 2):
            last = await store.append([event])
        events = await tail
        assert [event.id for event in events] == ["a-1", "a-2", "b-0", "b-1"]
        assert [event.position for event in events] == list(range(2, last + 1))

    async def test_one_subject_only(self, store: EventStore) -> None:
        tail = asyncio.create_task(taken(store, 0, 3, subject=B))
        for event in [*many("a", 3), *many("b", 3)]:
            await store.append([event])
        assert [event.id for event in await tail] == ["b-0", "b-1", "b-2"]

    async def test_a_slow_reader_gets_everything_in_batches(self, store: EventStore) -> None:
        await store.append(many("a", 5000))
        events = await taken(store, 0, 5000)
        assert [event.position for event in events] == list(range(1, 5001))
