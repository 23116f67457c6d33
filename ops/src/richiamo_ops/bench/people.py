"""How many operators can click at once?"""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import count

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, ReservationId, Username
from richiamo_events.language import CallReserved
from richiamo_kit.clock import SystemClock
from richiamo_kit.errors import StreamMoved, Unavailable
from richiamo_ops.bench import load
from richiamo_ops.bench.figures import Figure, percentile
from richiamo_ops.bench.load import Connection, Request
from richiamo_ops.bench.system import PASSWORD, System
from richiamo_ops.bench.views import caught_up
from richiamo_ops.site import Site

_HIRED_AT_ONCE = 8
_API = "/api/v1"
_names = count(1)


class Staff:
    """So many logged-in operators, each with a token; made once a run."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.tokens: list[str] = []

    @property
    def number(self) -> int:
        return len(self.tokens)

    async def hire(self, many: int) -> None:
        admin = await self._token("admin")
        slots = asyncio.Semaphore(_HIRED_AT_ONCE)

        async def hire_one(step: int) -> str:
            async with slots:
                name = f"bench{next(_names)}"
                user = {
                    "username": name,
                    "password": PASSWORD,
                    "name": name,
                    "role": "operator",
                    "extension": str(step),
                }
                await self._post("/users", user, f"Authorization: Bearer {admin}\r\n", 201)
                return await self._token(name)

        # Users are made one after the other; only the log-ins run side by side.
        self.tokens = list(await asyncio.gather(*(hire_one(1000 + step) for step in range(many))))

    async def _token(self, name: str) -> str:
        return str((await self._post("/session", {"username": name, "password": PASSWORD}, "", 200))["token"])

    async def _post(self, path: str, body: dict[str, str], headers: str, status: int) -> dict[str, object]:
        connection = await Connection.open(self._port)
        try:
            answer = await connection.ask(
                Request("POST", _API + path, f"{headers}Content-Type: application/json\r\n", json.dumps(body).encode())
            )
        finally:
            connection.close()
        if answer.status not in {status, 200, 201}:
            raise Unavailable(f"{path} answered {answer.status}: {answer.body[:200]!r}")
        found: dict[str, object] = json.loads(answer.body)
        return found


async def measure_claims(
    system: System, site: Site, staff: Staff, waits: Sequence[CallerId], seconds: float
) -> list[Figure]:
    """All operators reserve, each another customer; first flat out, then one claim a second each; then all one row."""
    await caught_up(site)
    port = system.installation.gateway_port
    left = deque(random.Random("claims").sample(waits, len(waits)))  # noqa: S311 -- Any order will do, the same each run.
    one_after_the_other, side_by_side = await _floors(site, staff.number, seconds)
    coveted = left.pop()
    for_pace = deque(left.pop() for _ in range(min(int(staff.number * seconds), len(left) // 3)))
    before = system.usage()
    flat = (await load.flat_out(port, staff.number, seconds, _claims(staff, left))).require(200)
    await caught_up(site)
    after = system.usage()
    steady = (
        await load.paced(port, staff.number, staff.number, len(for_pace) / staff.number, _claims(staff, for_pace))
    ).require(200)
    await caught_up(site)
    crowd = (
        await load.flat_out(port, staff.number, seconds, _claims(staff, [coveted] * staff.number, once=True))
    ).require(200, 409)
    if crowd.statuses.get(200) != 1:
        raise Unavailable(f"one customer, and {crowd.statuses} answers")
    return [
        Figure(
            key="b.reservations_per_second",
            words=f"Reservations at the API, {staff.number} at once",
            value=flat.rate,
            unit="/s",
            better="more",
            floor=side_by_side,
            target=1000,
        ),
        Figure(
            key="b.cpu_per_reservation",
            words="  CPU of everything for one",
            value=(after.cpu_seconds - before.cpu_seconds) / len(flat.latencies) * 1000,
            unit="ms",
        ),
        Figure(
            key="b.floor_in_a_row",
            words="  bare appends in a row",
            value=one_after_the_other,
            unit="/s",
            better="more",
        ),
        Figure(
            key="b.p99",
            words=f"  slowest 1 %, {staff.number} claims a second",
            value=percentile(steady.latencies, 0.99) * 1000,
            unit="ms",
            target=50,
        ),
        Figure(
            key="b.p99_one_row",
            words=f"  slowest 1 % when all {staff.number} click one row",
            value=percentile(crowd.latencies, 0.99) * 1000,
            unit="ms",
        ),
    ]


def _claims(
    staff: Staff, callers: Sequence[CallerId] | deque[CallerId], *, once: bool = False
) -> list[Iterator[Request]]:
    shared = deque(callers)

    def by(token: str) -> Iterator[Request]:
        while shared:
            path = f"{_API}/callers/{shared.popleft()}/reservation"
            yield Request("PUT", path, f"Authorization: Bearer {token}\r\n")
            if once:
                return

    return [by(token) for token in staff.tokens]


async def _floors(site: Site, claimers: int, seconds: float) -> tuple[float, float]:
    """Appends a second that name the position they expect: one after the other, and so many at once."""
    clock = SystemClock()
    steps = count(1)
    tag = f"{time.time_ns()}"

    async def append() -> None:
        caller = CallerId(f"bench-floor-{tag}-{next(steps)}")
        now = clock.now()
        event = CallReserved(
            caller=caller, operator=Username("nobody"), reservation=ReservationId(str(caller)), expires_at=now
        )
        new = NewEvent(
            id=str(caller),
            subject=subjects.caller(caller),
            data=event,
            occurred_at=now,
            actor="bench",
            correlation_id="",
        )
        try:
            await site.store.append([new], expected=0)
        except StreamMoved as error:
            raise Unavailable("a subject that nobody else has moved") from error

    async def for_a_while(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            await append()
            done += 1
        return done

    part = min(seconds, 3.0)
    alone = await for_a_while(time.perf_counter() + part)
    until = time.perf_counter() + part
    together = sum(await asyncio.gather(*(for_a_while(until) for _ in range(claimers))))
    return alone / part, together / part
