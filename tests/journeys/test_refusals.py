"""Is what cannot be right refused politely, and is nobody let in who should stay out?"""

import httpx
import pytest

from tests.journeys import edge as pbx
from tests.journeys.edge import REFUSED, ROUTING, Edge
from tests.journeys.people import Person
from tests.journeys.system import System
from tests.journeys.waiting import eventually

ENTITIES = """<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "b">]><parameters><unique_id>&a;</unique_id></parameters>"""


class TestAtThePbx:
    @pytest.mark.parametrize(
        "body",
        ["", "not XML", "<parameters><unique_id>1", ENTITIES, pbx.xml("", "0501234567", "Assistenza")],
        ids=["empty", "text", "cut", "entities", "no unique_id"],
    )
    def test_a_bad_body_is_answered_200_with_the_value_of_refusal(self, edge: Edge, body: str) -> None:
        answer = edge.post(body)
        assert answer.status_code == 200
        assert REFUSED in answer.text
        assert "Traceback" not in answer.text

    @pytest.mark.parametrize("content_type", ["text/plain", "application/xml", None])
    def test_the_content_type_does_not_matter(
        self, edge: Edge, anna: Person, queue: str, content_type: str | None
    ) -> None:
        answer = edge.post(pbx.xml(pbx.new_unique_id(), pbx.new_number(), queue), content_type)
        assert pbx.ACCEPTED in answer.text
        eventually(lambda: len(anna.requests("recall", queue=queue)) == 1)

    @pytest.mark.parametrize("path", [ROUTING, ROUTING.rstrip("/")])
    def test_get_carries_the_same_names(self, edge: Edge, anna: Person, queue: str, path: str) -> None:
        values = {
            "unique_id": pbx.new_unique_id(),
            "caller": pbx.new_number(),
            "called": "0509876543",
            "param1": queue,
            "param2": "queue",
            "param3": "%PARAM3",
        }
        answer = edge.client.get(path, params=values)
        assert answer.status_code == 200
        assert pbx.ACCEPTED in answer.text
        eventually(lambda: len(anna.requests("recall", queue=queue)) == 1)

    def test_one_bad_record_does_not_hold_up_the_others(self, edge: Edge, anna: Person, queue: str) -> None:
        good = pbx.lost(pbx.new_number(), queue, pbx.now())
        answer = edge.client.post("/pbx/cdr", json=[{"no": "id"}, good])
        assert answer.status_code == 202
        assert answer.json()["accepted"] == 1
        assert [refusal["index"] for refusal in answer.json()["refused"]] == [0]
        assert answer.json()["refused"][0]["reason"]
        eventually(lambda: len(anna.requests("recall", queue=queue)) == 1)


class TestAtTheGateway:
    def test_a_wrong_password_and_no_token(self, system: System) -> None:
        api = f"{system.gateway}/api/v1"
        wrong = httpx.post(f"{api}/session", json={"username": "admin", "password": "wrong"})
        assert wrong.status_code == 401
        assert wrong.headers["content-type"].startswith("application/problem+json")
        assert httpx.get(f"{api}/requests", params={"view": "recall"}).status_code == 401

    def test_roles(self, anna: Person, sara: Person) -> None:
        assert anna.api.get("/requests", params={"view": "all"}).status_code == 403
        assert anna.api.get("/reports/dashboard", params={"from": "2026-01-01", "to": "2026-01-01"}).status_code == 403
        assert sara.api.get("/users").status_code == 403
        assert sara.api.get("/settings").status_code == 403

    def test_what_does_not_exist(self, anna: Person) -> None:
        assert anna.reserve("no-such-caller").status_code == 404
        assert anna.api.get("/no-such-thing").status_code == 404

    @pytest.mark.parametrize(
        "parameters",
        [{"view": "nothing"}, {"view": "recall", "limit": 0}, {"view": "recall", "limit": 1001}, {"sort": "colour"}],
    )
    def test_parameters_that_mean_nothing(self, anna: Person, parameters: dict[str, str]) -> None:
        answer = anna.api.get("/requests", params={"view": "recall"} | parameters)
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"].startswith("application/problem+json")

    def test_health_and_metrics_on_both_ports(self, system: System) -> None:
        for address in (system.gateway, system.ingest):
            assert httpx.get(f"{address}/healthz").status_code == 200
            assert httpx.get(f"{address}/readyz").status_code == 200
            assert "# TYPE" in httpx.get(f"{address}/metrics").text


class TestWithheld:
    @pytest.mark.parametrize("caller", ["", "anonymous", "%CALLERNUM%"])
    def test_a_withheld_call_is_counted_and_makes_no_row(
        self, edge: Edge, sara: Person, queue: str, caller: str
    ) -> None:
        day = pbx.site_day()
        edge.loses(caller, queue)
        eventually(lambda: _missed(sara, day, queue) == 1)
        assert sara.requests("all", queue=queue) == []


def _missed(person: Person, day: str, queue: str) -> int:
    queues = person.report("code-caller", **{"from": day, "to": day, "queue": queue})["queues"]
    return sum(int(line["missed_calls"]) for one in queues for line in one["days"])
