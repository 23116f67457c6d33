"""How many lost calls a second does ingest take, and how long does a customer wait on the line meanwhile?"""

import time
from collections.abc import Iterator
from itertools import count

from richiamo_ops.bench import load
from richiamo_ops.bench.figures import Figure, percentile
from richiamo_ops.bench.filling import QUEUES, number
from richiamo_ops.bench.load import Request
from richiamo_ops.bench.system import System, bare_server
from richiamo_ops.bench.views import caught_up
from richiamo_ops.site import Site

_CONNECTIONS = 32
_STEADY_RATE = 200.0
_calls = count(1)


def lost_call(caller: str) -> Request:
    """What a Kalliope sends of one lost call."""
    step = next(_calls)
    return lost_call_of(f"{int(time.time())}.{step}", caller, QUEUES[step % 4])


def lost_call_of(unique_id: str, caller: str, queue: str) -> Request:
    """The same of a call that is known otherwise."""
    body = (
        f"<call><unique_id>{unique_id}</unique_id><caller>{caller}</caller><called>0509876543</called>"
        f"<param1>{queue}</param1><param2>queue</param2></call>"
    )
    return Request("POST", "/voipToCall/kalliopeToCall/insert/", "Content-Type: text/xml\r\n", body.encode())


def _lost_calls() -> Iterator[Request]:
    while True:
        yield lost_call(number())


async def measure(system: System, site: Site, seconds: float) -> list[Figure]:
    """Flat out at 32 connections against the bare endpoint, then 200 a second."""
    port = system.installation.ingest_port
    async with bare_server("richiamo_ops.bench.bare", RICHIAMO_NATS_URL=site.found.nats_url) as bare:
        await load.flat_out(bare, _CONNECTIONS, 1.0, [_lost_calls()])
        floor = (await load.flat_out(bare, _CONNECTIONS, seconds, [_lost_calls()])).require(200)
        steady_floor = (await load.paced(bare, 64, _STEADY_RATE, seconds, [_lost_calls()])).require(200)
    await load.flat_out(port, _CONNECTIONS, 1.0, [_lost_calls()])
    before = system.usage()
    flat = (await load.flat_out(port, _CONNECTIONS, seconds, [_lost_calls()])).require(200)
    after = system.usage()
    await caught_up(site)
    steady = (await load.paced(port, 64, _STEADY_RATE, seconds, [_lost_calls()])).require(200)
    await caught_up(site)
    return [
        Figure(
            key="a.calls_per_second",
            words="Lost calls by HTTP, 32 connections",
            value=flat.rate,
            unit="/s",
            better="more",
            floor=floor.rate,
            target=0.6,
            of_floor=True,
        ),
        Figure(
            key="a.p99_flat_out",
            words="  slowest 1 % of answers, flat out",
            value=percentile(flat.latencies, 0.99) * 1000,
            unit="ms",
            floor=percentile(floor.latencies, 0.99) * 1000,
        ),
        Figure(
            key="a.p99_at_200",
            words="  slowest 1 % at 200 calls/s",
            value=percentile(steady.latencies, 0.99) * 1000,
            unit="ms",
            floor=percentile(steady_floor.latencies, 0.99) * 1000,
            target=25,
        ),
        Figure(
            key="a.cpu_per_call",
            words="  CPU of everything for one",
            value=(after.cpu_seconds - before.cpu_seconds) / len(flat.latencies) * 1000,
            unit="ms",
        ),
        Figure(
            key="f.cores_under_load",
            words="  cores that everything takes meanwhile",
            value=(after.cpu_seconds - before.cpu_seconds) / flat.seconds,
            unit="cores",
        ),
        Figure(key="f.memory_under_load", words="  memory after that", value=after.megabytes, unit="MB"),
    ]
