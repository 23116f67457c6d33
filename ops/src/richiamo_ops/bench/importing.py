"""How fast is a month of call records imported, and does its disorder change anything? Two systems of the bench's own.

One gets the month in order, once; the other shuffled, a fifth of it twice, a tenth reported by two other sources first.
Both must come to the same requests, outcomes and Dashboard.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console

from richiamo_events.settings import SiteSettings
from richiamo_ingest.record_bodies import read_any
from richiamo_ops.bench.figures import Figure, table
from richiamo_ops.bench.month import DAYS, Disorder, disorder, month, parts, site_of
from richiamo_ops.bench.state import State, settled, state_of
from richiamo_ops.bench.system import own_system
from richiamo_ops.import_ import post
from richiamo_ops.record_files import calls_of, rows_of_file
from richiamo_ops.simulate.calls import PbxCall
from richiamo_ops.simulate.wire import NoticeForm, RecordForm, notification, records, routing
from richiamo_ops.site import reached

ZONE = ZoneInfo("Europe/Rome")
_AT_ONCE = 500
_REPORTERS = 16
_console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Run:
    """One import: its speed, what it cost, and what it came to."""

    seconds: float
    until_settled: float
    cpu: dict[str, float]
    state: State


def main(arguments: Sequence[str]) -> int:
    """Print both imports beside parsing alone; 1 when they did not come to the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="richiamo-month-") as folder:
        return asyncio.run(_measure(asked.calls, asked.seed, Path(folder)))


async def _measure(calls: int, seed: int, folder: Path) -> int:
    first = datetime.now(ZONE).date() - timedelta(days=DAYS + 10)
    told = month(calls, site_of(calls, seed), ZONE, first, seed)
    mixed = disorder(told, random.Random(seed))  # noqa: S311 -- A play, no secret.
    ordered = write_file(folder / "ordered.json", told)
    shuffled = write_file(folder / "shuffled.json", mixed.records)
    megabytes = ordered.stat().st_size / 1e6
    _console.print(
        f"A month of {calls:,} calls, {megabytes:.0f} MB; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    parsing = _parsed(ordered)
    _console.print("In order, once ...", style="dim")
    once = await _run(ordered, Disorder((), tuple(told)), first)
    _console.print("Shuffled, doubled, reported before ...", style="dim")
    again = await _run(shuffled, mixed, first)
    _console.print(table(_figures(parsing, once, again, calls, len(mixed.records)), "Import of a month"))
    for name, seconds in sorted(once.cpu.items(), key=lambda part: -part[1]):
        _console.print(f"  {seconds / calls * 1000:6.3f} ms of CPU a record: {name}", style="dim")
    different = once.state.differences(again.state)
    for line in different[:20]:
        _console.print(line, style="red", markup=False)
    requests = len(once.state.requests)
    _console.print("Both came to the same:" if not different else f"{len(different)} differences:", end=" ")
    _console.print(
        f"{requests:,} requests, {len(once.state.withheld):,} calls without a number, {once.state.dashboard['totals']}"
    )
    return 1 if different else 0


def _figures(parsing: float, once: Run, again: Run, calls: int, sent: int) -> list[Figure]:
    return [
        Figure(
            key="i.records_per_second",
            words="New records taken, in order",
            value=calls / once.seconds,
            unit="/s",
            better="more",
            floor=calls / parsing,
            target=5000,
        ),
        Figure(
            key="i.shuffled_per_second",
            words="  shuffled, a fifth known, a tenth reported before",
            value=sent / again.seconds,
            unit="/s",
            better="more",
            floor=calls / parsing,
        ),
        Figure(key="i.settled", words="  all views of the first at its end after", value=once.until_settled, unit="s"),
    ]


def write_file(path: Path, calls: Sequence[PbxCall]) -> Path:
    """The records as a PBX mails them: one JSON array, legs nested."""
    with path.open("wb") as file:
        file.write(b"[")
        for number, part in enumerate(parts(calls, _AT_ONCE)):
            file.write(b"," if number else b"")
            file.write(records(part, RecordForm.NESTED, ZONE).body[1:-1])
        file.write(b"]")
    return path


def _parsed(path: Path) -> float:
    """Seconds to read the file as the import does and each of its bodies as ingest does, and nothing else."""
    whole, settings = path.read_bytes(), SiteSettings()
    began = time.perf_counter()
    for _ in calls_of(rows_of_file(path, lambda _: None)):
        pass
    read_any(whole, {}, pbx="main", settings=settings, at=datetime.now(UTC))
    return time.perf_counter() - began


async def _run(file: Path, what: Disorder, first: date) -> Run:
    async with own_system() as system:
        await system.start()
        address = f"http://127.0.0.1:{system.installation.ingest_port}"
        await report(address, what.reported)
        async with reached("bench-import", system.installation) as site:
            await settled(site)
            before, began = system.usage(), time.perf_counter()
            imported = await asyncio.to_thread(
                lambda: post(calls_of(rows_of_file(file, lambda _: None)), address, "main")
            )
            seconds = time.perf_counter() - began
            if imported.refused or imported.accepted + imported.duplicates != len(what.records):
                raise RuntimeError(f"not all was taken: {imported}")
            await settled(site)
            until_settled, after = time.perf_counter() - began, system.usage()
            _console.print(f"  taken in {seconds:.1f} s, in all views after {until_settled:.1f} s", style="dim")
            cpu = {name: after.parts[name] - before.parts.get(name, 0.0) for name in after.parts}
            return Run(seconds, until_settled, cpu, await state_of(site, first, first + timedelta(days=DAYS + 9)))


async def report(address: str, calls: Sequence[PbxCall], pbx: str = "main") -> None:
    """Let the dynamic routing and a notification tell of each of these lost calls."""
    forms = [*NoticeForm]
    todo = iter(enumerate(calls))
    async with httpx.AsyncClient(base_url=address, params={"pbx": pbx}, timeout=30) as client:

        async def reporter() -> None:
            for number, call in todo:
                told = routing(call, call.queue)
                notice = notification(call, forms[number % len(forms)])
                for path, message, more in (
                    ("/voipToCall/kalliopeToCall/insert/", told, {}),
                    ("/pbx/kalliope/event", notice, {"event": "pbx.queue.unservedcall"}),
                ):
                    headers = {"Content-Type": message.content_type}
                    request = client.build_request("POST", path, content=message.body, params=more, headers=headers)
                    (await _sent(client, request)).raise_for_status()

        await asyncio.gather(*(reporter() for _ in range(_REPORTERS)))


async def _sent(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Its answer; once more when the connection had just been closed, for a report told twice is one."""
    try:
        return await client.send(request)
    except httpx.TransportError:
        return await client.send(request)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
