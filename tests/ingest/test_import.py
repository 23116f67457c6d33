"""Do the files of the PBX's scheduled mails get in, whatever their form, and again without harm?"""

import asyncio
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from richiamo_kit.errors import Problem
from richiamo_ops.import_ import import_file, post
from richiamo_ops.record_files import Row, calls_of, rows_of_file
from tests.ingest.running import RunningIngest
from tests.ingest.test_parsing import LATER, LEG

FLAT: list[Row] = [
    {**LATER, **LEG, "unique_id": f"15112129{call:02d}.0", "detail_destination_name": name}
    for call in range(30)
    for name in ("Vendite", "Altra")
]


def _csv() -> bytes:
    lines = ["#" + ",".join(FLAT[0]), *(",".join(map(str, row.values())) for row in FLAT)]
    return "\n".join(lines).encode()


def _xml() -> bytes:
    rows = ("".join(f"<{name}>{value}</{name}>" for name, value in row.items()) for row in FLAT)
    return b"<?xml version='1.0'?>\n<cdr>" + "".join(f"<row>{row}</row>" for row in rows).encode() + b"</cdr>"


def _xlsx() -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(["Export of calls"])
    sheet.append(list(FLAT[0]))
    for row in FLAT:
        cells = dict(row)
        cells["start_datetime"] = datetime.fromisoformat(str(row["start_datetime"]))
        sheet.append(list(cells.values()))
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


FORMS: dict[str, Callable[[], bytes]] = {
    "array.json": lambda: json.dumps(FLAT).encode(),
    "cdr.json": lambda: json.dumps({"cdr": FLAT}, indent=2).encode(),
    "cdr.csv": _csv,
    "cdr.xml": _xml,
    "cdr.xlsx": _xlsx,
}


class TestFiles:
    @pytest.mark.parametrize("form", FORMS)
    def test_every_form_holds_the_same_calls(self, tmp_path: Path, form: str) -> None:
        file = tmp_path / form
        file.write_bytes(FORMS[form]())
        calls = list(calls_of(rows_of_file(file, lambda _: None)))
        assert [len(rows) for rows in calls] == [2] * 30
        assert {row["detail_destination_name"] for rows in calls for row in rows} == {"Vendite", "Altra"}

    def test_a_long_array_is_read_in_parts(self, tmp_path: Path) -> None:
        rows = [{**LATER, "unique_id": f"{number}.0", "caller_name": "è" * 50} for number in range(6000)]
        file = tmp_path / "long.json"
        file.write_text(json.dumps(rows, ensure_ascii=False))
        seen: list[int] = []
        found = list(rows_of_file(file, seen.append))
        assert [row["unique_id"] for row in found] == [row["unique_id"] for row in rows]
        assert {row["caller_name"] for row in found} == {"è" * 50}
        assert len(seen) > 2

    def test_one_object_is_one_call(self, tmp_path: Path) -> None:
        file = tmp_path / "one.json"
        file.write_text(json.dumps({**LATER, "details": [LEG]}))
        assert len(list(rows_of_file(file, lambda _: None))) == 1

    @pytest.mark.parametrize("body", [b"", b"hello", b"[{", b"<a>", b"PK\x03\x04no", b'{"a": 1', b"[1, 2"])
    def test_what_holds_no_records_is_said_in_words(self, tmp_path: Path, body: bytes) -> None:
        file = tmp_path / "bad"
        file.write_bytes(body)
        with pytest.raises(Problem, match="could not be read"):
            list(rows_of_file(file, lambda _: None))


@pytest.mark.servers
class TestImport:
    async def test_a_file_gets_in_once(
        self, ingest: RunningIngest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "cdr.csv"
        await asyncio.to_thread(file.write_bytes, _csv())
        monkeypatch.setenv("RICHIAMO_NATS_URL", "nats://127.0.0.1:1")
        monkeypatch.setenv("RICHIAMO_DATABASE_URL", "postgresql://127.0.0.1:1/none")
        monkeypatch.setenv("RICHIAMO_INGEST_PORT", str(ingest.service.port))
        for _ in range(2):
            assert await asyncio.to_thread(import_file, file, pbx="pisa") == 0
        facts = await ingest.facts()
        assert [fact.queue for fact in facts] == ["Altra"] * 30
        assert {fact.call.pbx for fact in facts} == {"pisa"}

    async def test_what_is_refused_is_counted_with_its_reason(self, ingest: RunningIngest) -> None:
        calls: list[list[Row]] = [[{"caller": "1"}], [dict(LATER)]]
        imported = await asyncio.to_thread(post, calls, f"http://127.0.0.1:{ingest.service.port}", "main")
        assert (imported.accepted, imported.refused) == (1, 1)
        assert imported.reasons == ["The unique_id of the call is missing."]
