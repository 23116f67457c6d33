"""Do calls come to the right customer when the rules for numbers are put right after them, and back again?"""

import signal
import subprocess
from datetime import timedelta
from typing import Any

import pytest

from tests.journeys import edge as pbx
from tests.journeys import people
from tests.journeys.edge import Edge
from tests.journeys.system import System, command
from tests.journeys.test_erasing import richiamo
from tests.journeys.waiting import eventually

pytestmark = [pytest.mark.servers, pytest.mark.slow]

QUEUE = "Vendite"
AS_THE_PBX_WRITES = "77*0502718281"
MISREAD, RIGHT = "+39770502718281", "+390502718281"
RULE = "77*. = ."
MANY = 90
"""As many calls as show whether a run was cut, and as one page shows."""


def shown(who: people.Person) -> dict[str, tuple[int, str]]:
    """Every customer of all the lists: how many calls, and how the request stands."""
    yesterday, today = pbx.site_day(pbx.now() - timedelta(days=1)), pbx.site_day()
    asked = {"from": yesterday, "to": today, "figure": "total", "queue": QUEUE, "limit": 100}
    behind: dict[str, Any] = who.report("dashboard/requests", **asked)
    return {row["number"]: (row["calls"], row["outcome"]) for row in behind["items"]}


def test_calls_move_to_the_right_customer_and_back(own: System) -> None:
    edge, admin = Edge(own), people.admin(own)
    anna = people.hire(own, "anna", name="Anna Rossi")
    began = pbx.now() - timedelta(minutes=30)
    uid = edge.loses(AS_THE_PBX_WRITES, QUEUE, unique_id=pbx.new_unique_id(began))
    edge.records(
        pbx.lost(AS_THE_PBX_WRITES, QUEUE, began, unique_id=uid),
        pbx.recall("0502718281", began + timedelta(minutes=5), by=anna.extension, talk=None),
        pbx.lost("0507654321", QUEUE, began),
    )
    before = eventually(lambda: found if len(found := shown(admin)) == 2 else None)
    assert before == {MISREAD: (1, "unhandled"), "+390507654321": (1, "unhandled")}
    row = next(one for one in admin.requests("all", queue=QUEUE) if one["number"] == MISREAD)
    assert anna.reserve(row["caller_id"]).status_code == 200
    assert "Nothing was changed" in richiamo(own, "renumber", "--yes", said=True)

    admin.api.patch("/settings", json={"number_rewrites": [RULE]}).raise_for_status()
    said = richiamo(own, "renumber", "--yes", said=True)
    assert "1 calls moved" in said
    assert MISREAD not in said
    after = {RIGHT: (1, "unanswered"), "+390507654321": (1, "unhandled")}
    eventually(lambda: shown(admin) == after, what="the recall of before was one of this customer")
    assert anna.requests("mine", queue=QUEUE) == [], "what was held of the misread number is held no more"
    assert "Nothing was changed" in richiamo(own, "renumber", "--yes", said=True)
    richiamo(own, "check")

    edge.records(pbx.lost(AS_THE_PBX_WRITES, QUEUE, began, unique_id=uid) | {"gateway_name": "TIM-2"})
    admin.api.patch("/settings", json={"number_rewrites": []}).raise_for_status()
    assert "1 calls moved" in richiamo(own, "renumber", "--yes", said=True)
    eventually(lambda: shown(admin) == before, what="everything is as it was")
    richiamo(own, "rebuild", "all")
    assert shown(admin) == before
    killed_half_way(own, edge, admin, before)


def killed_half_way(own: System, edge: Edge, admin: people.Person, before: dict[str, tuple[int, str]]) -> None:
    """Renumber dies without a last word: each call is at one of the two places, and the next run moves the rest."""
    right = [pbx.new_number() for _ in range(MANY)]
    began = pbx.now() - timedelta(minutes=30)
    edge.records(*(pbx.lost(f"77*{number}", QUEUE, began) for number in right))
    eventually(lambda: len(shown(admin)) == MANY + 2)
    admin.api.patch("/settings", json={"number_rewrites": [RULE]}).raise_for_status()

    def position() -> int:
        return int(admin.api.get("/requests", params={"view": "all"}).json()["position"])

    start = eventually(position)
    with subprocess.Popen(
        [command(), "renumber", "--yes"], env=own.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        eventually(lambda: position() > start, what="something moves")
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it was not half way"
    richiamo(own, "check")
    of_two = {pbx.e164(f"77{number}") for number in right} | {pbx.e164(number) for number in right}
    assert len([number for number in shown(admin) if number in of_two]) == MANY, "none is lost, none is there twice"
    said = richiamo(own, "renumber", "--yes", said=True)
    rest = int(said.partition(" calls moved")[0].split()[-1])
    assert 0 < rest < MANY + 1, said
    after = {pbx.e164(number): (1, "unhandled") for number in right}
    eventually(
        lambda: shown(admin) == after | {RIGHT: (1, "unanswered"), "+390507654321": before["+390507654321"]},
        what="all are under the right number",
    )
    richiamo(own, "check")
