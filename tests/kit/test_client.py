"""Does a client on uvloop outlive every moment at which its connection can be reset?

The client runs on uvloop in a thread of its own, as in the services; what resets it runs on asyncio's loop.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
import uvloop
from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.messaging import ask, make_broker
from richiamo_kit.store.api import api
from richiamo_kit.store.connection import connect

pytestmark = pytest.mark.servers

_RESET = struct.pack("ii", 1, 0)


class Door:
    """What every connection to NATS goes through, and what can shut it in the client's face."""

    def __init__(self, nats_url: str) -> None:
        address = urlsplit(nats_url)
        self._login = address.netloc.rpartition("@")[0]
        self._host, self._port = address.hostname, address.port
        self._through: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.get_running_loop()
        self.greetings = 0
        """How many connections more are reset in the very moment in which the server has greeted."""

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        here = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return f"nats://{self._login}@{here}" if self._login else f"nats://{here}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._cut()

    def cut(self) -> None:
        """Reset every connection there is; from any thread."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in self._through:
            _reset(writer)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_nats, to_nats = await asyncio.open_connection(self._host, self._port)
        if self.greetings:
            self.greetings -= 1
            writer.write(await from_nats.readline())
            _reset(writer)
            to_nats.close()
            return
        self._through.add(writer)
        await asyncio.gather(_pass_on(reader, to_nats), _pass_on(from_nats, writer))
        self._through.discard(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
    writer.close()


@asynccontextmanager
async def door(nats_url: str) -> AsyncIterator[tuple[Door, str]]:
    one = Door(nats_url)
    url = await one.open()
    try:
        yield one, url
    finally:
        await one.close()


async def on_uvloop(main: Callable[[Door, str], Awaitable[None]], nats_url: str) -> None:
    async def limited(way: Door, url: str) -> None:
        async with asyncio.timeout(60):
            await main(way, url)

    def run(way: Door, url: str) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(limited(way, url))

    async with door(nats_url) as (way, url):
        await asyncio.to_thread(run, way, url)


async def _greeted_in_vain(way: Door, times: int) -> None:
    way.greetings = times
    way.cut()
    while way.greetings:
        await asyncio.sleep(0.01)


async def _is_back(client: Client) -> None:
    while True:
        with suppress(Unavailable):
            await api(client, "INFO")
            return
        await asyncio.sleep(0.02)


async def test_a_server_that_goes_in_the_moment_of_its_greeting_leaves_nobody_deaf(nats_url: str) -> None:
    async def main(way: Door, url: str) -> None:
        client = await connect(url)
        try:
            for _ in range(4):
                await _greeted_in_vain(way, 5)
                await _is_back(client)
        finally:
            await client.close()

    await on_uvloop(main, nats_url)


async def test_a_broker_answers_again_after_greetings_that_led_nowhere(nats_url: str) -> None:
    async def main(way: Door, url: str) -> None:
        broker, asking = make_broker(url, name="deaf"), make_broker(nats_url, name="asking")

        @broker.subscriber("kit.deaf")
        async def answer(payload: dict[str, object]) -> dict[str, object]:
            return {"answer": payload}

        await broker.start()
        await asking.start()
        try:
            for _ in range(4):
                await _greeted_in_vain(way, 5)
                assert await ask(asking, "kit.deaf", {"still": "there"}, timeout=20) == {"still": "there"}
        finally:
            await asking.stop()
            await broker.stop()

    await on_uvloop(main, nats_url)
