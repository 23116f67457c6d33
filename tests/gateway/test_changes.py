"""Does a stream say what changed, and after a break exactly what was missed?"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House, listening
from tests.gateway.lost_calls import caller_of, lose

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("queue_service")]


@dataclass(frozen=True)
class Event:
    id: int
    name: str
    data: dict[str, Any]


class Stream:
    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> Event:
        """The next event; comments and empty blocks are passed over."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(60):
            async for line in self._lines:
                if line == "" and "data" in fields:
                    return Event(int(fields["id"]), fields.get("event", ""), json.loads(fields["data"]))
                name, _, value = line.partition(": ")
                fields[name] = value
        raise AssertionError("the stream ended")

    async def until(self, position: int) -> Event:
        """The event of a position; those before it are passed over."""
        while (event := await self.next()).id < position:
            pass
        return event


@asynccontextmanager
async def changes(client: httpx.AsyncClient, last_event_id: int | None = None) -> AsyncIterator[Stream]:
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    async with client.stream("GET", "/changes", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        yield Stream(lines)


async def test_a_lost_call_is_told_with_its_row(house: House, event_store: JetStreamEventStore, data_dir: Path) -> None:
    anna = await house.person("anna")
    caller = await caller_of(event_store, data_dir, "+390501234567")
    async with changes(anna) as stream:
        position = await lose(event_store, caller, "1.1")
        event = await stream.until(position)
        assert event.data["position"] == event.id == position
        assert event.data["callers"] == [caller]
        assert [item["number"] for item in event.data["items"]] == ["+390501234567"]
        reserved = await anna.put(f"/callers/{caller}/reservation")
        event = await stream.until(reserved.json()["position"])
        assert event.data["items"][0]["reserved_by"] == "anna"


async def test_after_a_break_comes_exactly_what_was_missed(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    anna = await house.person("anna")
    callers = [await caller_of(event_store, data_dir, f"+39050123456{digit}") for digit in range(5)]
    async with changes(anna) as stream:
        seen = (await stream.until(await lose(event_store, callers[0], "1.0"))).id
        positions = [await lose(event_store, caller, f"1.{number}") for number, caller in enumerate(callers) if number]
        await stream.until(positions[-1])
    async with changes(anna, seen) as stream:
        told: list[str] = []
        while len(told) < 4:
            event = await stream.next()
            assert event.name == ""
            told += [item["caller_id"] for item in event.data["items"]]
        assert sorted(told) == sorted(callers[1:])
        last = await lose(event_store, callers[0], "2.0")
        assert (await stream.next()).id == last


async def test_another_gateway_resumes_too(
    house: House, event_store: JetStreamEventStore, data_dir: Path, nats_url: str, database_url: str
) -> None:
    anna = await house.person("anna")
    caller = await caller_of(event_store, data_dir, "+390501234567")
    async with changes(anna) as stream:
        seen = (await stream.until(await lose(event_store, caller, "1.1"))).id
        missed = await lose(event_store, caller, "1.2")
        await stream.until(missed)
    async with listening(nats_url, database_url) as other:
        there = await other.login("anna", "pw-anna")
        async with changes(there, seen) as stream:
            event = await stream.next()
            assert (event.id, event.data["callers"]) == (missed, [caller])


async def test_what_is_beyond_memory_is_told_as_resync(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    anna = await house.person("anna")
    caller = await caller_of(event_store, data_dir, "+390501234567")
    async with changes(anna) as stream:
        await stream.until(await lose(event_store, caller, "1.1"))
    house.gateway.live._floor = 10**9
    async with changes(anna, 1) as stream:
        event = await stream.next()
        assert (event.name, event.data["resync"]) == ("resync", True)


async def test_a_queue_that_one_may_not_see_stays_unseen(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    anna = await house.person("anna", queues=["sales"], masked=True)
    caller = await caller_of(event_store, data_dir, "+390501234567")
    async with changes(anna) as stream:
        await lose(event_store, caller, "1.1", queue="support")
        position = await lose(event_store, caller, "1.2", queue="sales")
        event = await stream.until(position)
        assert [item["queue"] for item in event.data["items"]] == ["sales"]
        assert "4567" not in event.data["items"][0]["number"]


async def test_a_stream_ends_with_the_session(house: House) -> None:
    anna = await house.person("anna")
    subscriptions = house.gateway.live
    async with changes(anna):
        assert subscriptions.streams == 1
    while subscriptions.streams:
        await asyncio.sleep(0.01)
