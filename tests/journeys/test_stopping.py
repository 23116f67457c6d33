"""Does `richiamo up` end within ten seconds while somebody listens, leave nothing behind, and remember?"""

import signal
from collections.abc import Iterator

import pytest

from tests.journeys import edge as pbx
from tests.journeys import people
from tests.journeys.edge import Edge
from tests.journeys.stream import listening
from tests.journeys.system import System
from tests.journeys.waiting import eventually

pytestmark = pytest.mark.slow
PBX = ("centralino", "segreta")
QUEUE = "Prima e dopo"


@pytest.fixture(scope="module")
def guarded() -> Iterator[System]:
    """A system of its own, whose PBX must present credentials."""
    system = System(environment={"RICHIAMO_PBX_USER": PBX[0], "RICHIAMO_PBX_PASSWORD": PBX[1]})
    system.start()
    try:
        yield system
    finally:
        system.stop()


def ends_on(system: System, sign: signal.Signals) -> None:
    """Send a signal while a stream is open; everything must be gone."""
    below = system.below()
    assert len(below) >= 7
    assert system.process is not None
    with listening(people.admin(system)):
        system.asked_to_end = True
        system.process.send_signal(sign)
        code = system.process.wait(timeout=60)
    assert code == 0, system.log()
    assert [process for process in below if process.is_running()] == []


def test_only_a_pbx_with_the_right_credentials_is_let_in(guarded: System) -> None:
    body = pbx.xml(pbx.new_unique_id(), pbx.new_number(), QUEUE)
    assert Edge(guarded).post(body).status_code == 401
    assert Edge(guarded, (PBX[0], "wrong")).post(body).status_code == 401
    assert Edge(guarded).client.post("/pbx/cdr", json=[]).status_code == 401
    let_in = Edge(guarded, PBX).post(body)
    assert let_in.status_code == 200
    assert pbx.ACCEPTED in let_in.text


def test_it_ends_on_both_signals_and_remembers_everything(guarded: System) -> None:
    number = pbx.new_number()
    Edge(guarded, PBX).loses(number, QUEUE)
    boss = people.admin(guarded)
    before = eventually(lambda: boss.requests("all", queue=QUEUE, caller=number))
    assert boss.reserve(before[0]["caller_id"]).status_code == 200

    ends_on(guarded, signal.SIGTERM)
    guarded.start()

    after = people.admin(guarded).requests("all", queue=QUEUE, caller=number)
    assert [(item["request_id"], item["reserved_by"]) for item in after] == [(before[0]["request_id"], "admin")]
    ends_on(guarded, signal.SIGINT)
