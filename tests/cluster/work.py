"""What do a PBX and operators do all along? They report and claim without end, and go to the other process if one fails.

What was acknowledged to them is kept, to be held against the log; so is how long they went without.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from richiamo_events.ids import CallerId
from tests.call_queue.proof.checker import Answer
from tests.journeys import edge as pbx
from tests.journeys.edge import ACCEPTED, ROUTING
from tests.journeys.people import PASSWORD

QUEUE = "Vendite"
OPERATORS = 6
_PATIENCE = 5.0
"""Seconds until a PBX or a page turns to the other process."""


@dataclass
class Pauses:
    """When something was last granted, and the longest time without since `begin`, in seconds."""

    times: int = 0
    longest: float = 0.0
    _last: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        self.longest, self._last = 0.0, time.monotonic()

    def granted(self) -> None:
        now = time.monotonic()
        self.times, self.longest, self._last = self.times + 1, max(self.longest, now - self._last), now


class Either:
    """A client of two processes of one service: whichever answered last is asked next."""

    def __init__(self, urls: Sequence[str], headers: dict[str, str] | None = None) -> None:
        self._clients = [httpx.AsyncClient(base_url=url, headers=headers, timeout=_PATIENCE) for url in urls]

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """The answer, by the other if one fails or has to refuse for now; None if both do."""
        for _ in self._clients:
            try:
                answer = await self._clients[0].request(method, path, **more)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return answer
            self._clients.append(self._clients.pop(0))
        return None

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@dataclass
class Work:
    """Everything that was acknowledged or granted so far."""

    calls: set[str] = field(default_factory=set)
    """E.164 numbers whose lost call the PBX was acknowledged."""
    answers: list[Answer] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reporting: Pauses = field(default_factory=Pauses)
    claiming: Pauses = field(default_factory=Pauses)
    showing: Pauses = field(default_factory=Pauses)
    """When the list was seen to have grown."""

    @property
    def pauses(self) -> tuple[Pauses, Pauses, Pauses]:
        return self.reporting, self.claiming, self.showing


async def log_in(gateways: Sequence[str], username: str, password: str) -> Either:
    entry = Either([f"{url}/api/v1" for url in gateways])
    answer = await entry.ask("POST", "/session", json={"username": username, "password": password})
    await entry.close()
    assert answer is not None
    assert answer.status_code == 200, answer.text
    return Either([f"{url}/api/v1" for url in gateways], {"Authorization": f"Bearer {answer.json()['token']}"})


async def hire(admin: Either, username: str, extension: str) -> None:
    user = {"username": username, "password": PASSWORD, "name": username.title(), "role": "operator"}
    answer = await admin.ask("POST", "/users", json={**user, "extension": extension, "queues": [], "language": "it"})
    assert answer is not None
    assert answer.is_success, answer.text


@asynccontextmanager
async def at_work(ingests: Sequence[str], gateways: Sequence[str], admin_password: str) -> AsyncIterator[Work]:
    """A PBX that loses calls and operators who claim them, while the context lasts."""
    work, ended = Work(), asyncio.Event()
    admin = await log_in(gateways, "admin", admin_password)
    for number in range(OPERATORS):
        await hire(admin, f"op{number}", str(201 + number))
    desks = [await log_in(gateways, f"op{number}", PASSWORD) for number in range(OPERATORS)]
    lines = Either(ingests)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_lose_calls(work, lines, ended))
        tasks.create_task(_look(work, admin, ended))
        for number, desk in enumerate(desks):
            tasks.create_task(_claim(work, desk, number, ended))
        try:
            yield work
        finally:
            ended.set()
    for one in (admin, lines, *desks):
        await one.close()


async def _lose_calls(work: Work, ingest: Either, ended: asyncio.Event) -> None:
    """Ten calls a second; one that is not acknowledged is reported again, as the same call, until it is."""
    while not ended.is_set():
        number = pbx.new_number()
        body = pbx.xml(pbx.new_unique_id(), number, QUEUE)
        for again in itertools.count():
            answer = await ingest.ask("POST", ROUTING, content=body)
            if answer is not None and answer.status_code == 200 and ACCEPTED in answer.text:
                break
            if ended.is_set():
                return
            work.counts["call reported again"] += 1
            await asyncio.sleep(min(1.0, 0.05 * 2**again))
        work.calls.add(pbx.e164(number))
        work.reporting.granted()
        await asyncio.sleep(0.1)


async def _look(work: Work, admin: Either, ended: asyncio.Event) -> None:
    """Look how long the list of all is."""
    seen = 0
    while not ended.is_set():
        await asyncio.sleep(0.1)
        answer = await admin.ask("GET", "/requests", params={"view": "all", "queue": QUEUE, "limit": "1"})
        if answer is not None and answer.status_code == 200 and answer.json()["total"] > seen:
            seen = answer.json()["total"]
            work.showing.granted()


async def _claim(work: Work, desk: Either, number: int, ended: asyncio.Event) -> None:
    """Reserve some of those offered to all, the same as everybody else does; give half of them back."""
    me, chance = f"op{number}", random.Random(number)
    keys = (f"{me}-{count}" for count in itertools.count())
    while not ended.is_set():
        await asyncio.sleep(0.05)
        offered = await desk.ask("GET", "/requests", params={"view": "recall", "queue": QUEUE, "limit": "8"})
        if offered is None or offered.status_code != 200:
            work.counts["list not shown"] += 1
            continue
        for row in offered.json()["items"][: chance.randint(1, 3)]:
            caller = CallerId(row["caller_id"])
            if await _command(work, desk, me, "reserve", caller, next(keys)) and chance.random() < 0.5:
                await _command(work, desk, me, "release", caller, next(keys))


async def _command(work: Work, desk: Either, me: str, command: str, caller: CallerId, key: str) -> bool:
    """Ask until there is an answer, with one key, as the page does; whether it was granted."""
    method = {"reserve": "PUT", "release": "DELETE"}[command]
    for _ in range(20):
        answer = await desk.ask(method, f"/callers/{caller}/reservation", headers={"Idempotency-Key": key})
        if answer is not None:
            break
        work.counts[f"{command}: asked again"] += 1
        await asyncio.sleep(0.2)
    else:
        work.counts[f"{command}: given up"] += 1
        return False
    told = answer.json()
    granted = answer.is_success
    if not granted:
        told["type"] = told["type"].rpartition("/")[2]
    work.counts[f"{command}: {'granted' if granted else told['type']}"] += 1
    work.answers.append(Answer(actor=me, command=command, callers=(caller,), granted=granted, told=told))
    if granted:
        work.claiming.granted()
    return granted
