"""Does everything come back by itself when a process is killed, and is nothing lost that was acknowledged?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.journeys import edge as pbx
from tests.journeys import people
from tests.journeys.edge import ACCEPTED, ROUTING, Edge
from tests.journeys.people import Person
from tests.journeys.system import SERVICES, System
from tests.journeys.waiting import eventually

pytestmark = pytest.mark.slow
QUEUE = "Sotto i colpi"


@pytest.fixture(scope="module")
def fragile() -> Iterator[System]:
    system = System()
    system.start()
    try:
        yield system
    finally:
        system.stop()


class Rain:
    """Calls that arrive all the time: some are acknowledged, all have a number of their own."""

    def __init__(self, address: str) -> None:
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self._stop = threading.Event()
        self._client = httpx.Client(base_url=address, timeout=5)
        self._thread = threading.Thread(target=self._fall, daemon=True)

    def _fall(self) -> None:
        while not self._stop.wait(0.03):
            number = pbx.new_number()
            self.sent.add(pbx.e164(number))
            if self._acknowledged(number):
                self.acknowledged.add(pbx.e164(number))

    def _acknowledged(self, number: str) -> bool:
        try:
            answer = self._client.post(ROUTING, content=pbx.xml(pbx.new_unique_id(), number, QUEUE))
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and ACCEPTED in answer.text

    @contextmanager
    def falling(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()
            self._client.close()


def listed(person: Person) -> dict[str, int]:
    """Every number on the list with its count of calls, over all pages."""
    found: dict[str, int] = {}
    after = ""
    while True:
        parameters = {"view": "all", "queue": QUEUE, "limit": "1000", "sort": "first_call"}
        answer = person.api.get("/requests", params=parameters | ({"after": after} if after else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for item in page["items"]:
            found[item["number"]] = found.get(item["number"], 0) + item["calls"]
        after = page["next"]
        if not after:
            return found


def works(system: System, admin: Person) -> bool:
    """Whether a call that is lost now is on the list now: the PBX's edge, the log, the views, the gateway."""
    number = pbx.new_number()
    try:
        Edge(system).loses(number, QUEUE)
        eventually(lambda: len(admin.requests("all", queue=QUEUE, caller=number)) == 1, within=2)
    except httpx.TransportError:
        return False
    return True


def test_every_process_may_die(fragile: System) -> None:
    admin = people.admin(fragile)
    rain = Rain(fragile.ingest)
    with rain.falling():
        for name in (*SERVICES, "nats-server", "postgres"):
            eventually(lambda: bool(rain.acknowledged))
            before = len(rain.acknowledged)
            victim = fragile.part(name)
            victim.kill()
            victim.wait(timeout=60)
            eventually(fragile.ready, what=f"ready after the death of {name}")
            eventually(lambda: works(fragile, admin), what=f"work after the death of {name}")
            assert fragile.part(name).pid != victim.pid
            eventually(lambda: len(rain.acknowledged) > before)  # noqa: B023 -- Looked at within this turn.
    assert len(rain.acknowledged) > 100
    eventually(lambda: rain.acknowledged <= set(listed(admin)))
    counts = listed(admin)
    assert {number: calls for number, calls in counts.items() if calls != 1} == {}


def test_an_acknowledged_call_outlives_nats(fragile: System) -> None:
    """What comes while NATS is away is spooled: acknowledged at once, on the list when NATS is back."""
    admin = people.admin(fragile)
    edge = Edge(fragile)
    fragile.part("nats-server").suspend()
    number = pbx.new_number()
    try:
        edge.loses(number, f"{QUEUE} fermo")
    finally:
        fragile.part("nats-server").resume()
    eventually(
        lambda: [item["number"] for item in admin.requests("all", queue=f"{QUEUE} fermo")] == [pbx.e164(number)],
    )
