"""What does a whole day of a large call centre cost, and who works hardest? A day of calls, told as fast as it goes.

Every call reaches Richiamo as its record; one of ten was lost, is also reported at once, reserved by an operator,
dialled, and closed by the record of the call back. The site's shape is published: 41,040 calls a day for 300 agents,
7,920 of them in the busiest hour.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from richiamo_events import subjects
from richiamo_events.ids import CallerId
from richiamo_kit.errors import Unavailable
from richiamo_ops.bench.edge import lost_call_of
from richiamo_ops.bench.figures import Figure
from richiamo_ops.bench.filling import QUEUES, number
from richiamo_ops.bench.load import Connection, Request
from richiamo_ops.bench.people import Staff
from richiamo_ops.bench.system import System
from richiamo_ops.bench.views import caught_up
from richiamo_ops.settings import Installation
from richiamo_ops.simulate import calls
from richiamo_ops.simulate.calls import Incoming, PbxCall
from richiamo_ops.simulate.wire import RecordForm, records
from richiamo_ops.site import Site

CALLS_AN_AGENT = 41_040 / 300
BUSY_HOUR = 7_920 / 41_040
"""The part of the day's calls that comes in its busiest hour."""
_SLICE = 100
_LOST = 10
"""Lost calls of the hundred in a slice."""
_AT_ONCE = 12
_SPOOLED_WITHIN = 60.0
_API = "/api/v1"
_steps = count(1)


async def measure(system: System, site: Site, staff: Staff, agents: int) -> list[Figure]:
    """One day of so many agents."""
    await caught_up(site)
    slices = max(1, round(agents * CALLS_AN_AGENT / _SLICE))
    before, began = system.usage(), time.perf_counter()
    todo = iter(range(slices))

    async def work() -> None:
        for step in todo:
            await _slice(system.installation, site, staff.tokens[step % staff.number], f"{200 + step % staff.number}")

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    await caught_up(site)
    seconds, after = time.perf_counter() - began, system.usage()
    total = slices * _SLICE
    spent = after.cpu_seconds - before.cpu_seconds
    parts = {name: after.parts[name] - before.parts.get(name, 0.0) for name in after.parts}
    return [
        Figure(
            key="h.day", words=f"A day of {agents:,} agents, {total:,} calls, compressed to", value=seconds, unit="s"
        ),
        Figure(key="h.cpu_per_call", words="  CPU of everything for one call", value=spent / total * 1000, unit="ms"),
        Figure(
            key="h.busy_hour",
            words="  that is in its busiest hour",
            value=spent / total * agents * CALLS_AN_AGENT * BUSY_HOUR / 3600 * 100,
            unit="% of a core",
        ),
        *(
            Figure(key=f"h.part_{name}", words=f"  of which {name}", value=part / spent * 100, unit="%")
            for name, part in sorted(parts.items(), key=lambda one: -one[1])
            if part / spent >= 0.01
        ),
    ]


async def _slice(at: Installation, site: Site, token: str, extension: str) -> None:
    """A hundred calls, from the first ring to the records of the calls back."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=300)
    made = [_incoming(now, step) for step in range(_SLICE)]
    gone = [calls.lost(ring, queue, wait=25) for ring, queue in made[:_LOST]]
    answered = [calls.served(ring, queue, wait=6, talk=180, extension=extension) for ring, queue in made[_LOST:]]
    for one in gone:
        await _expect(at.ingest_port, lost_call_of(one.unique_id, one.caller, one.queue), 200)
    bearer = f"Authorization: Bearer {token}\r\n"
    back: list[PbxCall] = []
    for one in gone:
        caller = await site.directory.resolve(one.caller)
        await _in_log(site, caller)
        await _expect(at.gateway_port, Request("PUT", f"{_API}/callers/{caller}/reservation", bearer), 200)
        await _expect(at.gateway_port, Request("POST", f"{_API}/callers/{caller}/recalls", bearer), 202)
        began = datetime.now(UTC).replace(microsecond=0)
        back.append(calls.recall(_call_id(began), extension, one.caller[3:], "line-1", began, ring=5, talk=60))
    await _record(at.ingest_port, [*gone, *answered])
    await _record(at.ingest_port, back)


async def _in_log(site: Site, caller: CallerId) -> None:
    """Under load ingest answers once its spool has a call; the log has it a moment later."""
    async with asyncio.timeout(_SPOOLED_WITHIN):
        while not await site.store.last_on(subjects.caller(caller)):
            await asyncio.sleep(0.05)


async def _record(port: int, some: Sequence[PbxCall]) -> None:
    message = records(tuple(some), RecordForm.NESTED, ZoneInfo("Europe/Rome"))
    body = await _expect(
        port, Request("POST", "/pbx/cdr", f"Content-Type: {message.content_type}\r\n", message.body), 202
    )
    if refused := json.loads(body)["refused"]:
        raise Unavailable(f"a record was refused: {refused[0]['reason']}")


async def _expect(port: int, request: Request, status: int) -> bytes:
    # A connection of its own, as a PBX makes one for each call.
    connection = await Connection.open(port)
    try:
        answer = await connection.ask(request)
    finally:
        connection.close()
    if answer.status != status:
        raise Unavailable(f"{request.path} answered {answer.status}: {answer.body[:200]!r}")
    return answer.body


def _incoming(at: datetime, step: int) -> tuple[Incoming, str]:
    ring = Incoming(unique_id=_call_id(at), caller=number(), called="0509876543", line="line-1", at=at)
    return ring, QUEUES[step % len(QUEUES)]


def _call_id(at: datetime) -> str:
    return f"{int(at.timestamp())}.{next(_steps) + 500_000_000}"
