"""Is nobody called by two, whatever breaks? Many operators on three real processes that are cut off and killed.

`RICHIAMO_SOAK_SECONDS` says for how long (30), `RICHIAMO_SOAK_SEED` repeats what was drawn: who does what in which
order, though not how it interleaves. `make soak` runs an hour of it.
"""

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from richiamo_events.ids import CallerId
from richiamo_events.language import SettingsChanged
from richiamo_kit import database
from richiamo_kit.clock import FixedClock
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Unavailable
from richiamo_kit.messaging import make_broker
from richiamo_kit.projector import wait_for
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_queue.app import Service, assembled
from richiamo_queue.dialling.spelling import as_typed
from richiamo_queue.settings import Settings
from richiamo_queue.worklist.projection import SCHEMA
from richiamo_queue.worklist.query import Worklist
from richiamo_queue.worklist.questions import read_question
from tests.call_queue import log
from tests.call_queue.proof.checker import Walk
from tests.call_queue.proof.instances import Instances, instances
from tests.call_queue.proof.people import Customers, Desk, Told, operate, operator_named, supervise
from tests.call_queue.view import KnownSite
from tests.kalliope.pbx import KalliopePbx, Trouble
from tests.kalliope.running import running

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.soak]

INSTANCES, OPERATORS, SUPERVISORS, CALLERS = 3, 16, 3, 10
ROUND_SECONDS = 25.0
MOST_ROUNDS = 8
"""A round has callers of its own, so that an hour is no longer a history than a minute."""


@dataclass
class Timers:
    """The timers of an instance that lives ever further in the future: whatever can become due is due to it."""

    service: Service
    clock: FixedClock
    database_url: str

    async def sweep(self) -> int:
        self.clock.advance(timedelta(minutes=90))
        async with await database.connect(self.database_url, autocommit=True) as connection:
            return await self.service.sweep.once(connection)

    async def live(self, chance: random.Random, until: Callable[[], bool]) -> None:
        while not until():
            await asyncio.sleep(chance.uniform(0.5, 2.5))
            # While whoever writes the view is away a sweep waits in vain, and the service sweeps again a second later.
            with suppress(Unavailable):
                await self.sweep()

    async def lists(self) -> tuple[list[CallerId], dict[str, list[CallerId]]]:
        """Who is offered to all, and who is on the list of each operator."""
        worklist = Worklist(self.service.pool, KnownSite(), self.clock)

        async def listed(user: dict[str, Any], view: str) -> list[CallerId]:
            answer: dict[str, Any] = await worklist.requests(read_question({"user": user, "limit": 1000}, view=view))
            return [CallerId(item["caller_id"]) for item in answer["items"]]

        everybody = [operator_named(number) for number in range(OPERATORS)]
        held = {one["username"]: await listed(one, "mine") + await listed(one, "calling") for one in everybody}
        return await listed(everybody[0], "recall"), held


@asynccontextmanager
async def timers(nats_url: str, database_url: str, data_dir: Path) -> AsyncIterator[Timers]:
    settings = Settings(nats_url=SecretStr(nats_url), database_url=SecretStr(database_url), data_dir=data_dir)
    clock = FixedClock(datetime.now(UTC))
    async with assembled(settings, clock) as service:
        yield Timers(service, clock, database_url)


