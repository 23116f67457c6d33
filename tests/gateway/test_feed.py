"""Does the feed of changes outlive the server that holds them in memory?"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from richiamo_gateway.feed import UNKNOWN, JetStreamFeed, Notice, read_notice
from richiamo_kit.servers import NatsServer, running
from richiamo_kit.store.connection import connect
from richiamo_kit.store.streams import CHANGES_SUBJECT


def message(position: int, *callers: str) -> bytes:
    return json.dumps({"position": position, "callers": callers}).encode()


def test_a_message_that_cannot_be_read_is_a_reason_to_read_everything() -> None:
    for body in (b"", b"[]", b"{}", b'{"position": null}', b"\xff"):
        assert read_notice(body) == Notice(UNKNOWN, resync=True)
    assert read_notice(message(7, "a")) == Notice(7, ("a",))


@pytest.mark.servers
@pytest.mark.slow
async def test_a_restart_of_the_server_is_told_as_resync_and_then_it_goes_on(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    async with running(server) as url:
        client = await connect(url)
        js = client.jetstream()
    try:
        async with aclosing(JetStreamFeed(client).follow()) as batches:
            async with running(server):
                told: list[Notice] = [*await _next(batches)]
                await js.publish(CHANGES_SUBJECT, message(5, "b"))
                while Notice(5, ("b",)) not in told:
                    told += await _next(batches)
            async with running(server):
                while Notice(UNKNOWN, resync=True) not in told:
                    told += await _next(batches)
                await js.publish(CHANGES_SUBJECT, message(9, "c"))
                while told[-1] != Notice(9, ("c",)):
                    told += await _next(batches)
    finally:
        await client.close()
    assert [notice.position for notice in told] == [5, UNKNOWN, 9]


async def _next(batches: AsyncIterator[Sequence[Notice]]) -> Sequence[Notice]:
    async with asyncio.timeout(60):
        return await anext(batches)
