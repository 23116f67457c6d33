"""Does a lost call become a row, does one operator reserve it, and does its call record close it?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.journeys import edge as pbx
from tests.journeys.edge import Edge, Record
from tests.journeys.people import Item, Person
from tests.journeys.waiting import eventually


def row(person: Person, view: str, queue: str, **others: Any) -> Item:
    """The only item of a list."""
    items = person.requests(view, queue=queue, **others)
    assert len(items) == 1, items
    return items[0]


def outbound(person: Person, number: str, talk: float | None) -> Record:
    return pbx.recall(number, pbx.now(), by=person.extension, talk=talk)


class TestTheWholeJob:
    def test_from_the_lost_call_to_the_dashboard(  # noqa: PLR0915 -- One journey from end to end.
        self, edge: Edge, anna: Person, bruno: Person, sara: Person, queue: str
    ) -> None:
        number = pbx.new_number()
        lost_at = pbx.now()
        edge.loses(number, queue)

        found = eventually(lambda: row(bruno, "recall", queue))
        assert found["number"] == pbx.e164(number)
        assert (found["queue"], found["type"], found["calls"], found["recalled"]) == (queue, "queue", 1, 0)
        assert found["called"].endswith("509876543")
        assert found["reserved_by"] is None
        assert datetime.fromisoformat(found["first_call"]).astimezone(UTC) >= lost_at
        assert found["first_call"] == found["last_call"]
        caller = found["caller_id"]

        # One operator reserves, the other sees who holds it.
        kept = anna.reserve(caller)
        assert kept.status_code == 200, kept.text
        position = kept.json()["position"]
        refused = bruno.reserve(caller)
        assert refused.status_code == 409
        assert refused.headers["content-type"].startswith("application/problem+json")
        problem = refused.json()
        assert problem["type"].endswith("already-reserved")
        assert problem["reserved_by"] == "anna"
        assert datetime.fromisoformat(problem["since"]).tzinfo is not None

        # A read at the command's position sees the command.
        at = {"Min-Position": str(position)}
        mine = anna.api.get("/requests", params={"view": "mine", "queue": queue}, headers=at).json()
        assert [item["reserved_by"] for item in mine["items"]] == ["anna"]
        assert mine["position"] >= position
        assert bruno.requests("recall", queue=queue) == []
        assert row(sara, "all", queue)["reserved_by_name"] == "Anna Rossi"

        # The row hides while the customer is being rung.
        dialled = anna.dial(caller)
        assert dialled.status_code == 202, dialled.text
        assert dialled.json()["how"] == "link"
        assert number in dialled.json()["link"]
        eventually(lambda: row(anna, "calling", queue))
        assert anna.requests("mine", queue=queue) == []

        # Nobody answered: the row is back with one more attempt.
        edge.records(outbound(anna, number, talk=None))
        back = eventually(lambda: row(anna, "mine", queue))
        assert back["recalled"] == 1
        assert back["last_recall"] is not None

        # 5.0 seconds are no success.
        assert anna.dial(caller).status_code == 202
        edge.records(outbound(anna, number, talk=5.0))
        again = eventually(lambda: row(anna, "mine", queue), so_that=lambda item: item["recalled"] == 2)
        assert again["reserved_by"] == "anna"

        # 5.2 seconds are.
        assert anna.dial(caller).status_code == 202
        edge.records(outbound(anna, number, talk=5.2))
        eventually(lambda: sara.requests("all", queue=queue) == [])
        assert anna.requests("mine", queue=queue) == []
        assert anna.requests("calling", queue=queue) == []

        # And the figures agree.
        day = pbx.site_day(lost_at)
        expected = {"total": 1, "served": 0, "recalled": 1, "flushed": 0, "unanswered": 0, "unhandled": 0}
        eventually(
            lambda: sara.report("dashboard", **{"from": day, "to": day, "queue": queue})["totals"],
            so_that=lambda totals: bool(totals == expected),
        )
        dashboard = sara.report("dashboard", **{"from": day, "to": day, "queue": queue})
        assert dashboard["days"] == [{"day": day} | expected]
        assert dashboard["backlog"] == [{"day": day, "served": 0, "recalled": 0, "flushed": 0, "unanswered": 0}]

        kinds = [entry["kind"] for entry in anna.api.get(f"/callers/{caller}/timeline").json()["items"]]
        assert len(kinds) >= 8, kinds

    def test_a_customer_who_rings_again_and_is_answered_needs_no_recall(
        self, edge: Edge, anna: Person, sara: Person, queue: str
    ) -> None:
        number = pbx.new_number()
        edge.loses(number, queue)
        caller = eventually(lambda: row(anna, "recall", queue))["caller_id"]
        assert anna.reserve(caller).status_code == 200
        edge.records(pbx.served(f"0039{number}", queue, pbx.now(), talk=10))
        eventually(lambda: sara.requests("all", queue=queue) == [])
        day = pbx.site_day()
        eventually(
            lambda: sara.report("dashboard", **{"from": day, "to": day, "queue": queue})["totals"]["served"] == 1,
            # The answer lies ten seconds after the call's start, and an outcome counts what lies before now.
        )

    def test_one_call_reported_by_three_sources_is_one_missed_call(self, edge: Edge, anna: Person, queue: str) -> None:
        number, at = pbx.new_number(), pbx.now() - timedelta(seconds=60)
        unique_id = pbx.new_unique_id(at)
        edge.loses(number, queue, unique_id=unique_id)
        notice = {
            "reason": "CANCELED",
            "uniqueid": unique_id,
            "caller_num": f"+39{number}",
            "called_num": "0509876543",
            "queue_name": queue,
            "waiting_time": "20",
        }
        told = edge.client.post("/pbx/kalliope/event?event=pbx.queue.unservedcall", json=notice)
        assert told.status_code == 200
        record = pbx.lost(f"0039{number}", queue, at, unique_id=unique_id) | {"gateway_name": "Fibra"}
        edge.records(record)
        edge.records(record)
        found = eventually(lambda: row(anna, "recall", queue), so_that=lambda item: item["source"] == "Fibra")
        assert found["calls"] == 1
        assert datetime.fromisoformat(found["first_call"]) == at

    def test_a_record_that_says_it_was_answered_withdraws_the_lost_call(
        self, edge: Edge, anna: Person, sara: Person, queue: str
    ) -> None:
        number, at = pbx.new_number(), pbx.now() - timedelta(seconds=90)
        unique_id = edge.loses(number, queue, unique_id=pbx.new_unique_id(at))
        eventually(lambda: row(anna, "recall", queue))
        edge.records(pbx.served(number, queue, at, talk=20, unique_id=unique_id))
        eventually(lambda: sara.requests("all", queue=queue) == [])
        day = pbx.site_day(at)
        eventually(lambda: sara.report("dashboard", **{"from": day, "to": day, "queue": queue})["totals"]["total"] == 0)

    def test_a_customer_lost_in_two_queues_is_reserved_once(
        self, edge: Edge, anna: Person, bruno: Person, queue: str
    ) -> None:
        number = pbx.new_number()
        edge.loses(number, f"{queue} A")
        edge.loses(f"+39{number}", f"{queue} B")
        one = eventually(lambda: row(anna, "recall", f"{queue} A"))
        two = eventually(lambda: row(anna, "recall", f"{queue} B"))
        assert one["caller_id"] == two["caller_id"]
        assert one["request_id"] != two["request_id"]
        position = anna.reserve(one["caller_id"]).json()["position"]
        at = {"Min-Position": str(position)}
        other = bruno.api.get("/requests", params={"view": "recall", "queue": f"{queue} B"}, headers=at)
        assert other.json()["items"] == []
        assert row(anna, "mine", f"{queue} B")["reserved_by"] == "anna"
        assert anna.release(one["caller_id"]).status_code == 200
        eventually(lambda: row(bruno, "recall", f"{queue} B"))
