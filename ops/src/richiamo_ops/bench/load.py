"""How is a server put under load without costing more than it does? Bare HTTP/1.1 on open connections.

An ordinary client library needs as much time for a request as the server for its answer, and on one machine both
share the cores. Only what the bench needs is here: `Content-Length` answers, and streams that are read for ever.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from richiamo_kit.errors import Unavailable

_LOOPBACK = "127.0.0.1"
_TAKEN_UP = 0.5
"""Seconds in which a server takes up many connections that were opened at once: those of browsers have been open."""


class Request(NamedTuple):
    """One request: method, path with query, header lines each ended by CRLF, body."""

    method: str
    path: str
    headers: str = ""
    body: bytes = b""


class Answer(NamedTuple):
    """Status and body."""

    status: int
    body: bytes


@dataclass(slots=True)
class Run:
    """What one load did: the seconds each answer took, and how many had which status."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def took(self, latency: float, status: int) -> None:
        self.latencies.append(latency)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def require(self, *allowed: int) -> "Run":
        """This run, if every answer had one of these statuses; else `Unavailable`: it measured something else."""
        wrong = {status: times for status, times in self.statuses.items() if status not in allowed}
        if wrong:
            raise Unavailable(f"answers that were not expected, by status: {wrong}")
        return self


class Connection:
    """One connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection(_LOOPBACK, port))

    async def ask(self, request: Request) -> Answer:
        self.send(request)
        head = await self._head()
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
        body = await self._reader.readexactly(int(length)) if length else b""
        return Answer(int(head[9:12]), body)

    def send(self, request: Request) -> None:
        self._writer.write(
            f"{request.method} {request.path} HTTP/1.1\r\nHost: {_LOOPBACK}\r\n{request.headers}"
            f"Content-Length: {len(request.body)}\r\n\r\n".encode()
            + request.body
        )

    async def _head(self) -> bytes:
        return await self._reader.readuntil(b"\r\n\r\n")

    async def listen(self, hear: Callable[[bytes], None]) -> None:
        """Hand on whatever comes, for ever; the answer's head must say 200."""
        head = await self._head()
        if head[9:12] != b"200":
            raise Unavailable(f"a stream was refused: {head[:60]!r}")
        while chunk := await self._reader.read(65536):
            hear(chunk)

    def close(self) -> None:
        self._writer.close()


async def connections(port: int, number: int) -> list[Connection]:
    return [await Connection.open(port) for _ in range(number)]


async def flat_out(port: int, number: int, seconds: float, requests: Sequence[Iterator[Request]]) -> Run:
    """Each of `number` connections asks again as soon as it has its answer, until the time or its requests are over.

    `requests` has one source for all connections, or one for each.
    """
    opened = await connections(port, number)
    run = Run()
    began = time.perf_counter()

    async def ask_on(connection: Connection, source: Iterator[Request]) -> None:
        for request in source:
            start = time.perf_counter()
            if start - began > seconds:
                return
            answer = await connection.ask(request)
            run.took(time.perf_counter() - start, answer.status)

    await asyncio.gather(*(ask_on(one, source) for one, source in zip(opened, itertools.cycle(requests), strict=False)))
    run.seconds = time.perf_counter() - began
    for one in opened:
        one.close()
    return run


async def paced(port: int, number: int, rate: float, seconds: float, requests: Sequence[Iterator[Request]]) -> Run:
    """So many requests a second, each at its instant whether or not those before it were answered.

    An answer's time counts from that instant, so that a server that stalls is not measured more kindly for it.
    """
    opened = await connections(port, number)
    await asyncio.sleep(_TAKEN_UP)
    free: asyncio.Queue[tuple[Connection, Iterator[Request]]] = asyncio.Queue()
    for one, source in zip(opened, itertools.cycle(requests), strict=False):
        free.put_nowait((one, source))
    run = Run()
    began = time.perf_counter()

    async def ask_at(instant: float) -> None:
        connection, source = await free.get()
        request = next(source, None)
        if request is not None:
            answer = await connection.ask(request)
            run.took(time.perf_counter() - instant, answer.status)
            free.put_nowait((connection, source))

    asked = []
    for step in range(int(rate * seconds)):
        instant = began + step / rate
        await asyncio.sleep(max(0.0, instant - time.perf_counter()))
        asked.append(asyncio.create_task(ask_at(instant)))
    await asyncio.gather(*asked)
    run.seconds = time.perf_counter() - began
    for one in opened:
        one.close()
    return run
