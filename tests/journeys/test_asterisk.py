"""Does a Richiamo beside an Asterisk see who hung up, ring both phones, and close what was reached? All by AMI."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from richiamo_ops.import_ import import_file
from tests.asterisk import pbx as asterisk
from tests.asterisk.background import Background, in_background
from tests.asterisk.pbx import NO_ANSWER
from tests.journeys import edge, people
from tests.journeys.edge import local
from tests.journeys.people import Item, Person
from tests.journeys.system import System
from tests.journeys.waiting import eventually

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def pbx() -> Iterator[Background]:
    with in_background() as background:
        yield background


@pytest.fixture(scope="module")
def site(pbx: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A Richiamo that listens to the PBX and dials by it."""
    secret = tmp_path_factory.mktemp("secret") / "ami"
    secret.write_text("ami secret")
    system = System(
        environment={
            "RICHIAMO_AMI_HOST": "127.0.0.1",
            "RICHIAMO_AMI_PORT": str(pbx.pbx.port),
            "RICHIAMO_AMI_SECRET_FILE": str(secret),
            "RICHIAMO_AMI_EVENTS": "true",
        }
    )
    system.start()
    try:
        answer = people.admin(system).api.patch("/settings", json={"dial_how": "ami", "cooldown_minutes": 0})
        assert answer.status_code == 200, answer.text
        pbx.does(pbx.pbx.listened_to())
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="module")
def anna(site: System) -> Person:
    return people.hire(site, "anna")


@pytest.fixture(scope="module")
def sara(site: System) -> Person:
    return people.hire(site, "sara", role="supervisor")


def rows(person: Person, view: str, queue: str) -> list[Item]:
    return person.requests(view, queue=queue)


def one(person: Person, view: str, queue: str) -> Item:
    found = rows(person, view, queue)
    assert len(found) == 1, found
    return found[0]


def lost(pbx: Background, anna: Person, queue: str) -> tuple[str, Item]:
    """A caller who hangs up while waiting, and their row."""
    number = edge.new_number()
    pbx.does(asterisk.abandon(pbx.pbx, edge.new_unique_id(), number, queue=queue))
    found: Item = eventually(lambda: one(anna, "recall", queue), what="the row")
    assert found["number"] == edge.e164(number)
    assert anna.reserve(found["caller_id"]).status_code == 200
    return number, found


def call_record(dial: str, number: str, extension: str, talk: int | None, at: datetime) -> dict[str, str]:
    """What Asterisk records of the call that it was asked for."""
    ends = at + timedelta(seconds=talk or 5)
    values: dict[str, Any] = {
        "src": extension,
        "dst": number,
        "dcontext": "from-internal",
        "channel": f"Local/{extension}@originate-skipvm-00000007;1",
        "dstchannel": "PJSIP/linea-it-00000031",
        "lastapp": "Dial",
        "lastdata": f"PJSIP/{number}@linea-it",
        "start": local(at),
        "answer": local(at) if talk is not None else "",
        "end": local(ends),
        "duration": talk or 5,
        "billsec": talk or 0,
        "disposition": "NO ANSWER" if talk is None else "ANSWERED",
        "uniqueid": dial,
    }
    return {name: str(values.get(name, "")) for name in asterisk.CDR_EVENT}


class TestAnAsterisk:
    def test_who_hung_up_is_called_back_and_the_request_closes(
        self, pbx: Background, anna: Person, sara: Person, queue: str
    ) -> None:
        number, row = lost(pbx, anna, queue)
        begun = anna.dial(row["caller_id"])
        assert begun.status_code == 202, begun.text
        assert (begun.json()["how"], begun.json()["link"]) == ("ami", None)
        dial = begun.json()["dial_id"]
        asked = pbx.pbx.originated[-1]
        assert (asked["channel"], asked["exten"]) == ([f"Local/{anna.extension}@originate-skipvm"], [number])
        assert asked["channelid"] == [dial]
        eventually(lambda: one(anna, "calling", queue))

        # The clock of the record is ten minutes off: the call is known by its id alone.
        at = edge.now() - timedelta(minutes=10)
        pbx.does(asterisk.record(pbx.pbx, call_record(dial, number, anna.extension, None, at)))
        again = eventually(lambda: one(anna, "mine", queue), what="the row after a vain recall")
        assert again["request_id"] == row["request_id"]

        second = anna.dial(row["caller_id"]).json()["dial_id"]
        assert second != dial
        pbx.does(asterisk.record(pbx.pbx, call_record(second, number, anna.extension, 30, edge.now())))
        eventually(lambda: rows(sara, "all", queue) == [], what="the request closed")

        kinds = [item["kind"] for item in _timeline(anna, row)]
        assert kinds.count("recall_started") == 2
        assert {"recall_failed", "recall_succeeded"} <= set(kinds)

    def test_an_operator_who_does_not_take_up_has_the_row_back_at_once(
        self, pbx: Background, anna: Person, queue: str
    ) -> None:
        _, row = lost(pbx, anna, queue)
        pbx.pbx.outcome = NO_ANSWER
        try:
            refused = anna.dial(row["caller_id"])
            assert refused.status_code >= 400
            assert "Nobody took up" in refused.text
            assert eventually(lambda: one(anna, "mine", queue))["recalled"] == 0
            pbx.pbx.outcome = ""
            assert anna.dial(row["caller_id"]).status_code == 202
            pbx.does(pbx.pbx.originate_response(pbx.pbx.originated[-1], NO_ANSWER))
            assert eventually(lambda: one(anna, "mine", queue))["recalled"] == 0
        finally:
            pbx.pbx.outcome = asterisk.ANSWERED

    def test_a_click_sent_twice_rings_once(self, pbx: Background, anna: Person, queue: str) -> None:
        _, row = lost(pbx, anna, queue)
        before = len(pbx.pbx.originated)
        answers = [
            anna.api.post(f"/callers/{row['caller_id']}/recalls", headers={"Idempotency-Key": queue.replace(" ", "-")})
            for _ in range(3)
        ]
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["dial_id"] for answer in answers}) == 1
        assert len(pbx.pbx.originated) == before + 1

    def test_what_was_lost_while_nobody_listened_is_found_in_queue_log(
        self, pbx: Background, site: System, anna: Person, queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unheard, heard = edge.new_number(), edge.new_number()
        at = int(edge.now().timestamp()) - 60
        logins = pbx.pbx.logins
        pbx.does(pbx.pbx.cut())
        pbx.does(pbx.pbx.listened_to(logins + 1))
        pbx.does(asterisk.abandon(pbx.pbx, f"{at}.77002", heard, queue=queue))
        eventually(lambda: one(anna, "recall", queue))
        log = tmp_path / "queue_log"
        log.write_text(
            "".join(
                f"{at + 1}|{at}.{number}|{queue}|NONE|ENTERQUEUE||{caller}|1\n"
                f"{at + 13}|{at}.{number}|{queue}|NONE|ABANDON|1|1|12\n"
                for number, caller in ((77001, unheard), (77002, heard))
            )
        )
        for name, value in site.variables.items():
            monkeypatch.setenv(name, value)
        assert import_file(log) == 0
        found = eventually(lambda: rows(anna, "recall", queue), so_that=lambda seen: len(seen) == 2)
        assert {item["number"] for item in found} == {edge.e164(unheard), edge.e164(heard)}
        assert {item["calls"] for item in found} == {1}


def _timeline(person: Person, row: Item) -> list[Item]:
    items: list[Item] = person.api.get(f"/callers/{row['caller_id']}/timeline").json()["items"]
    return items
