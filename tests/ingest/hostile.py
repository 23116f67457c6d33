"""What might a hostile PBX send, and who reads it? One body for each fault of each form, and every reader of it.

Nothing here asserts; it is light to import, since each body is read in a process of its own.
"""

import io
import json
import random
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, repeat
from pathlib import Path

from openpyxl import Workbook

from richiamo_events.settings import SiteSettings
from richiamo_ingest.asterisk.events import Ear
from richiamo_ingest.asterisk.parse import Form
from richiamo_ingest.kalliope.notification import read_notification
from richiamo_ingest.kalliope.routing import read_routing
from richiamo_ingest.record_bodies import read_any
from richiamo_ingest.reports import NotUnderstood
from richiamo_kit.errors import Problem
from richiamo_ops.asterisk_files import asterisk_layout, parts_of
from richiamo_ops.record_files import calls_of, rows_of_file
from tests.asterisk.ami_bytes import messages_in

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MB = 1 << 20
ROW = {"unique_id": "1511212918.0", "source_type": "ibl", "start_datetime": "2026-03-02 10:00:00", "caller": "050123"}
QUEUE_LINE = b"1511212927|1511212918.0|Vendite|NONE|ABANDON|1|1|9\n"
QUEUE_CALL = b"1511212918|1511212918.0|Vendite|NONE|ENTERQUEUE||050123|1\n" + QUEUE_LINE
MASTER_LINE = (
    b'"","0501234567","201","from-queue","""A"" <050>","SIP/t-1","SIP/201-2","Dial","SIP/201","2026-03-02 10:00:00",'
    b'"2026-03-02 10:00:05","2026-03-02 10:01:00",60,55,"ANSWERED","DOCUMENTATION","1511212918.1",""\n'
)
EVENT = b"Event: QueueCallerAbandon\r\nLinkedid: 1511212918.0\r\nQueue: Vendite\r\n"
BOMB = (
    b"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>"
    + b"".join(b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)


@dataclass(frozen=True)
class Endless:
    """A body that goes on with the same piece, as long as its reader shall bear."""

    start: bytes
    piece: bytes
    end: bytes = b""

    def parts(self, size: int) -> Iterator[bytes]:
        yield self.start
        block = self.piece * (MB // len(self.piece))
        yield from repeat(block, size // len(block))
        yield self.end


def xml(inside: bytes) -> bytes:
    return b"<cdr><row>" + inside + b"</row></cdr>"


def fields(row: Mapping[str, str] = ROW) -> bytes:
    return "".join(f"<{name}>{value}</{name}>" for name, value in row.items()).encode()


def csv(*lines: bytes) -> bytes:
    return b"\n".join([",".join(ROW).encode(), *lines])


def named(count: int) -> dict[str, str]:
    return {**ROW, **{f"field{number}": "" for number in range(count)}}


def workbook(*rows: list[object]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(parts: Mapping[str, bytes], book: bytes = b"") -> bytes:
    """A workbook with other parts than it had; stored as they are, so that nothing looks like a bomb."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book or workbook(list(ROW), list(ROW.values())))) as old,
        zipfile.ZipFile(out, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, parts.get(name, old.read(name)))
        for name in parts.keys() - set(old.namelist()):
            new.writestr(name, parts[name])
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
_MAIN = b'<?xml version="1.0"?>%s<%s xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def sheet(inside: bytes, before: bytes = b"") -> bytes:
    return repacked({SHEET: _MAIN % (before, b"worksheet") + b"<sheetData>" + inside + b"</sheetData></worksheet>"})


def strings(inside: bytes | None) -> bytes:
    """A workbook with a table of shared strings, or one that only says it has."""
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    book = workbook(list(ROW), list(ROW.values()))
    with zipfile.ZipFile(io.BytesIO(book)) as old:
        types = old.read("[Content_Types].xml").replace(
            b"</Types>", b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
        )
    table = {} if inside is None else {"xl/sharedStrings.xml": _MAIN % (b"", b"sst") + inside + b"</sst>"}
    return repacked({"[Content_Types].xml": types, **table}, book)


def texts_too_large() -> bytes:
    """Packed well, but beside so much else that the whole is no bomb."""
    out = io.BytesIO(strings(None))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/sharedStrings.xml", "w") as part:
            part.writelines(repeat(bytes(MB), 65))
        archive.writestr("xl/media/image1.png", random.Random(1).randbytes(MB))
    return out.getvalue()


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(64 * MB))
    return out.getvalue()


Bodies = Mapping[str, Callable[[], bytes | Endless]]

JSON: Bodies = {
    "empty": lambda: b" \r\n ",
    "broken off": lambda: json.dumps([ROW, ROW]).encode()[:-9],
    "too deep": lambda: b"[" + b'{"a":' * 50_000,
    "a call without end": lambda: Endless(b'[{"unique_id":"1.1","a":"', b"x"),
    "an object without end": lambda: Endless(b'{"unique_id":"1.1","a":{', b'"b":1,'),
    "too many fields": lambda: json.dumps([ROW, named(600)]).encode(),
    "a dense call": lambda: b'[{"unique_id":"1.1","a":[' + b"[]," * (MB // 8) + b"[]]}]",
    "too many rows": lambda: b"[" + b"1," * 300_000 + b"1]",
    "too long a field": lambda: json.dumps([{**ROW, "unique_id": "1" * 500_000}]).encode(),
    "NUL": lambda: json.dumps([ROW]).encode().replace(b"ibl", b"i\0l"),
    "another code page": lambda: json.dumps([{**ROW, "caller": "Qualità"}], ensure_ascii=False).encode("cp1252"),
    "UTF-16": lambda: json.dumps([ROW]).encode("utf-16"),
    "two arrays": lambda: json.dumps([ROW]).encode() * 2,
}
XML: Bodies = {
    "broken off": lambda: xml(fields())[:-9],
    "too deep": lambda: b"<a>" * 50_000,
    "a call without end": lambda: Endless(b"<cdr><row><id>1.1</id><a>", b"x"),
    "elements without a call": lambda: Endless(b"<cdr>", b"<x/>", b"</cdr>"),
    "comments without end": lambda: Endless(b"<cdr>", b"<!---->", b"</cdr>"),
    "attributes without end": lambda: b"<cdr" + b"".join(b' a%d=""' % number for number in range(400_000)) + b"></cdr>",
    "too many fields": lambda: xml(fields(named(600))),
    "too many names": lambda: b"<cdr>" + b"".join(b"<row><id>1</id><n%d/></row>" % n for n in range(9_000)) + b"</cdr>",
    "too many rows": lambda: b"<cdr>" + b"<row><id>1.1</id></row>" * 210_000 + b"</cdr>",
    "too long a field": lambda: xml(fields({**ROW, "unique_id": "1" * 500_000})),
    "entities": lambda: BOMB + xml(fields({**ROW, "caller": "&i;"})),
    "a document type": lambda: b"<!DOCTYPE cdr>" + xml(fields()),
    "a file of the server": lambda: (
        b"<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/hostname'>]>" + xml(fields({**ROW, "caller": "&f;"}))
    ),
    "NUL": lambda: xml(fields().replace(b"ibl", b"i\0l")),
    "another code page": lambda: xml(fields({**ROW, "caller": "Qualità"})).decode().encode("cp1252"),
    "an encoding that lies": lambda: b"<?xml version='1.0' encoding='utf-16'?>" + xml(fields()),
}
CSV: Bodies = {
    "no names": lambda: b"hello\n",
    "a line without end": lambda: Endless(csv(b"1.1,", b""), b"x"),
    "names without end": lambda: Endless(b"", b"unique_id,"),
    "a quotation without end": lambda: Endless(csv(b'1.1,"ibl,'), b"\n2.2,b,c,d"),
    "a row of many lines": lambda: Endless(csv(b"1.1"), b',"\n"'),
    "too many fields": lambda: csv(b"1.1" + b"," * 600),
    "too many rows": lambda: csv(b"1.1\n" * 300_000),
    "too long a field": lambda: csv(b"1" * 50_000),
    "NUL": lambda: csv(b"1.1,i\0bl,2026-03-02 10:00:00,050"),
    "another code page": lambda: csv("1.1,ibl,2026-03-02 10:00:00,Qualità".encode("cp1252")),
    "UTF-16": lambda: csv(b"1.1").decode().encode("utf-16"),
}
NOTICE = {"uniqueid": "1511212918.0", "queue_name": "Vendite", "reason": "ABANDON"}
AVP: Bodies = {
    "no pairs": lambda: b"hello",
    "too many fields": lambda: "&".join(f"a{number}=1" for number in range(300)).encode(),
    "too long a field": lambda: b"reason=A&queue_name=Q&uniqueid=" + b"1" * 50_000,
    "NUL": lambda: b"reason=A\0&queue_name=Q&uniqueid=1.1",
    "another code page": lambda: "reason=A&queue_name=Qualità&uniqueid=1.1".encode("cp1252"),
    "UTF-16": lambda: "reason=A&queue_name=Q&uniqueid=1.1".encode("utf-16"),
}
NOTICE_JSON: Bodies = {
    "a list": lambda: json.dumps([NOTICE]).encode(),
    "broken off": lambda: json.dumps(NOTICE).encode()[:-5],
    "too deep": lambda: b'{"a":' * 12_000,
    "too long a field": lambda: json.dumps({**NOTICE, "uniqueid": "1" * 50_000}).encode(),
    "NUL": lambda: json.dumps(NOTICE).encode().replace(b"Vend", b"V\0nd"),
    "another code page": lambda: json.dumps({**NOTICE, "queue_name": "Qualità"}, ensure_ascii=False).encode("cp1252"),
}
NOTICE_XML: Bodies = {
    "broken off": lambda: fields(NOTICE),
    "too deep": lambda: b"<a>" * 20_000,
    "too long a field": lambda: b"<a>" + fields({**NOTICE, "uniqueid": "1" * 50_000}) + b"</a>",
    "entities": lambda: BOMB + b"<a>" + fields({**NOTICE, "queue_name": "&i;"}) + b"</a>",
    "NUL": lambda: b"<a>" + fields(NOTICE).replace(b"Vend", b"V\0nd") + b"</a>",
    "another code page": lambda: ("<a>" + fields(NOTICE).decode() + "<b>à</b></a>").encode("cp1252"),
}
XLSX: Bodies = {
    "broken off": lambda: workbook(list(ROW), list(ROW.values()))[:-40],
    "a bomb": bomb,
    "too many parts": lambda: repacked({f"xl/worksheets/sheet{number}.xml": b"<a/>" for number in range(2, 1100)}),
    "styles without end": lambda: repacked({"xl/styles.xml": _MAIN % (b"", b"styleSheet") + b"<xf/>" * MB}),
    "too many texts": lambda: strings(b"<si><t>a</t></si>" * 1_000_001),
    "texts too large": texts_too_large,
    "a text without end": lambda: strings(b"<si><t>" + b"x" * 8 * MB),
    "a row without end": lambda: sheet(b"<row>" + b"<c/>" * 2 * MB),
    "a cell without end": lambda: sheet(b"<row><c t='inlineStr'><is><t>" + b"x" * 8 * MB),
    "no row without end": lambda: sheet(b"<x/>" * 2 * MB),
    "too many fields": lambda: sheet(b"<row>" + b"<c/>" * 600 + b"</row>"),
    "a far column": lambda: sheet(b"<row><c r='XFD1'><v>1</v></c></row>"),
    "a far row": lambda: sheet(b"<row r='999999999999'><c><v>1</v></c></row>"),
    "too many rows": lambda: sheet(b"<row/>" * (MB + 1)),
    "entities": lambda: sheet(b"<row><c t='inlineStr'><is><t>&i;</t></is></c></row>", BOMB),
    "a document type": lambda: sheet(b"<row><c><v>1</v></c></row>", b"<!DOCTYPE worksheet>"),
    "texts that are not there": lambda: sheet(b"<row><c t='s'><v>7</v></c></row>"),
}
QUEUE_LOG: Bodies = {
    "broken off": lambda: QUEUE_CALL + QUEUE_LINE[:20],
    "a line without end": lambda: Endless(QUEUE_CALL + b"1511212918|", b"x"),
    "too many fields": lambda: QUEUE_CALL + QUEUE_LINE.rstrip() + b"|" * 9_000 + b"\n",
    "too many rows": lambda: b"\n" * 300_000,
    "too long a field": lambda: QUEUE_CALL + QUEUE_LINE.replace(b"1511212918.0", b"1" * 4_000),
    "NUL": lambda: QUEUE_CALL.replace(b"Vend", b"V\0end"),
    "another code page": lambda: QUEUE_CALL.replace(b"Vendite", "Qualità".encode("cp1252")),
    "UTF-16": lambda: QUEUE_CALL.decode().encode("utf-16"),
}
MASTER: Bodies = {
    "broken off": lambda: MASTER_LINE + MASTER_LINE[:90],
    "a line without end": lambda: Endless(MASTER_LINE, b"x"),
    "a quotation without end": lambda: MASTER_LINE + b'"' + MASTER_LINE,
    "too many fields": lambda: MASTER_LINE + MASTER_LINE.rstrip() + b"," * 9_000 + b"\n",
    "too long a field": lambda: MASTER_LINE + MASTER_LINE.replace(b"1511212918.1", b"1" * 4_000),
    "NUL": lambda: MASTER_LINE.replace(b"SIP/201-2", b"SIP/\x00201-2"),
    "another code page": lambda: MASTER_LINE.replace(b"from-queue", "Qualità".encode("cp1252")),
}
AMI: Bodies = {
    "empty": lambda: b"",
    "broken off": lambda: EVENT,
    "a line without end": lambda: Endless(EVENT, b"x"),
    "too many fields": lambda: Endless(EVENT, b"a: b\r\n"),
    "a message without end": lambda: EVENT + (b"a: " + b"x" * 60_000 + b"\r\n") * 100,
    "too long a field": lambda: EVENT.replace(b"1511212918.0", b"1" * 60_000) + b"\r\n",
    "NUL": lambda: EVENT.replace(b"Vend", b"V\0nd") + b"\r\n",
    "another code page": lambda: EVENT.replace(b"Vendite", "Qualità".encode("cp1252")) + b"\r\n",
    "many channels": lambda: b"".join(
        b"Event: Newchannel\r\nUniqueid: %d.%s\r\nLinkedid: 1.1\r\n\r\n" % (number, b"x" * 8_000)
        for number in range(1_000)
    ),
}


Read = Callable[[bytes | Endless, Path], str]


def _whole(body: bytes | Endless) -> bytes:
    return body if isinstance(body, bytes) else b"".join(body.parts(8 * MB))


def _written(body: bytes | Endless, folder: Path) -> Path:
    file = folder / "file"
    with file.open("wb") as out:
        out.writelines([body] if isinstance(body, bytes) else body.parts(64 * MB))
    return file


def _any(form: str) -> Read:
    def read(body: bytes | Endless, _folder: Path) -> str:
        reading = read_any(_whole(body), {"format": form}, pbx="main", settings=SiteSettings(), at=NOW)
        refused = [f"{one.index}: {one.reason}" for one in reading.refused]
        return refused[0] if refused else ""

    return read


def _file(body: bytes | Endless, folder: Path) -> str:
    """As `richiamo import` reads a file, and ingest its first calls."""
    calls = calls_of(rows_of_file(_written(body, folder), lambda _: None))
    of_first = [_any("kalliope")(json.dumps(rows).encode(), folder) for rows in islice(calls, 20)]
    deque(calls, 0)
    return next(filter(None, of_first), "")


def _lines(form: Form) -> Read:
    """As `richiamo import` reads an Asterisk's file: a refusal names the line of the file."""

    def read(body: bytes | Endless, folder: Path) -> str:
        file = _written(body, folder)
        layout = asterisk_layout(file, form)
        assert layout is not None
        for part in parts_of([(file, layout)], lambda _: None):
            if found := _any(form)(part.body(), folder):
                index, _, reason = found.partition(": ")
                return f"{part.places[int(index)]}: {reason}"
        return ""

    return read


def _heard(body: bytes | Endless, _folder: Path) -> str:
    ear = Ear("main")
    messages, ended = messages_in(_whole(body))
    for message in messages:
        ear.hear(message, NOW)
    # That the bytes come to their end is no refusal.
    return "" if "ended the connection" in ended else ended


def _noted(body: bytes | Endless, _folder: Path) -> str:
    read_notification(_whole(body), {}, pbx="main", received_at=NOW)
    return ""


def _routed(body: bytes | Endless, _folder: Path) -> str:
    read_routing(_whole(body), {}, pbx="main", received_at=NOW)
    return ""


FORMS: Mapping[str, Bodies] = {
    "notice as JSON": NOTICE_JSON,
    "notice as XML": NOTICE_XML,
    "notice as AVP": AVP,
    "JSON": JSON,
    "XML": XML,
    "CSV": CSV,
    "XLSX": XLSX,
    "queue_log": QUEUE_LOG,
    "Master.csv": MASTER,
    "AMI": AMI,
}
READERS: Mapping[str, tuple[str, Read]] = {
    "routing": ("notice as XML", _routed),
    "notification, JSON": ("notice as JSON", _noted),
    "notification, XML": ("notice as XML", _noted),
    "notification, AVP": ("notice as AVP", _noted),
    "records, JSON": ("JSON", _any("kalliope")),
    "records, XML": ("XML", _any("kalliope")),
    "records, CSV": ("CSV", _any("kalliope")),
    "file, JSON": ("JSON", _file),
    "file, XML": ("XML", _file),
    "file, CSV": ("CSV", _file),
    "file, XLSX": ("XLSX", _file),
    "queue_log": ("queue_log", _any("queue_log")),
    "file, queue_log": ("queue_log", _lines(Form.QUEUE_LOG)),
    "Master.csv": ("Master.csv", _any("master")),
    "file, Master.csv": ("Master.csv", _lines(Form.MASTER)),
    "AMI": ("AMI", _heard),
}


def said(reader: str, fault: str, folder: Path) -> str:
    """What the reader refuses in the body, in its own words; empty when it reads all of it."""
    form, read = READERS[reader]
    try:
        return read(FORMS[form][fault](), folder)
    except NotUnderstood as error:
        return str(error)
    except Problem as error:
        return error.detail
