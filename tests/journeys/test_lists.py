"""Are the lists filtered, sorted and paged as asked, and does a row hide and come back when it should?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.journeys import edge as pbx
from tests.journeys.edge import Edge
from tests.journeys.people import Item, Person
from tests.journeys.test_main_journey import row
from tests.journeys.waiting import eventually

BEGINS = pbx.now() - timedelta(minutes=50)


def pages(person: Person, **parameters: Any) -> list[list[Item]]:
    """Every page of a list, by its own cursors."""
    found: list[list[Item]] = []
    after: dict[str, str] = {}
    while True:
        answer = person.api.get("/requests", params=parameters | after)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append(page["items"])
        if not page["next"]:
            return found
        after = {"after": page["next"]}


class TestPagingSortingFiltering:
    @pytest.fixture
    def numbers(self, edge: Edge, sara: Person, queue: str) -> list[str]:
        """Twelve callers, one lost call a minute; the first two are lost twice."""
        numbers = [pbx.new_number() for _ in range(12)]
        edge.records(
            *(pbx.lost(number, queue, BEGINS + timedelta(minutes=i)) for i, number in enumerate(numbers)),
            *(pbx.lost(number, queue, BEGINS + timedelta(minutes=20 + i)) for i, number in enumerate(numbers[:2])),
        )
        eventually(lambda: sum(item["calls"] for item in sara.requests("all", queue=queue)) == 14)
        return numbers

    @pytest.mark.parametrize("limit", [1, 5, 12, 1000])
    def test_pages_hold_every_row_once_in_order(self, anna: Person, queue: str, numbers: list[str], limit: int) -> None:
        found = pages(anna, view="recall", queue=queue, sort="first_call", limit=limit)
        listed = [item["number"] for page in found for item in page]
        assert listed == [pbx.e164(number) for number in numbers]
        assert all(len(page) <= limit for page in found)

    def test_the_last_call_first_unless_asked_otherwise(self, anna: Person, queue: str, numbers: list[str]) -> None:
        listed = anna.requests("recall", queue=queue, sort="-last_call")
        expected = [numbers[1], numbers[0], *reversed(numbers[2:])]
        assert [item["number"] for item in listed] == [pbx.e164(number) for number in expected]
        instants = [datetime.fromisoformat(item["last_call"]) for item in listed]
        assert instants == sorted(instants, reverse=True)

    def test_the_total_is_that_of_all_pages(self, anna: Person, queue: str, numbers: list[str]) -> None:
        answer = anna.api.get("/requests", params={"view": "recall", "queue": queue, "limit": 3}).json()
        assert (answer["total"], len(answer["items"])) == (12, 3)
        assert answer["next"]

    def test_filters(self, anna: Person, queue: str, numbers: list[str]) -> None:
        day = pbx.site_day(BEGINS)
        last = pbx.site_day(BEGINS + timedelta(minutes=21))
        tomorrow = pbx.site_day(pbx.now() + timedelta(days=1))
        for filters, count in (
            ({"caller": numbers[3][1:]}, 1),
            ({"type": "queue"}, 12),
            ({"type": "checktime"}, 0),
            ({"source": "TIM-1"}, 12),
            ({"source": "Fibra"}, 0),
            ({"recalled_max": 0}, 12),
            ({"recalled_min": 1}, 0),
            ({"first_call_from": day, "last_call_to": last}, 12),
            ({"first_call_from": tomorrow}, 0),
        ):
            assert len(anna.requests("recall", queue=queue, **filters)) == count, filters

    def test_several_queues_at_once(self, edge: Edge, anna: Person, queue: str, numbers: list[str]) -> None:
        edge.loses(pbx.new_number(), f"{queue} due")
        both: dict[str, Any] = {"view": "recall", "queue": [queue, f"{queue} due"], "limit": 100}
        eventually(lambda: anna.api.get("/requests", params=both).json()["total"] == 13)

    def test_callers(self, sara: Person, queue: str, numbers: list[str]) -> None:
        told = sara.api.get("/callers", params={"view": "open", "queue": queue, "sort": "first_call"}).json()
        assert told["total"] == 12
        assert [item["number"] for item in told["items"]] == [pbx.e164(number) for number in numbers]
        assert [item["calls"] for item in told["items"]][:3] == [2, 2, 1]
        assert told["items"][0]["queues"] == [queue]

    def test_the_list_as_it_was(self, edge: Edge, sara: Person, queue: str, numbers: list[str]) -> None:
        before = datetime.now(UTC).isoformat()
        edge.loses(pbx.new_number(), queue)
        eventually(lambda: len(sara.requests("all", queue=queue)) == 13)
        assert len(sara.requests("all", queue=queue, as_of=before)) == 12


class TestHiding:
    def test_a_failed_recall_by_somebody_who_does_not_hold_it_hides_the_row(
        self, edge: Edge, anna: Person, bruno: Person, sara: Person, queue: str
    ) -> None:
        number = pbx.new_number()
        edge.loses(number, queue)
        caller = eventually(lambda: row(anna, "recall", queue))["caller_id"]
        edge.records(pbx.recall(number, pbx.now(), by=bruno.extension, talk=None))
        hidden = eventually(lambda: row(sara, "all", queue), so_that=lambda item: item["recalled"] == 1)
        assert anna.requests("recall", queue=queue) == []
        assert datetime.fromisoformat(hidden["hidden_until"]) > pbx.now() + timedelta(minutes=50)
        assert hidden["hidden_reason"]
        shown = sara.api.delete(f"/callers/{caller}/hiding")
        assert shown.status_code == 200, shown.text
        assert eventually(lambda: row(anna, "recall", queue))["recalled"] == 1

    def test_an_operator_ends_the_hiding_of_the_own_call_that_did_not_take_place(
        self, edge: Edge, anna: Person, bruno: Person, queue: str
    ) -> None:
        edge.loses(pbx.new_number(), queue)
        caller = eventually(lambda: row(anna, "recall", queue))["caller_id"]
        assert anna.reserve(caller).status_code == 200
        assert anna.dial(caller).status_code == 202
        eventually(lambda: row(anna, "calling", queue))
        assert bruno.api.delete(f"/callers/{caller}/hiding").status_code in {403, 409}
        assert anna.api.delete(f"/callers/{caller}/hiding").status_code == 200
        assert eventually(lambda: row(anna, "mine", queue))["recalled"] == 0


class TestSettings:
    def test_the_threshold_in_force_at_the_answer_decides(
        self, edge: Edge, admin: Person, anna: Person, sara: Person, queue: str
    ) -> None:
        number = pbx.new_number()
        edge.loses(number, queue)
        eventually(lambda: row(sara, "all", queue))
        changed = admin.api.patch("/settings", json={"success_threshold_seconds": 10})
        assert changed.status_code == 200, changed.text
        try:
            # Facts are whole seconds: the rule of a second holds from the next one on.
            since = pbx.now()
            eventually(lambda: pbx.now() > since)
            edge.records(pbx.recall(number, pbx.now(), by=anna.extension, talk=8.0))
            eventually(lambda: row(sara, "all", queue), so_that=lambda item: item["recalled"] == 1)
        finally:
            admin.api.patch("/settings", json={"success_threshold_seconds": 5})
        assert admin.api.get("/settings").json()["success_threshold_seconds"] == 5
        since = pbx.now()
        eventually(lambda: pbx.now() > since)
        edge.records(pbx.recall(number, pbx.now(), by=anna.extension, talk=8.0))
        eventually(lambda: sara.requests("all", queue=queue) == [])
