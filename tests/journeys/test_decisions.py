"""Do supervisors assign, flush and undo, is a command twice one effect, and does erasing erase?"""

import json
import uuid

from tests.journeys import edge as pbx
from tests.journeys.edge import Edge
from tests.journeys.people import Person
from tests.journeys.test_main_journey import row
from tests.journeys.waiting import eventually


def lose(edge: Edge, sara: Person, queue: str) -> tuple[str, str]:
    """A lost call on `queue`; gives number and caller id."""
    number = pbx.new_number()
    edge.loses(number, queue)
    item = eventually(lambda: row(sara, "all", queue, caller=number))
    return number, item["caller_id"]


class TestAssigning:
    def test_a_supervisor_gives_a_caller_to_an_operator_and_takes_it_away(
        self, edge: Edge, anna: Person, bruno: Person, sara: Person, queue: str
    ) -> None:
        _, caller = lose(edge, sara, queue)
        given = sara.api.put(f"/callers/{caller}/assignment", json={"operator": "bruno"})
        assert given.status_code == 200, given.text
        eventually(lambda: row(bruno, "mine", queue))
        assert anna.reserve(caller).json()["reserved_by"] == "bruno"
        assert sara.api.delete(f"/callers/{caller}/assignment").status_code == 200
        eventually(lambda: row(anna, "recall", queue))

    def test_an_operator_may_not_assign(self, edge: Edge, anna: Person, sara: Person, queue: str) -> None:
        _, caller = lose(edge, sara, queue)
        assert anna.api.put(f"/callers/{caller}/assignment", json={"operator": "anna"}).status_code == 403


class TestFlushing:
    def test_a_flush_closes_and_its_undo_opens_again(self, edge: Edge, anna: Person, sara: Person, queue: str) -> None:
        _, one = lose(edge, sara, queue)
        _, two = lose(edge, sara, queue)
        body = {"caller_ids": [one, two], "reason": "prova"}
        assert anna.api.post("/flushes", json=body).status_code == 403
        flushed = sara.api.post("/flushes", json=body)
        assert flushed.status_code == 201, flushed.text
        eventually(lambda: sara.requests("all", queue=queue) == [])
        day = pbx.site_day()
        totals = {"from": day, "to": day, "queue": queue}
        eventually(lambda: sara.report("dashboard", **totals)["totals"]["flushed"] == 2)
        undone = sara.api.delete(f"/flushes/{flushed.json()['flush_id']}")
        assert undone.status_code == 200, undone.text
        eventually(lambda: len(sara.requests("all", queue=queue)) == 2)
        eventually(lambda: sara.report("dashboard", **totals)["totals"]["unhandled"] == 2)

    def test_a_call_lost_after_a_flush_opens_its_own_request(self, edge: Edge, sara: Person, queue: str) -> None:
        number, caller = lose(edge, sara, queue)
        first = row(sara, "all", queue)["request_id"]
        assert sara.api.post("/flushes", json={"caller_ids": [caller], "reason": "prova"}).status_code == 201
        edge.loses(number, queue)
        again = eventually(lambda: row(sara, "all", queue), so_that=lambda item: item["request_id"] != first)
        assert again["calls"] == 1


class TestTwice:
    def test_the_same_command_sent_twice_has_one_effect_and_one_answer(
        self, edge: Edge, anna: Person, sara: Person, queue: str
    ) -> None:
        _, caller = lose(edge, sara, queue)
        key = str(uuid.uuid4())
        first = anna.reserve(caller, **{"Idempotency-Key": key})
        anna.release(caller)
        second = anna.reserve(caller, **{"Idempotency-Key": key})
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        eventually(lambda: row(sara, "all", queue), so_that=lambda item: item["reserved_by"] is None)

    def test_one_click_dials_once(self, edge: Edge, anna: Person, sara: Person, queue: str) -> None:
        _, caller = lose(edge, sara, queue)
        assert anna.reserve(caller).status_code == 200
        key = {"Idempotency-Key": str(uuid.uuid4())}
        first = anna.api.post(f"/callers/{caller}/recalls", headers=key)
        second = anna.api.post(f"/callers/{caller}/recalls", headers=key)
        assert first.status_code == second.status_code == 202
        assert first.json()["dial_id"] == second.json()["dial_id"]

    def test_reserving_what_one_holds_changes_nothing(self, edge: Edge, anna: Person, sara: Person, queue: str) -> None:
        _, caller = lose(edge, sara, queue)
        assert anna.reserve(caller).status_code == 200
        before = eventually(lambda: row(anna, "mine", queue))["reserved_at"]
        assert anna.reserve(caller).status_code == 200
        assert row(anna, "mine", queue)["reserved_at"] == before


class TestErasing:
    def test_nothing_of_an_erased_number_is_shown_and_the_next_call_is_somebody_new(
        self, edge: Edge, admin: Person, anna: Person, sara: Person, queue: str
    ) -> None:
        number, caller = lose(edge, sara, queue)
        assert sara.api.delete(f"/callers/{caller}").status_code == 403
        erased = admin.api.delete(f"/callers/{caller}")
        assert erased.status_code == 200, erased.text
        eventually(lambda: sara.requests("all", queue=queue) == [])
        told = anna.api.get(f"/callers/{caller}/timeline")
        assert number not in json.dumps(told.json())
        edge.loses(number, queue)
        anew = eventually(lambda: row(sara, "all", queue))
        assert anew["caller_id"] != caller
