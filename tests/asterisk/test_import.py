"""Do the files of an Asterisk get in, whole calls at a time, once however often, with the lines that do not named?"""

import asyncio
from pathlib import Path

import pytest

from richiamo_events.language import CallMissed
from richiamo_kit.errors import Problem
from richiamo_ops.asterisk_files import asterisk_layout, parts_of
from richiamo_ops.import_ import import_file, post_lines
from tests.asterisk.lines import CALL, T0, entered, master, queue_line, row, table
from tests.ingest.running import RunningIngest


def calls(count: int) -> list[str]:
    """`count` abandoned calls, all entering before the first of them leaves."""
    ids = [f"{T0}.{number}" for number in range(count)]
    return [*(entered(call=one) for one in ids), *(queue_line(40, "ABANDON", 1, 1, 30, call=one) for one in ids)]


def parts(*files: Path) -> list[list[str]]:
    layouts = [(file, layout) for file in files if (layout := asterisk_layout(file, None)) is not None]
    return [part.lines for part in parts_of(layouts, lambda _: None)]


class TestParts:
    def test_a_part_holds_whole_calls(self, tmp_path: Path) -> None:
        file = tmp_path / "queue_log"
        file.write_text("\n".join(calls(6000)) + "\n")
        found = parts(file)
        assert len(found) > 1
        assert sum(len(lines) for lines in found) == 12_000
        for lines in found:
            ids = [line.split("|")[1] for line in lines]
            assert all(ids.count(one) == 2 for one in ids[:20])

    def test_every_part_of_a_table_begins_with_its_columns(self, tmp_path: Path) -> None:
        file = tmp_path / "cdr.csv"
        rows = [row(0, 40, uniqueid=f"{T0}.{number}", linkedid=f"{T0}.{number}") for number in range(5500)]
        file.write_text("\r\n".join(table(*rows)))
        found = parts(file)
        assert [lines[0].startswith('"calldate"') for lines in found] == [True, True]

    def test_a_call_may_begin_in_one_file_and_end_in_the_next(self, tmp_path: Path) -> None:
        older, newer = tmp_path / "queue_log.1", tmp_path / "queue_log"
        older.write_text(entered() + "\n")
        newer.write_text(queue_line(40, "ABANDON", 1, 1, 30) + "\n")
        assert parts(older, newer) == [[entered(), queue_line(40, "ABANDON", 1, 1, 30)]]


@pytest.mark.servers
class TestImport:
    @pytest.fixture(autouse=True)
    def there(self, ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RICHIAMO_NATS_URL", "nats://127.0.0.1:1")
        monkeypatch.setenv("RICHIAMO_DATABASE_URL", "postgresql://127.0.0.1:1/none")
        monkeypatch.setenv("RICHIAMO_INGEST_PORT", str(ingest.service.port))

    async def test_both_files_of_one_call_are_one_missed_call(self, ingest: RunningIngest, tmp_path: Path) -> None:
        log, records = tmp_path / "queue_log", tmp_path / "Master.csv"
        await asyncio.to_thread(log.write_text, f"{entered()}\n{queue_line(40, 'ABANDON', 1, 1, 30)}\n")
        await asyncio.to_thread(records.write_text, master(row(0, 40, disposition="ANSWERED"))[0] + "\n")
        for file in (log, records, log, records):
            assert await asyncio.to_thread(import_file, file, pbx="pisa") == 0
        facts = await ingest.facts()
        assert len(facts) == 2
        assert all(isinstance(fact, CallMissed) and str(fact.call) == f"pisa:{CALL}" for fact in facts)
        assert len({fact.caller for fact in facts}) == 1
        assert {fact.queue for fact in facts} == {"Vendite"}

    async def test_what_is_refused_is_named_by_its_line(
        self, ingest: RunningIngest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "queue_log"
        lines = [*calls(2), "", "1772|torn", queue_line(50, "ABANDON", 1, 1, 3, call=f"{T0}.99")]
        await asyncio.to_thread(file.write_text, "\n".join(lines))
        assert await asyncio.to_thread(import_file, file) == 1
        shown = " ".join(capsys.readouterr().err.split())
        assert "queue_log, line 6: This is no whole line" in shown
        assert f"queue_log, line 7: The call {T0}.99 has no line ENTERQUEUE" in shown
        assert "4 calls" in shown
        assert len(await ingest.facts()) == 2

    async def test_times_are_read_in_the_zone_that_is_named(self, ingest: RunningIngest, tmp_path: Path) -> None:
        file = tmp_path / "Master.csv"
        line = master(row(0, 40, uniqueid="a-id", linkedid="a-id"))[0]
        await asyncio.to_thread(file.write_text, line)
        assert await asyncio.to_thread(import_file, file, utc=True, form="master") == 0
        (fact,) = await ingest.facts()
        assert fact.started_at.timestamp() == T0 + 3600

    async def test_a_part_that_was_cut_short_is_sent_again_without_harm(
        self, ingest: RunningIngest, tmp_path: Path
    ) -> None:
        file = tmp_path / "queue_log"
        await asyncio.to_thread(file.write_text, "\n".join(calls(50)))
        layout = asterisk_layout(file, None)
        assert layout is not None
        address = f"http://127.0.0.1:{ingest.service.port}"
        (part,) = parts_of([(file, layout)], lambda _: None)
        first = await asyncio.to_thread(post_lines, [part], address, {"pbx": "main"})
        again = await asyncio.to_thread(post_lines, [part, part], address, {"pbx": "main"})
        assert (first.accepted, again.accepted, again.duplicates) == (50, 0, 100)
        assert len(await ingest.facts()) == 50

    async def test_files_of_different_forms_are_refused_together(self, tmp_path: Path) -> None:
        log, records = tmp_path / "queue_log", tmp_path / "Master.csv"
        await asyncio.to_thread(log.write_text, entered())
        await asyncio.to_thread(records.write_text, master(row(0, 40))[0])
        with pytest.raises(Problem, match="not of one form"):
            await asyncio.to_thread(import_file, log, records)
