"""How is everything measured in one go? A system of the bench's own is started, filled, put under load, and removed."""

import asyncio
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from richiamo_events.ids import CallerId
from richiamo_kit.errors import Problem
from richiamo_ops.bench import day as whole_day
from richiamo_ops.bench import edge, people, streams, views
from richiamo_ops.bench.figures import Figure, changes, table
from richiamo_ops.bench.filling import fill
from richiamo_ops.bench.system import System, own_system
from richiamo_ops.site import Site, reached

_GROWTH = 10
_IDLE_SECONDS = 8.0


def bench(
    *,
    seconds: float = 5.0,
    history: int = 20_000,
    open_requests: int = 10_000,
    claimers: int = 160,
    streams: int = 300,
    day: int = 0,
    growth: bool = True,
    output: Path = Path("bench.json"),
) -> int:
    """Measure what this machine makes of Richiamo: a table on the screen, the same as JSON in a file.

    Starts a system of its own in a temporary folder; one that runs already is left alone, but takes its share of the
    cores. Every append is synced to the disk. What a figure is compared with is measured in the same run. The default
    sizes take some five minutes; the sizes of a large site are `--history 10000000 --open-requests 100000`.

    Example: richiamo bench --seconds 10 --output before.json

    Parameters
    ----------
    seconds
        How long each load lasts.
    history
        Events of calls long closed.
    open_requests
        Customers who wait for a recall.
    claimers
        Operators who reserve at once.
    streams
        Browsers that watch.
    day
        Also play a whole day of so many agents, as fast as it goes; 0: not.
    growth
        Measure again with ten times the history.
    output
        The JSON file.
    """
    if seconds < 1 or history < 1000 or open_requests < 10 * claimers or claimers < 2:
        raise Problem(
            400,
            "too-small",
            "Too small to measure:",
            "at least 1 second, 1,000 events, and 10 open requests an operator.",
        )
    return asyncio.run(
        _Bench(_Sizes(seconds, history, open_requests, claimers, streams, day), growth=growth, output=output).run()
    )


@dataclass(frozen=True, slots=True)
class _Sizes:
    seconds: float
    history: int
    open_requests: int
    claimers: int
    streams: int
    day: int


class _Bench:
    def __init__(self, sizes: _Sizes, *, growth: bool, output: Path) -> None:
        self._sizes = sizes
        self._growth = growth
        self._output = output
        self._console = Console(highlight=False)
        self._began = time.monotonic()

    async def run(self) -> int:
        load_before = os.getloadavg()
        async with own_system() as system:
            figures = await self._started(system)
            async with reached("bench", system.installation) as site:
                staff = people.Staff(system.installation.gateway_port)
                self._say(f"Hiring {self._sizes.claimers} operators")
                await staff.hire(self._sizes.claimers)
                waits = await self._fill(site, self._sizes.history, self._sizes.open_requests)
                first = await self._measure(system, site, staff, waits)
                if self._sizes.day:
                    self._say(f"h: a day of {self._sizes.day:,} agents")
                    figures += await whole_day.measure(system, site, staff, self._sizes.day)
                later: list[Figure] = []
                if self._growth:
                    more = await self._fill(site, self._sizes.history * (_GROWTH - 1), self._sizes.claimers)
                    later = await self._measure(system, site, staff, [*waits, *more])
        figures += first
        self._show(figures, first, later, load_before)
        return 0

    async def _started(self, system: System) -> list[Figure]:
        self._say("Starting: first the set-up, then as on any other day")
        await system.start()
        await system.stop()
        start = await system.start()
        await asyncio.sleep(3.0)
        before = system.usage()
        await asyncio.sleep(_IDLE_SECONDS)
        after = system.usage()
        return [
            Figure(key="f.start", words="Start of everything, after the first set-up", value=start, unit="s", target=6),
            Figure(
                key="f.memory_idle", words="Memory of everything, idle", value=after.megabytes, unit="MB", target=900
            ),
            Figure(
                key="f.cpu_idle",
                words="CPU of everything, idle (100 is one core)",
                value=(after.cpu_seconds - before.cpu_seconds) / _IDLE_SECONDS * 100,
                unit="%",
                target=2,
            ),
        ]

    async def _fill(self, site: Site, past: int, waiting: int) -> list[CallerId]:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=self._console, transient=True
        ) as progress:
            bar = progress.add_task("Filling the log", total=past + waiting)
            waits = await fill(site, past=past, waiting=waiting, told=lambda done: progress.update(bar, completed=done))
        self._say("Waiting for the views")
        await views.caught_up(site)
        return waits

    async def _measure(
        self, system: System, site: Site, staff: people.Staff, waits: Sequence[CallerId]
    ) -> list[Figure]:
        seconds = self._sizes.seconds
        self._say("a: lost calls over HTTP")
        figures = await edge.measure(system, site, seconds)
        self._say("b: reservations")
        figures += await people.measure_claims(system, site, staff, waits, seconds)
        self._say("c: making the views again")
        figures += await views.measure_rebuild(system, site)
        self._say("d: rows in other browsers")
        figures += await streams.measure(system, site, staff, self._sizes.streams, seconds)
        self._say("e: lists")
        figures += await views.measure_lists(site)
        return figures

    def _show(self, figures: Sequence[Figure], first: Sequence[Figure], later: Sequence[Figure], load: Any) -> None:
        machine = f"{os.cpu_count()} cores, load {load[0]:.1f} before, {platform.python_implementation()} {platform.python_version()}"
        self._console.print(table(figures, f"richiamo bench on {machine}"))
        if later:
            self._console.print(changes(first, later, _GROWTH))
        self._output.write_text(
            json.dumps(
                {
                    "at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "machine": {"cores": os.cpu_count(), "load_before": load[0], "python": platform.python_version()},
                    "sizes": asdict(self._sizes),
                    "figures": [one.as_json() for one in figures],
                    "with_ten_times_the_history": [one.as_json() for one in later],
                },
                indent=2,
            )
            + "\n"
        )
        self._console.print(f"The same as JSON: {self._output}")

    def _say(self, words: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:5.0f} s  {words}", style="dim")
