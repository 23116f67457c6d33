"""Do the calls about callers reach the queue service, and do its answers come back as the contract says?"""

from pathlib import Path

import pytest

from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway.lost_calls import caller_of, lose
from tests.gateway.test_sessions import problem

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("queue_service")]

NUMBER = "+390501234567"


class TestTheMainJob:
    async def test_a_lost_call_is_listed_reserved_and_refused_to_others(
        self, house: House, event_store: JetStreamEventStore, data_dir: Path
    ) -> None:
        anna, bruno = await house.person("anna", extension="201"), await house.person("bruno", extension="202")
        caller = await caller_of(event_store, data_dir, NUMBER)
        position = await lose(event_store, caller, "1.1")
        listed = (await anna.get("/requests", headers={"Min-Position": str(position)})).json()
        assert (listed["total"], listed["items"][0]["number"]) == (1, NUMBER)

        reserved = await anna.put(f"/callers/{caller}/reservation")
        assert reserved.status_code == 200
        after = {"Min-Position": str(reserved.json()["position"])}
        assert (await anna.get("/requests?view=mine", headers=after)).json()["total"] == 1
        assert (await bruno.get("/requests?view=recall", headers=after)).json()["total"] == 0
        body = problem(await bruno.put(f"/callers/{caller}/reservation"), 409, "already-reserved")
        assert body["reserved_by"] == "anna"
        assert body["since"]

        dialled = await anna.post(f"/callers/{caller}/recalls")
        assert dialled.status_code == 202
        assert {"dial_id", "how", "link", "position"} <= dialled.json().keys()
        timeline = (await anna.get(f"/callers/{caller}/timeline")).json()["items"]
        assert [item["kind"] for item in timeline] == ["call_missed", "call_reserved", "recall_started"]

    async def test_logging_out_hands_back(self, house: House, event_store: JetStreamEventStore, data_dir: Path) -> None:
        anna, bruno = await house.person("anna"), await house.person("bruno")
        caller = await caller_of(event_store, data_dir, NUMBER)
        position = await lose(event_store, caller, "1.1")
        await anna.get("/requests", headers={"Min-Position": str(position)})
        assert (await anna.put(f"/callers/{caller}/reservation")).status_code == 200
        assert (await anna.delete("/session")).status_code == 204
        assert (await bruno.put(f"/callers/{caller}/reservation")).status_code == 200

    async def test_a_flush_and_its_undoing(
        self, house: House, event_store: JetStreamEventStore, data_dir: Path
    ) -> None:
        berta = await house.person("berta", "supervisor")
        caller = await caller_of(event_store, data_dir, NUMBER)
        position = await lose(event_store, caller, "1.1")
        everything = {"view": "all"}
        headers = {"Min-Position": str(position)}
        assert (await berta.get("/requests", params=everything, headers=headers)).json()["total"] == 1
        flushed = await berta.post("/flushes", json={"caller_ids": [caller], "reason": "test"})
        assert flushed.status_code == 201
        headers = {"Min-Position": str(flushed.json()["position"])}
        assert (await berta.get("/requests", params=everything, headers=headers)).json()["total"] == 0
        undone = await berta.delete(f"/flushes/{flushed.json()['flush_id']}")
        headers = {"Min-Position": str(undone.json()["position"])}
        assert (await berta.get("/requests", params=everything, headers=headers)).json()["total"] == 1


class TestParameters:
    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=1001",
            "view=everything",
            "first_call_from=yesterday",
            "first_call_to=2026-13-01",
            "as_of=2026-01-01T10:00:00",
            "recalled_min=-1",
            "sort=drop%20table",
            "sort=nonsense",
            "after=nonsense",
        ],
    )
    async def test_a_bad_one_is_refused_in_words(self, house: House, query: str) -> None:
        body = problem(
            await (await house.admin()).get(f"/requests?{query}"),
            422,
            str(["invalid", "malformed"][query in ("sort=nonsense", "after=nonsense")]),
        )
        assert body["detail"]

    async def test_a_plus_sign_that_was_not_escaped_is_understood(self, house: House) -> None:
        admin = await house.admin()
        assert (await admin.get("/requests?as_of=2026-01-01T10:00:00+01:00")).status_code == 200

    async def test_an_unknown_caller_is_not_found(self, house: House) -> None:
        admin = await house.admin()
        assert (await admin.put("/callers/nobody/reservation")).status_code == 404
        assert (await admin.put("/callers/a.b/reservation")).status_code == 404
