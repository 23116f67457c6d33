"""Does it matter how, when and how often the same calls are told?

The same stories happen in two call centres that differ in names and numbers alone: what one is told in order, the other
is told in disorder, or after two hours in which nobody listened. Requests, outcomes and Dashboard must be the same.
"""

import asyncio
import itertools
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, assert_never

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from richiamo_ops.bench import importing
from richiamo_ops.bench.month import disorder, month, parts
from richiamo_ops.bench.state import Row, State, settled, state_of
from richiamo_ops.settings import Installation
from richiamo_ops.simulate.calls import PbxCall
from richiamo_ops.simulate.people import LINES, QUEUES, Scene, italian, operators, withheld
from richiamo_ops.simulate.script import live
from richiamo_ops.simulate.steps import ReportNotice, ReportRecord, ReportRouting
from richiamo_ops.simulate.wire import RecordForm, notification, records, routing
from richiamo_ops.site import reached
from tests.journeys import edge as pbx
from tests.journeys.edge import ROME, ROUTING, Edge
from tests.journeys.system import System, command
from tests.journeys.waiting import eventually

pytestmark = pytest.mark.slow
CUSTOMERS = 25
FIRST = date(2025, 9, 1)
_centres = itertools.count()

Told = ReportRouting | ReportNotice | ReportRecord


@dataclass(frozen=True)
class Centre:
    """A call centre of which nobody else knows the numbers, the queues or the PBX."""

    name: str
    place: Scene
    pbx: str

    @classmethod
    def new(cls) -> "Centre":
        number = next(_centres)
        name = f"Centro {number}"
        customers = (*(italian(f"02{number:03d}{index:04d}") for index in range(CUSTOMERS)), withheld())
        place = Scene(tuple(f"{queue}, {name}" for queue in QUEUES), LINES, operators(5), customers)
        return cls(name, place, f"pbx-{number}")

    def without_names(self, state: State) -> State:
        """What it came to, as any other centre would say it."""
        numbers = {customer.number: f"{index}" for index, customer in enumerate(self.place.customers)}

        def plain(row: Row) -> Row:
            return replace(row, number=numbers[row.number], queue=row.queue.removesuffix(f", {self.name}"))

        rest = [one.replace(f", {self.name}", "") for one in state.withheld]
        return State(sorted(map(plain, state.requests)), sorted(rest), state.dashboard)


@asynccontextmanager
async def looking(system: System) -> AsyncIterator[Callable[[Centre, date], Any]]:
    """Tells what a centre came to, when all that was told is in every view."""
    installation = Installation(
        gateway_port=system.gateway_port,
        ingest_port=system.ingest_port,
        data_dir=system.folder / "var",
        nats_url=None,
        database_url=None,
    )
    async with reached("journey", installation) as site:

        async def look(centre: Centre, first: date) -> State:
            await settled(site)
            return centre.without_names(await state_of(site, first, first + timedelta(days=30), centre.place.queues))

        yield look


async def push(edge: Edge, centre: Centre, calls: Sequence[PbxCall], size: int) -> None:
    for part in parts(calls, size):
        body = records(part, RecordForm.NESTED, ROME)
        answer = await asyncio.to_thread(
            edge.client.post, "/pbx/cdr", params={"pbx": centre.pbx}, content=body.body, timeout=30
        )
        assert answer.status_code == 202, answer.text
        assert answer.json()["refused"] == []


@settings(
    max_examples=4,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(min_value=0, max_value=2**32), size=st.sampled_from([1, 7, 500]))
async def test_a_month_in_disorder_comes_to_the_same(system: System, edge: Edge, seed: int, size: int) -> None:
    ordered, mixed = Centre.new(), Centre.new()
    told, other = (month(70, centre.place, ROME, FIRST, seed) for centre in (ordered, mixed))
    chance = disorder(other, Random(seed))
    await push(edge, ordered, told, 500)
    await importing.report(system.ingest, chance.reported, mixed.pbx)
    await push(edge, mixed, chance.records, size)
    async with looking(system) as look:
        once, again = await look(ordered, FIRST), await look(mixed, FIRST)
    assert len(once.requests) > 5
    assert once.dashboard["totals"]["total"] == len(once.requests)
    assert once.differences(again) == []


class Pbx:
    """Sends what happens when it happens, once; what nobody takes is lost, but its own records stay."""

    def __init__(self, system: System, centre: Centre) -> None:
        self._client = system.client(system.ingest)
        self._centre = centre

    def tell(self, step: Told, within: float = 60.0) -> None:
        match step:
            case ReportRouting():
                path, message = ROUTING, routing(step.call, step.queue)
            case ReportNotice():
                path, message = "/pbx/kalliope/event?event=pbx.queue.unservedcall", notification(step.call, step.form)
            case ReportRecord():
                path, message = "/pbx/cdr", records((step.call,), RecordForm.NESTED, ROME)
            case _:
                assert_never(step)
        headers = {"Content-Type": message.content_type}
        url = httpx.URL(path).copy_merge_params({"pbx": self._centre.pbx})
        self._client.post(url, content=message.body, headers=headers, timeout=within).raise_for_status()


def stories(centre: Centre, begins: datetime, hours: int) -> list[Told]:
    steps = live(11, centre.place, begins, rate=0.15)
    lasting = itertools.takewhile(lambda step: step.at < begins + timedelta(hours=hours), steps)
    return [step for step in lasting if isinstance(step, ReportRouting | ReportNotice | ReportRecord)]


async def test_two_hours_that_nobody_heard_are_filled_by_the_records_of_the_gap(system: System, tmp_path: Path) -> None:
    begins = pbx.now() - timedelta(hours=6)
    heard, deaf = Centre.new(), Centre.new()
    since, until = begins + timedelta(hours=1), begins + timedelta(hours=3)
    steps, exchange = stories(heard, begins, 4), Pbx(system, heard)
    for step in steps:
        exchange.tell(step)
    steps, exchange = stories(deaf, begins, 4), Pbx(system, deaf)
    missed = [step for step in steps if since <= step.at < until]
    assert any(isinstance(step, ReportRouting) for step in missed)
    for step in steps:
        if step.at < since:
            exchange.tell(step)
    ingest = system.part("ingest")
    ingest.suspend()
    with pytest.raises(httpx.TransportError):
        exchange.tell(missed[0], within=0.5)
    ingest.kill()
    eventually(system.ready)
    for step in steps:
        if step.at >= until:
            exchange.tell(step)
    kept = [step.call for step in missed if isinstance(step, ReportRecord)]
    file = importing.write_file(tmp_path / "gap.json", kept)
    importing_it = [command(), "import", str(file), "--pbx", deaf.pbx]
    done = await asyncio.to_thread(
        subprocess.run, importing_it, env=system.variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    first = begins.astimezone(ROME).date()
    async with looking(system) as look:
        whole, filled = await look(heard, first), await look(deaf, first)
    assert len(whole.requests) > 10
    assert whole.differences(filled) == []
