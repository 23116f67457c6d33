"""How soon does each browser show what happened, and what does a browser cost the gateway?"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import cast
from uuid import uuid4

from richiamo_kit.errors import Unavailable
from richiamo_ops.bench import bare_stream, load
from richiamo_ops.bench.edge import lost_call
from richiamo_ops.bench.figures import Figure, percentile
from richiamo_ops.bench.filling import number
from richiamo_ops.bench.load import Connection, Request
from richiamo_ops.bench.people import Staff
from richiamo_ops.bench.system import System, bare_server
from richiamo_ops.bench.views import caught_up
from richiamo_ops.site import Site

RATE = 20.0
"""Lost calls a second."""
_HEARD_WITHIN = 30.0
_LINES = 8
_CALLER = re.compile(rb"[0-9a-f]{32}")


async def measure(
    system: System, site: Site, staff: Staff, browsers: int, seconds: float, *, rate: float = RATE
) -> list[Figure]:
    """From the instant of a lost call to its row in each of so many open pages, beside a bare stream of the same bytes."""
    await caught_up(site)
    port = system.installation.gateway_port
    calls = [number() for _ in range(max(10, int(seconds * rate)))]
    sample = await _sample(system, site, staff)
    alone = system.memory_of("gateway")
    async with _listening(port, [f"Cookie: richiamo={token}\r\n" for token in staff.tokens], browsers) as heard:
        connected = system.memory_of("gateway")
        before = system.usage()
        sent = await _send(system.installation.ingest_port, [lost_call(caller) for caller in calls], rate)
        names = [str(await site.directory.find(caller)).encode() for caller in calls]
        delays = await _delays(heard, names, sent)
        cores = (system.usage().parts["gateway"] - before.parts["gateway"]) / (len(calls) / rate)
        loaded = system.memory_of("gateway")
    floor = await _floor(sample, browsers, len(calls), rate)
    return [
        Figure(
            key="d.row_p50",
            words=f"Call to row, {browsers} browsers, {rate:g}/s, half",
            value=percentile(delays, 0.5) * 1000,
            unit="ms",
            floor=percentile(floor, 0.5) * 1000,
        ),
        Figure(
            key="d.row_p99",
            words="  slowest 1 % (floor: a bare stream)",
            value=percentile(delays, 0.99) * 1000,
            unit="ms",
            floor=percentile(floor, 0.99) * 1000,
            target=250,
        ),
        Figure(key="d.gateway_cores", words="  cores of the gateway meanwhile", value=cores, unit="cores"),
        Figure(
            key="d.memory_per_browser",
            words="  gateway memory for a browser",
            value=max(0.0, connected - alone) / browsers / 1000,
            unit="kB",
        ),
        Figure(
            key="d.memory_per_browser_loaded",
            words="  the same after the load",
            value=max(0.0, loaded - alone) / browsers / 1000,
            unit="kB",
        ),
    ]


class _Stream(asyncio.Protocol):
    """One browser: asks for `/live` and notes when each caller was first named in what it hears.

    As bare as it can be: the browsers of a bench share the machine with what they measure.
    """

    def __init__(self, headers: str) -> None:
        self.first_seen: dict[bytes, float] = {}
        self.connected = asyncio.Event()
        self._rest = b""
        """What came last: a name may end in the piece after."""
        self._headers = headers
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._headers}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        instant = time.perf_counter()
        self.connected.set()
        text = self._rest + data
        self._rest = text[-64:]
        for caller in _CALLER.findall(text):
            self.first_seen.setdefault(caller, instant)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


@asynccontextmanager
async def _listening(port: int, headers: Sequence[str], browsers: int) -> AsyncIterator[list[_Stream]]:
    """So many streams, all of which have begun."""
    loop = asyncio.get_running_loop()
    heard = [_Stream(headers[nth % len(headers)]) for nth in range(browsers)]
    try:
        for one in heard:
            await loop.create_connection(partial(_as_it_is, one), "127.0.0.1", port)
        async with asyncio.timeout(_HEARD_WITHIN):
            await asyncio.gather(*(one.connected.wait() for one in heard))
        yield heard
    except TimeoutError:
        raise Unavailable("not every stream began, or one fell silent") from None
    finally:
        for one in heard:
            one.close()


def _as_it_is(stream: _Stream) -> _Stream:
    return stream


async def _send(port: int, requests: Sequence[Request], rate: float) -> list[float]:
    """Sends each at its instant; answers the instants, whether or not those before were answered by then."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    lines = await load.connections(port, _LINES)
    for line in lines:
        free.put_nowait(line)
    began = time.perf_counter()

    async def send(request: Request) -> None:
        line = await free.get()
        if (answer := await line.ask(request)).status != 200:
            raise Unavailable(f"{request.path} answered {answer.status}")
        free.put_nowait(line)

    instants = [began + step / rate for step in range(len(requests))]
    async with asyncio.TaskGroup() as sending:
        for instant, request in zip(instants, requests, strict=True):
            await asyncio.sleep(max(0.0, instant - time.perf_counter()))
            sending.create_task(send(request))
    for line in lines:
        line.close()
    return instants


async def _delays(heard: Sequence[_Stream], names: Sequence[bytes], sent: Sequence[float]) -> list[float]:
    """The seconds until each stream named each caller; raises `Unavailable` when one never did."""
    until = time.perf_counter() + _HEARD_WITHIN
    missing = len(names) * len(heard)
    while missing and time.perf_counter() < until:
        missing = sum(name not in one.first_seen for one in heard for name in names)
        if missing:
            await asyncio.sleep(0.1)
    if missing:
        raise Unavailable(f"{missing} of {len(names) * len(heard)} rows did not arrive")
    return [one.first_seen[name] - instant for one in heard for name, instant in zip(names, sent, strict=True)]


async def _sample(system: System, site: Site, staff: Staff) -> bytes:
    """The bytes by which the gateway tells of one lost call."""
    said = bytearray()
    caller = number()
    connection = await Connection.open(system.installation.gateway_port)
    connection.send(Request("GET", "/live", f"Cookie: richiamo={staff.tokens[0]}\r\n"))
    listening = asyncio.create_task(connection.listen(said.extend))
    try:
        until = time.perf_counter() + _HEARD_WITHIN
        while not said and time.perf_counter() < until:
            await asyncio.sleep(0.01)
        await _send(system.installation.ingest_port, [lost_call(caller)], RATE)
        name = str(await site.directory.find(caller)).encode()
        while time.perf_counter() < until:
            for message in bytes(said).split(b"\n\n")[:-1]:
                if name in message:
                    return message.replace(name, b"%s") + b"\n\n"
            await asyncio.sleep(0.01)
    finally:
        listening.cancel()
        connection.close()
        await asyncio.gather(listening, return_exceptions=True)
    raise Unavailable("the stream did not tell of a lost call")


async def _floor(sample: bytes, browsers: int, calls: int, rate: float) -> list[float]:
    """The same bytes to as many streams of a server that does nothing else."""
    names = [uuid4().hex.encode() for _ in range(calls)]
    async with bare_server(bare_stream.__name__) as port, _listening(port, [""], browsers) as heard:
        told = [Request("POST", "/", "", sample.replace(b"%s", name)) for name in names]
        return await _delays(heard, names, await _send(port, told, rate))
