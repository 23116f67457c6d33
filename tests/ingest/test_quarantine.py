"""Does what was put aside get in after all: as of when it was received, once, whatever happens meanwhile?"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from richiamo_events.history import whole_second
from richiamo_kit import metrics, quarantine
from richiamo_kit.errors import Problem
from richiamo_kit.quarantine import Entry
from richiamo_kit.store.api import api
from richiamo_kit.store.streams import CDR, QUARANTINE
from richiamo_ops import quarantine as command
from tests.ingest.running import INSERT, RunningIngest, until
from tests.ingest.test_http import record, routing

pytestmark = pytest.mark.servers

BROKEN = routing("7.1", caller="0501234567").replace("</parameters>", "")


async def kept(ingest: RunningIngest) -> list[Entry]:
    return [entry async for entry in quarantine.entries(ingest.store.client)]


async def only(ingest: RunningIngest) -> Entry:
    (entry,) = await kept(ingest)
    return entry


async def repair(ingest: RunningIngest, entry: Entry, body: str) -> Mapping[str, object]:
    return await ingest.service.quarantined.repair({"entry": entry.position, "body": body})


async def submit(ingest: RunningIngest, position: int) -> Mapping[str, object]:
    return await ingest.service.quarantined.submit({"entry": position})


class TestRepairing:
    async def test_a_repaired_call_is_lost_at_the_instant_it_was_first_received(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post(INSERT, content=BROKEN, params={"pbx": "pisa"})
        entry = await only(ingest)
        assert (entry.source, entry.pbx, entry.text) == ("routing", "pisa", BROKEN)
        repaired = await repair(ingest, entry, BROKEN + "</parameters>")
        assert repaired["problem"] == ""
        position = repaired["entry"]
        assert isinstance(position, int)
        assert await submit(ingest, position) == {"accepted": 1, "duplicates": 0, "refused": []}
        (event,) = await ingest.log()
        assert event.data.received_at == entry.received_at  # type: ignore[union-attr]
        assert event.occurred_at == whole_second(entry.received_at)
        assert str(event.data.call) == "pisa:7.1"  # type: ignore[union-attr]
        assert await kept(ingest) == []

    async def test_what_cannot_be_read_yet_stays_and_says_why(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post(INSERT, content=BROKEN)
        entry = await only(ingest)
        with pytest.raises(Problem, match="cannot be read yet"):
            await submit(ingest, entry.position)
        repaired = await repair(ingest, entry, "<parameters/>")
        assert "unique_id" in str(repaired["problem"])
        assert (await only(ingest)).text == "<parameters/>"
        assert await ingest.facts() == []

    async def test_a_repair_taken_back_loses_nothing(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post(INSERT, content=BROKEN)
        first = await only(ingest)
        await repair(ingest, first, "<parameters/>")
        await repair(ingest, await only(ingest), BROKEN)
        again = await only(ingest)
        assert (again.text, again.received_at) == (BROKEN, first.received_at)

    async def test_a_body_in_another_code_page_comes_back_as_it_was(self, ingest: RunningIngest) -> None:
        body = "<?xml version='1.0' encoding='iso-8859-1'?><parameters><param1>Così</param1>".encode("latin-1")
        await ingest.pbx.post(INSERT, content=body)
        entry = await only(ingest)
        assert entry.body == body
        repaired = await repair(ingest, entry, entry.text + "<unique_id>8.1</unique_id></parameters>")
        assert repaired["problem"] == ""
        await submit(ingest, (await only(ingest)).position)
        (fact,) = await ingest.facts()
        assert fact.queue == "Così"

    async def test_a_notification_and_records_too(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post("/pbx/kalliope/event?event=unservedcall", content='{"uniqueid": "9.1"')
        await ingest.pbx.post("/pbx/cdr?timezone=UTC", json=[record("", caller="0501234567"), record("9.3")])
        for entry in await kept(ingest):
            text = entry.text + "}" if entry.source == "event" else entry.text.replace('"unique_id": ""', '"id": "9.2"')
            repaired = await repair(ingest, entry, text)
            assert repaired["problem"] == ""
            await submit(ingest, int(str(repaired["entry"])))
        facts = {str(fact.call): fact for fact in await ingest.facts()}
        assert set(facts) == {"main:9.1", "main:9.2", "main:9.3"}
        assert facts["main:9.2"].started_at == facts["main:9.3"].started_at  # The query said the zone.

    async def test_what_is_refused_of_several_calls_is_an_entry_of_its_own(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post("/pbx/cdr", content=b"[{")
        entry = await only(ingest)
        repaired = await repair(ingest, entry, '[{"unique_id": "1.1", "caller": "050"}, {"caller": "0501234567"}]')
        assert repaired["problem"]
        taken = await submit(ingest, int(str(repaired["entry"])))
        assert (taken["accepted"], len(list(taken["refused"]))) == (1, 1)  # type: ignore[call-overload]
        left = await only(ingest)
        assert left.received_at == entry.received_at


class TestOnce:
    async def test_two_at_once_have_one_effect(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post(INSERT, content=BROKEN)
        position = int(str((await repair(ingest, await only(ingest), BROKEN + "</parameters>"))["entry"]))
        answers = await asyncio.gather(*(submit(ingest, position) for _ in range(5)), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Problem)]
        assert [problem.status for problem in refused] == [404] * 4
        assert len(await ingest.facts()) == 1

    async def test_an_entry_that_stayed_after_it_was_written_counts_once(self, ingest: RunningIngest) -> None:
        await ingest.pbx.post(INSERT, content=BROKEN)
        position = int(str((await repair(ingest, await only(ingest), BROKEN + "</parameters>"))["entry"]))
        entry = await only(ingest)
        await submit(ingest, position)
        # The process died after the log had it and before the entry was removed.
        again = await quarantine.keep(ingest.store.client, entry)
        assert await submit(ingest, again) == {"accepted": 0, "duplicates": 1, "refused": []}
        assert len(await ingest.facts()) == 1


class TestKeeping:
    async def test_its_size_is_measured_and_what_is_dropped_is_gone(self, ingest: RunningIngest) -> None:
        for number in range(3):
            await ingest.pbx.post(INSERT, content=f"<a{number}>")
        first, *_ = await kept(ingest)
        await ingest.service.quarantined.drop({"entry": first.position})
        assert metrics.QUARANTINE_ENTRIES._value.get() == 2
        with pytest.raises(Problem) as refusal:
            await ingest.service.quarantined.drop({"entry": first.position})
        assert refusal.value.status == 404

    async def test_it_forgets_by_the_setting(self, ingest: RunningIngest) -> None:
        await ingest.set(retention_days=7)
        background = asyncio.create_task(ingest.service.quarantined.run())
        ages: dict[str, object] = {}

        async def look() -> None:
            for stream in (QUARANTINE, CDR):
                answer = await api(ingest.store.client, f"STREAM.INFO.{stream}")
                assert isinstance(answer["config"], dict)
                ages[stream] = answer["config"]["max_age"]

        async with asyncio.timeout(60):
            while set(ages.values()) != {int(timedelta(days=7).total_seconds()) * 10**9}:
                await look()
        background.cancel()


class TestCommand:
    @pytest.fixture(autouse=True)
    def _found(
        self, ingest: RunningIngest, nats_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RICHIAMO_NATS_URL", nats_url)
        monkeypatch.setenv("RICHIAMO_DATABASE_URL", database_url)
        monkeypatch.setenv("RICHIAMO_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("COLUMNS", "250")

    async def test_numbers_are_masked_unless_asked_for(
        self, ingest: RunningIngest, capsys: pytest.CaptureFixture[str]
    ) -> None:
        await ingest.pbx.post(INSERT, content="<caller>0501234567</caller")
        entry = await only(ingest)
        for full, expected, hidden in ((False, "0501234xxx", "0501234567"), (True, "0501234567", "xxx")):
            await asyncio.to_thread(command.list_entries, full=full)
            await asyncio.to_thread(command.show, entry.position, full=full)
            shown = capsys.readouterr().out
            assert shown.count(expected) == 2
            assert hidden not in shown

    async def test_an_editor_repairs_and_the_call_is_in(
        self, ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await ingest.pbx.post(INSERT, content=BROKEN)
        monkeypatch.setenv("EDITOR", "sed -i '$s,$,</parameters>,'")
        monkeypatch.delenv("VISUAL", raising=False)
        assert await asyncio.to_thread(command.repair, (await only(ingest)).position) == 0
        assert [str(fact.call) for fact in await ingest.facts()] == ["main:7.1"]

    async def test_all_are_submitted_and_what_is_still_refused_stays(
        self, ingest: RunningIngest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for body in (BROKEN, "<a>"):
            await ingest.pbx.post(INSERT, content=body)
        good = tmp_path / "good.xml"
        await asyncio.to_thread(good.write_text, BROKEN + "</parameters>")
        first, _ = await kept(ingest)
        assert await asyncio.to_thread(command.repair, first.position, file=good, keep=True) == 0
        assert await asyncio.to_thread(command.submit, all_=True) == 1
        assert "1 taken, 0 known already, 1 refused" in capsys.readouterr().err
        assert (await only(ingest)).text == "<a>"
        assert await asyncio.to_thread(command.drop, all_=True, yes=True) == 0
        assert await kept(ingest) == []
        await until(lambda: metrics.QUARANTINE_ENTRIES._value.get() == 0)
