"""Is a person gone when `erase` returns? No byte below the data folder, no late report and no second import knows them."""

import json
import subprocess
from datetime import timedelta
from typing import Any

import pytest

from tests.journeys import edge as pbx
from tests.journeys import people
from tests.journeys.edge import Edge
from tests.journeys.system import System, command
from tests.journeys.waiting import eventually
from tests.kit.servers import digits_anywhere

pytestmark = [pytest.mark.servers, pytest.mark.slow]

NUMBER = "0502718281"
DIGITS = b"502718281"
OTHER = "0507654321"
QUEUE = "Vendite"


def erased(system: System, number: str) -> str:
    return richiamo(system, "erase", number, "--yes", said=True)


def richiamo(system: System, *words: str, said: bool = False) -> str:
    """What a command wrote, or what it said beside."""
    done = subprocess.run(
        [command(), *words], env=system.variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr if said else done.stdout


def test_no_byte_of_an_erased_number_is_left_and_nothing_brings_it_back(own: System) -> None:
    edge, admin = Edge(own), people.admin(own)
    admin.api.patch("/settings", json={"dialling": "link", "link_template": "tel:{number}"})
    anna = people.hire(own, "anna", name="Anna Rossi")
    began = pbx.now() - timedelta(minutes=5)
    record = pbx.lost(NUMBER, QUEUE, began)
    edge.loses(OTHER, QUEUE)
    edge.records(record)
    assert edge.records({"nonsense": NUMBER})["refused"] != []
    row = eventually(lambda: shown(anna, "recall"))
    anna.reserve(row["caller_id"])
    dialled = anna.api.post(f"/callers/{row['caller_id']}/recalls", headers={"Idempotency-Key": "k1"})
    assert dialled.status_code == 202, dialled.text
    before = figures(admin)
    position = admin.api.get("/requests", params={"view": "all"}).json()["position"]
    earlier = recorded_at(own, position)
    assert figures(admin, as_of=earlier) == before

    assert digits_anywhere(own.folder, DIGITS), "the test must see the digits where they are"
    said = erased(own, NUMBER)
    assert "Forgotten" in said
    assert "may hold digits" not in said
    assert [line for line in own.log().splitlines() if DIGITS.decode() in line] == []
    assert digits_anywhere(own.folder, DIGITS) == []
    assert digits_anywhere(own.folder, OTHER[1:].encode()), "only the one who asked is forgotten"
    assert figures(admin) == figures(admin, as_of=earlier) == before

    # The poll reads everything of the last days again, and calls of the same person that it had never seen.
    again = edge.records(record, pbx.lost(NUMBER, QUEUE, began - timedelta(hours=1)))
    assert again["refused"] == []
    edge.loses(NUMBER, QUEUE, unique_id=pbx.new_unique_id(began - timedelta(hours=2)))
    eventually(lambda: figures(admin) == (before[0], before[1] + 2), what="both counted, as withheld")
    assert digits_anywhere(own.folder, DIGITS) == []
    assert shown(admin, "all") is None
    richiamo(own, "rebuild", "all")
    assert figures(admin, as_of=earlier) == before, "also when every view is made anew"
    assert digits_anywhere(own.folder, DIGITS) == []

    edge.loses(NUMBER, QUEUE)
    fresh = eventually(lambda: shown(anna, "recall"))
    assert fresh["caller_id"] != row["caller_id"]
    assert fresh["calls"] == 1


def figures(who: people.Person, **as_of: str) -> tuple[int, int]:
    """Requests of the last two days, and missed calls, those with a withheld number included."""
    days = [pbx.site_day(pbx.now() - timedelta(days=ago)) for ago in (1, 0)]
    total = who.report("dashboard", **{"from": days[0], "to": days[1], **as_of})["totals"]["total"]
    return total, sum(who.report("day", day=day, **as_of)["today"]["total_calls"] for day in days)


def recorded_at(system: System, position: int) -> str:
    """The instant at which the log took the event of this position."""
    line = richiamo(system, "replay", "--after", str(position - 1), "--up-to", str(position))
    return str(json.loads(line)["recorded_at"])


def shown(who: people.Person, view: str) -> Any:
    """The row of the number in one of the lists; None while there is none."""
    return next((one for one in who.requests(view, queue=QUEUE) if one["number"] == pbx.e164(NUMBER)), None)
