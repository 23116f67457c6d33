"""What does a longer log cost? Memory, starts, commands and lists, with a log and with one ten times as long."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId
from richiamo_events.language import SettingsChanged
from richiamo_kit import database
from richiamo_kit.clock import SystemClock
from richiamo_kit.errors import Problem, Unavailable
from richiamo_kit.projector import wait_for
from richiamo_ops.bench.figures import Figure, table
from richiamo_ops.bench.filling import fill
from richiamo_ops.bench.load import Connection, Request
from richiamo_ops.bench.people import Staff
from richiamo_ops.bench.system import System, own_system
from richiamo_ops.bench.views import caught_up
from richiamo_ops.probes import status_of
from richiamo_ops.site import Site, reached
from richiamo_queue.worklist import projection as worklist

_TIMES = 10
_WAITING = 200
_SAME = 1.2
"""What costs the same may cost a fifth more."""
_CACHES_FULL = 200_000
"""Events of 20,000 callers, as many as the largest cache holds."""
_SOON = 3.0
"""Seconds in which a service is back."""
_BACK_WITHIN = 60.0
_STATISTICS = 11.0
"""Seconds after which an idle backend of PostgreSQL has told what it read."""
_API = "/api/v1"
_FOLLOWS = {
    "ingest": "view_calls",
    "queue": worklist.SCHEMA,
    "callback-tracker": "view_tracker",
    "reporting": "view_reporting",
}
_ROWS = "SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_user_tables WHERE schemaname = %s"


def bench_log(*, events: int = 20_000) -> int:
    """Measure what a longer log costs: with so many events, and with ten times as many.

    Starts a system of its own in a temporary folder. Memory is the highest that each process ever had; rows are those
    that PostgreSQL read for one command or list; a service that is killed is back when it follows the log again. The
    default takes some six minutes; from 1 to 10 million events, hours: --events 1000000. Below 200,000 events caches
    still fill, so memory is shown and not judged.

    Example: richiamo bench-log --events 100000

    Parameters
    ----------
    events
        Events of the shorter log.
    """
    if events < 1000:
        raise Problem(400, "too-small", "Too small to measure: at least 1,000 events.")
    return asyncio.run(_Bench().run(events))


class _Bench:
    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    async def run(self, events: int) -> int:
        async with own_system() as system:
            await system.start()
            async with reached("bench", system.installation) as site:
                staff = Staff(system.installation.gateway_port)
                await staff.hire(1)
                self._say(f"Filling the log with {events:,} events")
                waits = await fill(site, past=events, waiting=_WAITING, told=lambda _: None)
                before = await self._measured(system, site, staff.tokens[0], waits)
                self._say(f"Filling the log with {(_TIMES - 1) * events:,} events more")
                await fill(site, past=(_TIMES - 1) * events, waiting=0, told=lambda _: None)
                after = await self._measured(system, site, staff.tokens[0], waits)
        full = events >= _CACHES_FULL
        compared = [_beside(one, other, caches_full=full) for one, other in zip(before, after, strict=True)]
        self._console.print(table(compared, f"{_TIMES * events:,} events; the floor is the same with {events:,}"))
        return 0 if all(one.holds is not False for one in compared) else 1

    async def _measured(self, system: System, site: Site, token: str, waits: Sequence[CallerId]) -> list[Figure]:
        self._say("Waiting for the views")
        await caught_up(site)
        figures = [_peak(system, name) for name in (*_FOLLOWS, "gateway")]
        self._say("Commands and lists")
        for key, words, requests in (
            (
                "command",
                "Reserve, or release",
                (("PUT", "/callers/{}/reservation"), ("DELETE", "/callers/{}/reservation")),
            ),
            ("list", "List of lost calls", (("GET", "/requests?view=recall&limit=50"),)),
            (
                "filtered",
                "The same by queue and part of a number",
                (("GET", "/requests?view=recall&queue=Vendite&caller=17"),),
            ),
            ("timeline", "History of a customer", (("GET", "/callers/{}/timeline"),)),
        ):
            asked = [
                Request(method, _API + path.format(one), f"Authorization: Bearer {token}\r\n")
                for one in waits
                for method, path in requests
            ]
            figures += await _costs(system, site, key, words, asked)
        self._say("Making every view again, and checking")
        for command in (("rebuild", "all"), ("check", "--no-views")):
            figures.append(await asyncio.to_thread(_peak_of_command, system, command))
        self._say("Killing every service")
        for name in (*_FOLLOWS, "gateway"):
            figures.append(await _back(system, site, name))
        return figures

    def _say(self, words: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:5.0f} s  {words}", style="dim")


async def _costs(system: System, site: Site, key: str, words: str, requests: Sequence[Request]) -> list[Figure]:
    """CPU of everything and rows of the worklist for one of them, one after the other."""
    connection = await Connection.open(system.installation.gateway_port)
    rows, before = await _rows_read(site), system.usage()
    try:
        for request in requests:
            answer = await connection.ask(request)
            if answer.status != 200:
                raise Unavailable(f"{request.path} answered {answer.status}: {answer.body[:200]!r}")
        await caught_up(site)
    finally:
        connection.close()
    cpu = system.usage().cpu_seconds - before.cpu_seconds
    rows = await _rows_read(site) - rows
    return [
        Figure(key=f"{key}.cpu", words=words, value=cpu / len(requests) * 1000, unit="ms CPU"),
        Figure(key=f"{key}.rows", words="  rows read", value=rows / len(requests), unit="rows"),
    ]


async def _rows_read(site: Site) -> int:
    """Rows of the worklist that PostgreSQL has read so far."""
    await asyncio.sleep(_STATISTICS)
    async with await database.connect(site.database_url, autocommit=True, application="bench") as connection:
        row = await (await connection.execute(_ROWS, (worklist.SCHEMA,))).fetchone()
    assert row is not None
    return int(row[0])


def _peak(system: System, name: str) -> Figure:
    """The most memory that a service ever had."""
    process = system.service(name)
    if process is None:
        raise Unavailable(f"{name} does not run")
    (line,) = (one for one in Path(f"/proc/{process.pid}/status").read_text().splitlines() if one.startswith("VmHWM"))
    return Figure(
        key=f"memory.{name}", words=f"Memory of {name}, at most", value=int(line.split()[1]) / 1000, unit="MB"
    )


def _peak_of_command(system: System, words: Sequence[str]) -> Figure:
    """The most memory that a command ever had. Raises `Unavailable` when it fails."""
    program = system.program(*words)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(program.argv, env=program.env, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise Unavailable(f"{' '.join(words)} failed: {said.read()[-300:]!r}")
    name = f"richiamo {' '.join(words)}"
    return Figure(key=f"memory.{words[0]}", words=f"Memory of {name}, at most", value=used.ru_maxrss / 1000, unit="MB")


async def _back(system: System, site: Site, name: str) -> Figure:
    """From a service's death to when it does its work again: it follows the log, the gateway is ready."""
    process = system.service(name)
    if process is None:
        raise Unavailable(f"{name} does not run")
    process.kill()
    began = time.perf_counter()
    while (another := system.service(name)) is None or another.pid == process.pid:
        await asyncio.sleep(0.01)
    if name in _FOLLOWS:
        now = SystemClock().now()
        event = NewEvent(
            id=f"bench-{time.time_ns()}",
            subject=subjects.SETTINGS,
            data=SettingsChanged(values={}),
            occurred_at=now,
            actor="bench",
            correlation_id="",
        )
        position = await site.store.append([event])
        async with database.make_pool(site.database_url, most=1, application="bench") as pool:
            await wait_for(pool, _FOLLOWS[name], position, timeout=_BACK_WITHIN)
    else:
        async with asyncio.timeout(_BACK_WITHIN):
            while await status_of(system.installation.gateway_port, "/readyz") != 200:
                await asyncio.sleep(0.02)
    seconds = time.perf_counter() - began
    return Figure(key=f"start.{name}", words=f"{name} is back after its death", value=seconds, unit="s", target=_SOON)


def _beside(before: Figure, after: Figure, *, caches_full: bool) -> Figure:
    """The later figure with the earlier one as its floor; what has no target of its own may be a fifth more.

    Memory is judged once the caches of the services are full with the shorter log too.
    """
    if after.target is not None or (after.unit == "MB" and not caches_full):
        return replace(after, floor=before.value)
    return replace(after, floor=before.value, target=_SAME, of_floor=True)
