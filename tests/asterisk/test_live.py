"""Does what a living Asterisk tells become facts, once, whoever listens, and is a gap named?"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from pydantic import SecretStr

from richiamo_events.language import CallMissed, CallServed, Rank
from richiamo_events.records import RECORD, Lost, Outbound, Served, verdict
from richiamo_ingest.asterisk.events import Ear, Gathering
from richiamo_ingest.asterisk.parse import row_of
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import CDR
from tests.asterisk.lines import CALL, CALLER, T0, instant, row
from tests.asterisk.pbx import AsteriskPbx, abandon, complete, connect, record, running
from tests.asterisk.test_files import DIALLED, HALF, RANG, TALKED
from tests.ingest.running import RunningIngest, running_ingest, until

Listening = Callable[..., Any]
NOW = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[AsteriskPbx]:
    async with running(AsteriskPbx()) as served:
        yield served


@pytest_asyncio.fixture
async def listening(
    pbx: AsteriskPbx, event_store: JetStreamEventStore, nats_url: str, database_url: str, tmp_path: Path
) -> AsyncIterator[Listening]:
    """Starts ingests that listen to the PBX."""
    secret = tmp_path / "ami.secret"
    secret.write_text("ami secret\n")

    @asynccontextmanager
    async def start(name: str = "one", **more: Any) -> AsyncIterator[RunningIngest]:
        settings = IngestSettings(
            nats_url=SecretStr(nats_url),
            database_url=SecretStr(database_url),
            data_dir=tmp_path / name,
            directory_key_file=tmp_path / "directory.key",
            ingest_port=0,
            ami_host="127.0.0.1",
            ami_port=pbx.port,
            ami_secret_file=secret,
            ami_events=True,
            **more,
        )
        logins = pbx.logins
        async with running_ingest(settings, event_store) as ingest:
            await pbx.listened_to(logins + 1)
            yield ingest

    async with AsyncExitStack() as stack:
        yield lambda *args, **more: stack.enter_async_context(start(*args, **more))


def call(number: int) -> str:
    """A call of this minute, so that its id tells its start."""
    return f"{int(datetime.now(UTC).timestamp())}.{number}"


async def facts(ingest: RunningIngest, count: int) -> list[Any]:
    async with asyncio.timeout(60):
        while len(found := await ingest.facts()) < count:
            await asyncio.sleep(0.02)
    return found


class TestUnderstanding:
    def test_records_without_a_linkedid_are_put_to_their_call(self) -> None:
        ear = Ear("main")
        assert ear.hear({"event": "Newchannel", "uniqueid": f"{T0}.19", "linkedid": CALL}, NOW) is None
        told = ear.hear(
            {"event": "Cdr", "uniqueid": f"{T0}.19", "disposition": "NO ANSWER", "starttime": "2026-03-02 10:00:00"},
            NOW,
        )
        assert getattr(told, "call", None) == CALL

    def test_a_call_is_due_when_nothing_more_comes(self) -> None:
        gathering = Gathering()
        first, second = row_of(row(0, 40), 0), row_of(row(0, 40, uniqueid="x"), 0)
        gathering.add(first, NOW)
        gathering.add(second, NOW + timedelta(seconds=1))
        assert gathering.due(NOW + timedelta(seconds=2)) == []
        assert gathering.due(NOW + timedelta(seconds=3)) == [[first, second]]
        assert gathering.due(NOW + timedelta(seconds=9)) == []

    def test_a_row_that_comes_later_brings_the_others_again(self) -> None:
        gathering = Gathering()
        first, later = row_of(row(0, 40), 0), row_of(row(0, 40, uniqueid="x"), 0)
        gathering.add(first, NOW)
        assert gathering.due(NOW, all_of_them=True) == [[first]]
        gathering.add(later, NOW + timedelta(minutes=1))
        assert gathering.due(NOW + timedelta(minutes=2)) == [[first, later]]

    def test_it_forgets_after_a_while_and_beyond_a_number(self) -> None:
        gathering = Gathering(most=10)
        one = row_of(row(0, 40), 0)
        for number in range(30):
            gathering.add(replace(one, call=str(number)), NOW)
        assert len(gathering.due(NOW, all_of_them=True)) == 30
        assert len(gathering._rows) == 10
        gathering.due(NOW + timedelta(hours=1))
        assert not gathering._rows


@pytest.mark.servers
class TestListening:
    async def test_an_abandoned_call_is_a_missed_call(self, pbx: AsteriskPbx, listening: Listening) -> None:
        ingest = await listening()
        lost = call(1)
        await abandon(pbx, lost, CALLER, waited=12)
        (fact,) = await facts(ingest, 1)
        assert isinstance(fact, CallMissed)
        assert (str(fact.call), fact.queue, fact.waiting_seconds, fact.rank) == (
            f"main:{lost}",
            "Vendite",
            12.0,
            Rank.NOTIFICATION,
        )

    async def test_a_call_that_is_taken_is_served(self, pbx: AsteriskPbx, listening: Listening) -> None:
        ingest = await listening(ami_pbx="pisa")
        taken = call(1)
        await connect(pbx, taken, CALLER)
        await complete(pbx, taken, CALLER, talked=30)
        await abandon(pbx, call(2), CALLER)
        found = await facts(ingest, 2)
        assert [type(fact) for fact in found] == [CallServed, CallMissed]
        assert (found[0].extension, found[0].queue, found[0].call.pbx) == ("201", "Vendite", "pisa")

    async def test_a_completion_whose_answer_fell_into_a_gap_still_serves(
        self, pbx: AsteriskPbx, listening: Listening
    ) -> None:
        ingest = await listening()
        await complete(pbx, call(1), CALLER, talked=30)
        (fact,) = await facts(ingest, 1)
        assert (fact.talk_seconds, fact.received_at - fact.answered_at > timedelta(seconds=29)) == (30.0, True)

    async def test_two_listeners_make_one_fact(self, pbx: AsteriskPbx, listening: Listening) -> None:
        first, _second = await listening("one", ami_pbx="both"), await listening("two", ami_pbx="both")
        for number in range(20):
            await abandon(pbx, call(number), CALLER)
        await connect(pbx, call(90), CALLER)
        await abandon(pbx, call(99), CALLER)
        await until(lambda: _taken("both") >= 42)
        found = await facts(first, 22)
        assert len(found) == 22
        assert len({str(fact.call) for fact in found}) == 22

    async def test_the_records_of_a_call_become_one_record(self, pbx: AsteriskPbx, listening: Listening) -> None:
        ingest = await listening()
        for part in (RANG, HALF, TALKED):
            await pbx.emit("Newchannel", "call", ("Uniqueid", part["uniqueid"]), ("Linkedid", part["linkedid"]))
            await record(pbx, part)
        (kept,) = await _records(ingest, 1)
        assert isinstance(verdict(kept), Served)
        assert str(kept.call) == f"main:{CALL}"

    async def test_a_recall_has_its_record(self, pbx: AsteriskPbx, listening: Listening) -> None:
        ingest = await listening()
        await record(pbx, DIALLED)
        (kept,) = await _records(ingest, 1)
        assert isinstance(verdict(kept), Outbound)

    async def test_talk_is_counted_from_the_customers_answer_and_no_file_knows_better(
        self, pbx: AsteriskPbx, listening: Listening
    ) -> None:
        ingest = await listening()
        # One of this minute: the PBX's clock is believed only near ours.
        began = int(datetime.now(UTC).timestamp()) - T0 - 60
        dialled = {**DIALLED, **{name: row(began, 40, answer=10)[name] for name in ("start", "answer", "end")}}
        answer = ("DestChannel", dialled["dstchannel"]), ("DialStatus", "ANSWER")
        await pbx.emit("DialEnd", "call", *answer, ("Timestamp", f"{T0 + began + 37}.4"))
        await record(pbx, dialled)
        (kept,) = await _records(ingest, 1)
        found = verdict(kept)
        assert isinstance(found, Outbound)
        assert (found.talk_seconds, found.answered_at, kept.rank) == (3.0, instant(began + 37), Rank.LEGS)

    async def test_an_answer_told_outside_the_call_is_not_believed(
        self, pbx: AsteriskPbx, listening: Listening
    ) -> None:
        ingest = await listening()
        await pbx.emit("DialEnd", "call", ("DestChannel", DIALLED["dstchannel"]), ("DialStatus", "ANSWER"))
        await record(pbx, DIALLED)
        (kept,) = await _records(ingest, 1)
        found = verdict(kept)
        assert isinstance(found, Outbound)
        assert (found.talk_seconds, kept.rank) == (30.0, Rank.SUMMARY)

    async def test_what_is_still_gathered_is_kept_when_the_connection_breaks(
        self, pbx: AsteriskPbx, listening: Listening
    ) -> None:
        ingest = await listening()
        await record(pbx, row(0, 40, disposition="ANSWERED"))
        await pbx.cut()
        (kept,) = await _records(ingest, 1)
        assert isinstance(verdict(kept), Lost)

    async def test_it_reconnects_and_measures_the_gap(self, pbx: AsteriskPbx, listening: Listening) -> None:
        ingest = await listening(ami_pbx="gap")
        before = REGISTRY.get_sample_value("richiamo_ami_gap_seconds_total", {"pbx": "gap"}) or 0.0
        await pbx.cut()
        await pbx.listened_to(2)
        await abandon(pbx, call(1), CALLER)
        assert len(await facts(ingest, 1)) == 1
        gap = (REGISTRY.get_sample_value("richiamo_ami_gap_seconds_total", {"pbx": "gap"}) or 0.0) - before
        assert 0.1 < gap < 20
        assert REGISTRY.get_sample_value("richiamo_ami_connected", {"pbx": "gap"}) == 1.0

    async def test_a_gap_across_a_restart_is_measured_from_what_was_last_heard(
        self, pbx: AsteriskPbx, listening: Listening, tmp_path: Path
    ) -> None:
        mark = tmp_path / "one" / "ingest" / "ami-main.heard"
        mark.parent.mkdir(parents=True)
        mark.write_text((datetime.now(UTC) - timedelta(hours=2)).isoformat())
        before = REGISTRY.get_sample_value("richiamo_ami_gap_seconds_total", {"pbx": "main"}) or 0.0
        await listening("one")
        after = REGISTRY.get_sample_value("richiamo_ami_gap_seconds_total", {"pbx": "main"}) or 0.0
        assert after - before >= 7200

    async def test_what_is_not_understood_stops_nothing(self, pbx: AsteriskPbx, listening: Listening) -> None:
        ingest = await listening()
        await pbx.emit("QueueCallerAbandon", "agent", ("Queue", "Vendite"), ("HoldTime", "soon"))
        await pbx.emit("Cdr", "cdr", ("UniqueID", ""), ("Disposition", "?"))
        await abandon(pbx, call(1), CALLER)
        assert len(await facts(ingest, 1)) == 1

    async def test_nobody_listens_unless_asked_to(
        self, pbx: AsteriskPbx, event_store: JetStreamEventStore, nats_url: str, database_url: str, tmp_path: Path
    ) -> None:
        settings = IngestSettings(
            nats_url=SecretStr(nats_url),
            database_url=SecretStr(database_url),
            data_dir=tmp_path,
            ingest_port=0,
            ami_host="127.0.0.1",
            ami_port=pbx.port,
        )
        async with running_ingest(settings, event_store) as ingest:
            assert not [task for task in ingest.service.parts if task.get_name() == "ami"]
        assert pbx.sessions == []


def _taken(pbx: str) -> float:
    """How many lost calls all listeners together have taken."""
    results = ("new", "duplicate", "spooled")
    labels = [{"pbx": pbx, "source": "ami", "result": result} for result in results]
    return sum(REGISTRY.get_sample_value("richiamo_lost_calls_total", one) or 0.0 for one in labels)


async def _records(ingest: RunningIngest, count: int) -> list[Any]:
    """The call records that were kept."""
    jetstream = ingest.store.client.jetstream()
    async with asyncio.timeout(60):
        while (await jetstream.stream_info(CDR)).state.messages < count:
            await asyncio.sleep(0.02)
    return [RECORD.validate_json((await jetstream.get_msg(CDR, number + 1)).data or b"") for number in range(count)]