@dataclass
class Stage:
    """Everything that stands while rounds come and go."""

    store: JetStreamEventStore
    directory: NatsDirectory
    pbx: KalliopePbx
    instances: Instances
    timers: Timers
    nats_url: str

    async def round(self, seed: str, seconds: float) -> tuple[Walk, Told]:
        """One round on fresh callers; what the checker found, and what everybody was told."""
        chance = random.Random(seed)
        start = await self.store.last_position()
        numbers = [f"+39050{chance.randrange(10**6):06d}{index:02d}" for index in range(CALLERS)]
        callers = [await self.directory.resolve(number) for number in numbers]
        called = {
            as_typed(number, country="IT", outside_prefix=""): one for number, one in zip(numbers, callers, strict=True)
        }

        def rings() -> list[tuple[CallerId, str]]:
            return [(called[one.destination], one.source) for one in self.pbx.dialled if one.destination in called]

        self.instances.begin()
        ends = time.monotonic() + seconds

        def over() -> bool:
            return time.monotonic() > ends

        async with AsyncExitStack() as stack:
            broker = make_broker(self.nats_url, name="operators")
            await broker.start()
            stack.push_async_callback(broker.stop)
            desk = Desk(broker, callers, seed)
            customers = Customers(self.store, callers, random.Random(f"{seed} customers"), seed)
            await customers.lose_all()
            await asyncio.gather(
                self.instances.trouble(random.Random(f"{seed} trouble"), over),
                self.timers.live(random.Random(f"{seed} timers"), over),
                self._spoil(random.Random(f"{seed} pbx"), over),
                customers.live(rings, over),
                *(operate(desk, random.Random(f"{seed} {n}"), n, over) for n in range(OPERATORS)),
                *(supervise(desk, random.Random(f"{seed} b{n}"), n, OPERATORS, over) for n in range(SUPERVISORS)),
            )
        self.instances.calm()
        self.pbx.troubles.clear()
        walk, lists = await self._at_rest(start)
        walk.answered(desk.told.answers).rang(rings()).shown(*lists)
        await customers.answer_all()
        return walk, desk.told

    async def _spoil(self, chance: random.Random, until: Callable[[], bool]) -> None:
        """The PBX refuses, or takes longer to answer than anybody waits."""
        while not until():
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            self.pbx.troubles.append(chance.choice([Trouble(status=503), Trouble(delay_seconds=1.0)]))

    async def _at_rest(self, start: int) -> tuple[Walk, tuple[list[CallerId], dict[str, list[CallerId]]]]:
        """The log since `start` and the lists that belong to it: a command that was held up may still be carried out."""
        while True:
            await self._settle()
            position = await self.store.last_position()
            walk = Walk().through([event async for event in self.store.read(start)])
            lists = await self.timers.lists()
            if await self.store.last_position() == position:
                return walk, lists

    async def _settle(self) -> None:
        """Let every timer run until none has anything left to do."""
        while True:
            await wait_for(self.timers.service.pool, SCHEMA, await self.store.last_position(), timeout=60)
            if not await self.timers.sweep():
                return


async def test_one_holder_one_dial_and_no_row_lost_whatever_breaks(
    event_store: JetStreamEventStore,
    nats_url: str,
    database_url: str,
    data_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = os.environ.get("RICHIAMO_SOAK_SEED") or secrets.token_hex(4)
    seconds = float(os.environ.get("RICHIAMO_SOAK_SECONDS", "30"))
    with capsys.disabled():
        print(f"\nproof: seed {seed}, {seconds:.0f} s (repeat: RICHIAMO_SOAK_SEED={seed})")
    pbx = KalliopePbx()
    async with AsyncExitStack() as stack:
        address = stack.enter_context(running(pbx))
        await event_store.append(
            [
                log.new(SettingsChanged(values={"dial_how": "kalliope", "pbx_url": address})),
                *(log.new(log.operator(f"op{n}", extension=operator_named(n)["extension"])) for n in range(OPERATORS)),
            ]
        )
        running_ones = await stack.enter_async_context(
            instances(INSTANCES, nats_url, database_url, data_dir, random.Random(f"{seed} instances"))
        )
        stage = Stage(
            event_store,
            NatsDirectory(event_store.client, read_key(data_dir / "secrets" / "directory.key")),
            pbx,
            running_ones,
            await stack.enter_async_context(timers(nats_url, database_url, data_dir)),
            nats_url,
        )
        await wait_for(stage.timers.service.pool, SCHEMA, 1, timeout=60)
        ends = time.monotonic() + seconds
        events: Counter[str] = Counter()
        told: Counter[str] = Counter()
        number = 0
        # A run in which little happened proves little: on a slow machine it goes on for some rounds.
        while number == 0 or time.monotonic() < ends or (number < MOST_ROUNDS and _lacking(events)):
            number += 1
            left = max(5.0, min(ROUND_SECONDS, ends - time.monotonic()))
            walk, said = await stage.round(f"{seed}/{number}", left)
            events += walk.counts
            told += said.counts
            assert not walk.breaches, "\n".join([f"seed {seed}, round {number}", *walk.breaches[:20]])
            faults = [one.said_of_faults() for one in running_ones] if said.failures else []
            assert not said.failures, "\n".join([f"seed {seed}, round {number}", *said.failures[:5], *faults])
        with capsys.disabled():
            print(_summary(number, events, told, running_ones.met))
        assert not _lacking(events), dict(events)
        assert running_ones.met["killed"]
        assert running_ones.met["cut"]


def _lacking(events: Counter[str]) -> list[str]:
    wanted = ("CallReserved", "CallAssigned", "RecallStarted", "CallFlushed", "ReservationReleased")
    return [name for name in wanted if not events[name]]


def _summary(rounds: int, events: Counter[str], told: Counter[str], met: Counter[str]) -> str:
    lines = [f"proof: {rounds} rounds, {sum(events.values())} events, {sum(told.values())} answers, no breach"]
    for title, counts in (("in the log", events), ("answers", told), ("troubles", met)):
        lines.append(f"  {title}: " + ", ".join(f"{name} {times}" for name, times in counts.most_common()))
    return "\n".join(lines)
