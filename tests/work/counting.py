"""What does a service really ask of its servers? Counted on the wire, between it and them, by who asks."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_LIMIT = 16 * 1024 * 1024
_NO_TLS = {80877103, 80877104}
"""Requests for TLS or GSS encryption, which have no type byte."""

Told = Callable[[str], None]


class Counts(Counter[str]):
    """How many statements (`sql <application>`) and messages (`nats <connection> <subject>`) went out."""

    def of(self, start: str) -> int:
        return sum(times for name, times in self.items() if name.startswith(start))


@asynccontextmanager
async def counted_postgres(url: str, counts: Counts) -> AsyncIterator[str]:
    """The same database behind a door that counts every statement that is carried out, BEGIN and COMMIT too."""

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        application = ""
        while not application:
            head = await reader.readexactly(8)
            length, code = struct.unpack("!II", head)
            body = await reader.readexactly(length - 8)
            writer.write(head + body)
            await writer.drain()
            if code not in _NO_TLS:
                words = body.split(b"\0")
                application = words[words.index(b"application_name") + 1].decode()
        empty = False
        while True:
            head = await reader.readexactly(5)
            kind, length = struct.unpack("!cI", head)
            body = await reader.readexactly(length - 4)
            writer.write(head + body)
            await writer.drain()
            if kind == b"P":
                empty = not body.split(b"\0")[1]
            elif kind in {b"E", b"Q"}:
                # An empty statement asks whether a connection that was idle is still there; that depends on the time.
                counts[f"sql {application}"] += 0 if empty or body == b"\0" else 1
                empty = False

    async with _door(url, 5432, count) as through:
        yield through


@asynccontextmanager
async def counted_nats(url: str, counts: Counts) -> AsyncIterator[str]:
    """The same server behind a door that counts every message that is published, questions and answers too."""

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = ""
        while True:
            line = await reader.readuntil(b"\r\n")
            words = line.split()
            body = await reader.readexactly(int(words[-1]) + 2) if words[0] in {b"PUB", b"HPUB"} else b""
            if words[0] == b"CONNECT":
                name = line.decode().partition('"name":')[2].partition('"')[2].partition('"')[0]
            elif body:
                counts[f"nats {name} {words[1].decode()}"] += 1
            writer.write(line + body)
            await writer.drain()

    async with _door(url, 4222, count) as through:
        yield through


@asynccontextmanager
async def _door(
    url: str, port: int, count: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[str]:
    where = urlsplit(url)
    ends: set[asyncio.StreamWriter] = set()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, far = await asyncio.open_connection(where.hostname, where.port or port, limit=_LIMIT)
        ends.update((writer, far))
        # Whichever side ends the connection, the other half ends with it.
        with suppress(OSError, asyncio.IncompleteReadError):
            forth, back = asyncio.ensure_future(count(reader, far)), asyncio.ensure_future(_copy(there, writer))
            done, rest = await asyncio.wait({forth, back}, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            for task in done:
                task.result()
        writer.transport.abort()
        far.transport.abort()

    server = await asyncio.start_server(joined, "127.0.0.1", 0, limit=_LIMIT)
    login = where.netloc.rpartition("@")[0]
    try:
        yield urlunsplit(where._replace(netloc=f"{login}@127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    finally:
        server.close()
        for end in ends:
            end.transport.abort()
        await server.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
