"""Does each stream get what its user may see, in bounded memory? Without servers: a feed and rows of the test's own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from richiamo_gateway.auth.user import User
from richiamo_gateway.feed import Notice
from richiamo_gateway.live import Live, as_json
from richiamo_kit.errors import Unavailable

ANNA = User(username="anna", name="Anna", role="operator", extension="201", queues=(), language="it", masked=False)
BERTA = replace(ANNA, username="berta", role="supervisor", extension="299")


class Feed:
    """Gives out what the test puts in."""

    def __init__(self, history: Sequence[Notice] = ()) -> None:
        self._batches: asyncio.Queue[Sequence[Notice]] = asyncio.Queue()
        self._batches.put_nowait(history)

    def put(self, *notices: Notice) -> None:
        self._batches.put_nowait(notices)

    async def follow(self) -> AsyncGenerator[Sequence[Notice], None]:
        while True:
            yield await self._batches.get()


class Rows:
    """Answers with one row a caller and counts the questions."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        self.asked: list[dict[str, Any]] = []
        self.away = False

    async def ask(self, subject: str, payload: Mapping[str, Any], timeout: float = 5.0) -> dict[str, Any]:
        assert subject == "richiamo.queue.rows"
        if self.away:
            raise Unavailable("nobody answers")
        self.asked.append(dict(payload))
        shown = "xxx" if payload["user"]["masked"] else "+390501234567"
        link = f"https://crm.example/?ext={payload['user']['extension']}"
        return {
            "items": [
                {"caller_id": caller, "queue": "sales", "number": shown, "link": link, **self.fields}
                for caller in payload["caller_ids"]
            ]
        }


@asynccontextmanager
async def following(feed: Feed, rows: Rows, log_position: int = 0) -> AsyncIterator[Live]:
    async def position() -> int:
        return log_position

    live = Live(rows, feed, position)
    task = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_rows_are_asked_once_for_all_streams() -> None:
    feed, rows = Feed(), Rows()
    async with following(feed, rows) as live:
        streams = [live.subscribe(ANNA), live.subscribe(replace(ANNA, username="bruno")), live.subscribe(BERTA)]
        feed.put(Notice(7, ("a", "b")))
        changes = [await stream.next_within(5) for stream in streams]
        assert [change.position for change in changes if change] == [7, 7, 7]
        assert len(rows.asked) == 1
        assert changes[0]
        assert changes[1]
        assert changes[0].once("json", as_json) is changes[0].once("json", as_json)


async def test_a_link_carries_the_extension_of_whoever_looks() -> None:
    feed, rows = Feed(), Rows()
    async with following(feed, rows) as live:
        streams = [live.subscribe(ANNA), live.subscribe(BERTA)]
        feed.put(Notice(7, ("a",)))
        links = [change.items[0]["link"] for stream in streams if (change := await stream.next_within(5))]
        assert links == ["https://crm.example/?ext=201", "https://crm.example/?ext=299"]


async def test_masked_numbers_are_masked_by_the_service_that_knows_them() -> None:
    feed, rows = Feed(), Rows()
    async with following(feed, rows) as live:
        streams = [live.subscribe(replace(ANNA, masked=True)), live.subscribe(BERTA)]
        feed.put(Notice(7, ("a",)))
        numbers = [change.items[0]["number"] for stream in streams if (change := await stream.next_within(5))]
        assert numbers == ["xxx", "+390501234567"]


async def test_hidden_rows_are_for_their_holder_and_supervisors() -> None:
    feed, rows = Feed(), Rows(hidden_until="2026-01-01T10:00:00+01:00", reserved_by="anna")
    async with following(feed, rows) as live:
        streams = [live.subscribe(user) for user in (ANNA, replace(ANNA, username="bruno"), BERTA)]
        feed.put(Notice(7, ("a",)))
        seen = [len(change.items) for stream in streams if (change := await stream.next_within(5))]
        assert seen == [1, 0, 1]


async def test_a_queue_that_is_not_theirs_is_left_out() -> None:
    feed, rows = Feed(), Rows()
    async with following(feed, rows) as live:
        stream = live.subscribe(replace(ANNA, queues=("support",)))
        feed.put(Notice(7, ("a",)))
        change = await stream.next_within(5)
        assert change
        assert (change.callers, change.items) == (("a",), ())


async def test_a_browser_that_does_not_read_is_told_to_read_everything() -> None:
    feed, rows = Feed(), Rows()
    async with following(feed, rows) as live:
        slow, other = live.subscribe(ANNA), live.subscribe(BERTA)
        for position in range(1, 1001):
            feed.put(Notice(position, ("a",)))
            assert await other.next_within(5)
        change = await slow.next_within(5)
        assert change
        assert change.resync
        waiting = last = 0
        while change := await slow.next_within(0.01):
            waiting += 1
            last = change.position
        assert waiting < 256
        assert last == 1000


async def test_what_was_missed_comes_in_order_and_then_what_is_new() -> None:
    feed, rows = Feed([Notice(3, ("a",)), Notice(5, ("b",)), Notice(9, ("a", "c"))]), Rows()
    async with following(feed, rows) as live:
        stream = live.subscribe(ANNA, last_event_id=3)
        assert [change.position for _ in range(2) if (change := await stream.next_within(5))] == [5, 9]
        assert len(rows.asked) == 1
        feed.put(Notice(11, ("a",)))
        change = await stream.next_within(5)
        assert change
        assert change.position == 11


async def test_before_the_memory_begins_there_is_only_resync() -> None:
    feed, rows = Feed([Notice(5, resync=True), Notice(9, ("a",))]), Rows()
    async with following(feed, rows) as live:
        for seen, resync in ((3, True), (5, False)):
            change = await live.subscribe(ANNA, last_event_id=seen).next_within(5)
            assert change
            assert (change.position, change.resync) == (9, resync)


async def test_rows_that_cannot_be_had_are_told_as_resync() -> None:
    feed, rows = Feed(), Rows()
    rows.away = True
    async with following(feed, rows) as live:
        stream = live.subscribe(ANNA)
        feed.put(Notice(7, ("a",)))
        change = await stream.next_within(5)
        assert change
        assert (change.position, change.resync) == (7, True)


async def test_a_closed_stream_ends() -> None:
    async with following(Feed(), Rows()) as live:
        stream = live.subscribe(ANNA)
        live.close()
        assert [change async for change in stream] == []
        assert live.streams == 0
        assert live.subscribe(ANNA).closed
