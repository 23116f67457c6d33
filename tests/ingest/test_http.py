"""What does the PBX get to hear, and what is in the log then? On a real NATS and PostgreSQL."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from richiamo_events import subjects
from richiamo_events.language import CallMissed, CallServed, CallVoided, Rank
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.ingest.running import INSERT, RunningIngest, running_ingest

pytestmark = pytest.mark.servers

ACCEPTED = '<?xml version="1.0"?><response><value>1</value></response>'
REFUSED = '<?xml version="1.0"?><response><value>0</value></response>'


def routing(unique_id: str = "1511212918.0", caller: str = "0501234567", **more: str) -> str:
    fields = {"unique_id": unique_id, "caller": caller, "called": "0509876543", "servicecode": "%PARAM1%"}
    fields |= {"param1": "Assistenza", "param2": "queue", "param3": "%PARAM3", **more}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0"?>\n<parameters>{inside}<param4></param4></parameters>'


def record(unique_id: str = "1511212918.0", **more: Any) -> dict[str, Any]:
    return {
        "unique_id": unique_id,
        "source_type": "ibl",
        "destination_type": "queue",
        "status": "CANCELED",
        "start_datetime": "2017-11-20 22:21:58",
        "end_datetime": "2017-11-20 22:23:00",
        "caller": "0501234567",
        "called": "0509876543",
        "gateway_name": "trunk1",
        "bill_secs": "62",
        "details": [
            {
                "detail_destination_type": "queue",
                "detail_destination_name": "Vendite",
                "detail_enter_datetime": "2017-11-20 22:22:00",
                "detail_enqueue_datetime": "2017-11-20 22:22:00",
                "detail_exit_datetime": "2017-11-20 22:23:00",
                "detail_exit_cause": "CANCELED",
                "detail_waiting_time": "60",
            }
        ],
        **more,
    }


class TestRouting:
    @pytest.mark.parametrize(
        "content_type",
        ["application/xml", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""],
    )
    async def test_the_body_is_xml_whatever_its_type_says(self, ingest: RunningIngest, content_type: str) -> None:
        answer = await ingest.pbx.post(INSERT, content=routing(), headers={"content-type": content_type})
        assert (answer.status_code, answer.text) == (200, ACCEPTED)
        (fact,) = await ingest.facts()
        assert isinstance(fact, CallMissed)
        assert (str(fact.call), fact.rank, fact.queue, fact.type) == (
            "main:1511212918.0", Rank.ROUTING, "Assistenza", "queue",
        )  # fmt: skip
        assert fact.caller is not None
        assert await ingest.service.link.writer.directory.number_of(fact.caller) == "+390501234567"  # type: ignore[union-attr]

    async def test_get_carries_the_same_names_and_the_last_slash_may_be_missing(self, ingest: RunningIngest) -> None:
        query = {"unique_id": "1.2", "caller": "0501234567", "param1": "Vendite", "pbx": "pisa"}
        answer = await ingest.pbx.get(INSERT.rstrip("/"), params=query)
        assert (answer.status_code, answer.text) == (200, ACCEPTED)
        (fact,) = await ingest.facts()
        assert (str(fact.call), fact.queue, fact.type) == ("pisa:1.2", "Vendite", "queue")

    async def test_the_same_call_twice_is_one_event(self, ingest: RunningIngest) -> None:
        for _ in range(3):
            assert (await ingest.pbx.post(INSERT, content=routing())).text == ACCEPTED
        assert len(await ingest.facts()) == 1

    @pytest.mark.parametrize("caller", ["anonymous", "", "%CALLER%", "%CALLER", "Unknown"])
    async def test_a_withheld_caller_is_accepted_and_counted(self, ingest: RunningIngest, caller: str) -> None:
        assert (await ingest.pbx.post(INSERT, content=routing(caller=caller))).text == ACCEPTED
        (event,) = await ingest.log()
        assert event.subject == subjects.WITHHELD
        assert isinstance(event.data, CallMissed)
        assert event.data.caller is None

    @pytest.mark.parametrize(
        "body",
        [
            "no xml",
            "<parameters><caller>0501234567</caller></parameters>",
            "<parameters><unique_id>%UNIQUEID%</unique_id></parameters>",
            "<parameters><unique_id>1.1",
            '<!DOCTYPE p [<!ENTITY a "b">]><parameters><unique_id>&a;</unique_id></parameters>',
            '<!DOCTYPE p SYSTEM "file:///etc/passwd"><parameters><unique_id>1</unique_id></parameters>',
            "<parameters>" + "x" * 70_000 + "</parameters>",
            "\0\xff",
        ],
    )
    async def test_what_is_not_understood_gets_the_refusal_and_is_put_aside(
        self, ingest: RunningIngest, body: str
    ) -> None:
        answer = await ingest.pbx.post(INSERT, content=body.encode("latin-1"))
        assert (answer.status_code, answer.text) == (200, REFUSED)
        assert await ingest.facts() == []
        kept = await ingest.store.client.jetstream().get_last_msg("QUARANTINE", "richiamo.quarantine.main")
        assert kept.data is not None
        assert json.loads(kept.data)["source"] == "routing"

    async def test_wrong_credentials_are_401(
        self, event_store: JetStreamEventStore, nats_url: str, database_url: str, tmp_path: Path
    ) -> None:
        settings = IngestSettings(
            nats_url=SecretStr(nats_url),
            database_url=SecretStr(database_url),
            data_dir=tmp_path,
            ingest_port=0,
            pbx_user="pbx",
            pbx_password=SecretStr("così"),
        )
        async with running_ingest(settings, event_store) as ingest:
            assert (await ingest.pbx.post(INSERT, content=routing())).status_code == 401
            wrong = await ingest.pbx.post(INSERT, content=routing(), auth=("pbx", "no"))
            assert wrong.status_code == 401
            assert (
                await ingest.pbx.post(INSERT, content=routing(), headers={"authorization": "Basic %"})
            ).status_code == 401
            right = {"authorization": "Basic " + base64.b64encode("pbx:così".encode()).decode()}
            assert (await ingest.pbx.post(INSERT, content=routing(), headers=right)).text == ACCEPTED
            assert (await ingest.pbx.get("/healthz")).status_code == 200


class TestNotifications:
    async def test_an_unserved_call_in_three_forms_is_one_call(self, ingest: RunningIngest) -> None:
        values = {
            "reason": "CANCELED", "queue_id": "1", "uniqueid": "1511212918.0", "called_num": "201",
            "caller_num": "103", "queue_name": "QueueTest", "waiting_time": "5",
        }  # fmt: skip
        xml = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
        for body in (
            json.dumps(values),
            f'<?xml version="1.0"?><response>{xml}</response>',
            str(httpx.QueryParams(values)),
        ):
            answer = await ingest.pbx.post("/pbx/kalliope/event?event=pbx.queue.unservedcall", content=body)
            assert answer.status_code == 200
        (fact,) = await ingest.facts()
        assert isinstance(fact, CallMissed)
        assert (fact.rank, fact.queue, fact.waiting_seconds, fact.reason) == (2, "QueueTest", 5.0, "CANCELED")

    async def test_a_served_call_is_a_fact_and_others_are_counted(self, ingest: RunningIngest) -> None:
        served = {"event": "pbx.queue.servedcall", "uniqueid": "7.1", "caller_num": "0501234567", "queue_name": "Q"}
        assert (await ingest.pbx.post("/pbx/kalliope/event", json=served)).status_code == 200
        assert (await ingest.pbx.get("/pbx/kalliope/event?event=pbx.call.end&uniqueid=7.1")).status_code == 200
        assert (await ingest.pbx.post("/pbx/kalliope/event", content=b"[]\xff")).status_code == 200
        (event,) = await ingest.log()
        assert isinstance(event.data, CallServed)
        assert event.subject.startswith("richiamo.events.elsewhere.")


class TestRecords:
    async def test_a_lost_call_is_a_fact_and_its_record_is_kept(self, ingest: RunningIngest) -> None:
        answer = await ingest.pbx.post("/pbx/cdr", json=[record()])
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "duplicates": 0, "refused": []})
        (fact,) = await ingest.facts()
        assert isinstance(fact, CallMissed)
        assert (fact.rank, fact.queue, fact.waiting_seconds, fact.source) == (Rank.LEGS, "Vendite", 60.0, "trunk1")
        assert fact.started_at is not None
        assert fact.started_at.isoformat() == "2017-11-20T21:21:58+00:00"
        again = await ingest.pbx.post("/pbx/cdr", json={"cdr": [record()]})
        assert again.json() == {"accepted": 0, "duplicates": 1, "refused": []}
        assert len(await ingest.facts()) == 1

    async def test_what_cannot_be_taken_is_named_by_its_index(self, ingest: RunningIngest) -> None:
        rows = [
            record("1.1"),
            {"caller": "1"},
            7,
            record("1.2", start_datetime="yesterday"),
            record("1.3", caller="050123xxx"),
        ]
        answer = await ingest.pbx.post("/pbx/cdr", json=rows)
        assert answer.status_code == 202
        assert answer.json()["accepted"] == 1
        assert [one["index"] for one in answer.json()["refused"]] == [1, 2, 3, 4]
        assert "right to see whole numbers" in answer.json()["refused"][3]["reason"]

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[1", b"hello", b"<a>", b"\xff\xfe", b"[" * 100_000, b"<!DOCTYPE a><a/>"]
    )
    async def test_an_unreadable_body_is_a_problem_in_words(self, ingest: RunningIngest, body: bytes) -> None:
        answer = await ingest.pbx.post("/pbx/cdr", content=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]

    async def test_csv_and_xml_are_records_too(self, ingest: RunningIngest) -> None:
        flat = {**record("9.1"), **record()["details"][0]}
        del flat["details"]
        second = {**flat, "detail_destination_name": "Altra", "detail_enter_datetime": "2017-11-20 22:22:30"}
        csv = (
            "#" + ";".join(flat) + "\r\n" + "".join(";".join(map(str, row.values())) + "\r\n" for row in (flat, second))
        )
        assert (await ingest.pbx.post("/pbx/cdr", content=csv)).json()["accepted"] == 1
        rows = ["".join(f"<{k}>{v}</{k}>" for k, v in {**row, "unique_id": "9.2"}.items()) for row in (flat, second)]
        xml = "<cdr>" + "".join(f"<row>{row}</row>" for row in rows) + "</cdr>"
        assert (await ingest.pbx.post("/pbx/cdr", content=xml)).json()["accepted"] == 1
        assert [fact.queue for fact in await ingest.facts()] == ["Altra", "Altra"]

    async def test_a_number_that_becomes_known_moves_the_call_to_its_caller(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post(INSERT, content=routing(caller=""))
        await ingest.pbx.post("/pbx/cdr", json=[record()])
        withheld, void, known = await ingest.facts()
        assert withheld.caller is None
        assert isinstance(void, CallVoided)
        assert known.caller is not None

    async def test_the_records_of_an_erased_caller_make_no_new_one(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post(INSERT, content=routing())
        (fact,) = await ingest.facts()
        writer = ingest.service.link.writer
        assert writer is not None
        await writer.directory.forget(fact.caller)
        assert (await ingest.pbx.post("/pbx/cdr", json=[record()])).json()["accepted"] == 1
        assert [one.caller for one in await ingest.facts()] == [fact.caller, fact.caller]
        assert await writer.directory.find("+390501234567") is None
        kept = await ingest.store.client.jetstream().get_last_msg("CDR", "richiamo.cdr.main")
        assert kept.data is not None
        assert b"1234567" not in kept.data
        # The same number calling again is a new caller.
        await ingest.pbx.post(INSERT, content=routing("1511212999.0"))
        assert (await ingest.facts())[-1].caller != fact.caller

    async def test_health_says_what_it_is_doing(self, ingest: RunningIngest) -> None:
        assert (await ingest.pbx.get("/healthz")).json() == {"alive": True}
        assert (await ingest.pbx.get("/readyz")).json() == {"ready": True, "spooled": 0, "alarms": []}
        assert "richiamo_spool_entries" in (await ingest.pbx.get("/metrics")).text


class TestSettings:
    async def test_values_time_checks_and_short_waits_follow_the_settings_at_once(self, ingest: RunningIngest) -> None:
        await ingest.set(accept_value="10", refuse_value="20", ignore_waits_under_seconds=6.0)
        assert "<value>10</value>" in (await ingest.pbx.post(INSERT, content=routing())).text
        assert "<value>20</value>" in (await ingest.pbx.post(INSERT, content="no")).text
        unserved = {"event": "pbx.queue.unservedcall", "caller_num": "0501234567", "queue_name": "Q"}
        # Calls that begin after the change: the rule in force is that of their start.
        soon = int(datetime.now(UTC).timestamp()) + 60
        for unique_id, waited in ((f"{soon}.1", "5"), (f"{soon}.2", "6")):
            body = {**unserved, "uniqueid": unique_id, "waiting_time": waited}
            assert (await ingest.pbx.post("/pbx/kalliope/event", json=body)).status_code == 200
        closed = {
            "detail_destination_type": "checktime",
            "detail_destination_name": "Orari",
            "detail_exit_cause": "CLOSED",
        }
        start = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        met = {"source_type": "ibl", "caller": "0501234567", "start_datetime": start, "details": [closed]}
        await ingest.pbx.post("/pbx/cdr", json=[{**met, "unique_id": "8.3"}])
        await ingest.set(import_checktime=True)
        await ingest.pbx.post("/pbx/cdr", json=[{**met, "unique_id": "8.4"}])
        calls = [(one.call.unique_id, one.type) for one in await ingest.facts() if isinstance(one, CallMissed)]
        assert calls == [("1511212918.0", "queue"), (f"{soon}.2", "queue"), ("8.4", "checktime")]

    async def test_other_names_of_queues_and_the_sites_own_rules_for_numbers_lead_to_one_request(
        self, ingest: RunningIngest
    ) -> None:
        await ingest.set(queue_aliases={"assistenza tecnica": "Assistenza"}, number_rewrites=["9. = ."])
        soon = int(datetime.now(UTC).timestamp()) + 60
        await ingest.pbx.post(INSERT, content=routing(f"{soon}.1", "90501234567", param1="assistenza tecnica"))
        await ingest.pbx.post(INSERT, content=routing(f"{soon}.2", "+390501234567", param1="Assistenza"))
        first, second = [one for one in await ingest.facts() if isinstance(one, CallMissed)]
        assert (first.queue, first.caller) == (second.queue, second.caller) == ("Assistenza", second.caller)
