"""Does any body break what reads the PBX's words? Guided by the lines it reaches, some seconds each; long by `make soak`.

What was found is in `corpus`, named after its parser, and is tried first.
"""

import contextlib
import io
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from richiamo_events.settings import SiteSettings
from richiamo_ingest.asterisk.events import Ear, Gathering
from richiamo_ingest.asterisk.parse import CdrRow
from richiamo_ingest.asterisk.translate import Reader
from richiamo_ingest.kalliope.notification import read_notification
from richiamo_ingest.kalliope.routing import read_routing
from richiamo_ingest.record_bodies import read_any
from richiamo_ingest.reports import NotUnderstood
from richiamo_kit.errors import Problem
from richiamo_ops.record_files import calls_of, rows_of_file
from tests.asterisk.ami_bytes import messages_in
from tests.fuzz.guided import Guided, kept
from tests.ingest.test_http import record, routing

pytestmark = [pytest.mark.slow, pytest.mark.soak]

CORPUS = Path(__file__).parent / "corpus"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECONDS = float(os.environ.get("RICHIAMO_SOAK_SECONDS", "5"))

NOTICE = {"reason": "CANCELED", "uniqueid": "1511212918.0", "caller_num": "103", "queue_name": "Q", "waiting_time": "5"}
QUEUE_LOG = b"""1511212918|1511212918.0|Vendite|NONE|ENTERQUEUE||0501234567|1
1511212928|1511212918.0|Vendite|SIP/201|CONNECT|10|1511212920.1|3
1511212998|1511212918.0|Vendite|SIP/201|COMPLETECALLER|10|70|1
1511213918|1511213918.0|Vendite|NONE|ENTERQUEUE||0501234568|1
1511213928|1511213918.0|Vendite|NONE|ABANDON|1|1|10
"""
MASTER = (
    b'"","0501234567","201","from-queue","""A"" <0501234567>","SIP/t-1","SIP/201-2","Dial","SIP/201",'
    b'"2026-03-02 10:00:00","2026-03-02 10:00:05","2026-03-02 10:01:00",60,55,"ANSWERED","DOCUMENTATION","177.1",""\n'
)
AMI = b"""Event: Newchannel\r
Uniqueid: 1511212918.0\r
Linkedid: 1511212918.0\r
\r
Event: QueueCallerAbandon\r
Timestamp: 1511212930.5\r
Linkedid: 1511212918.0\r
CallerIDNum: 0501234567\r
Queue: Vendite\r
HoldTime: 12\r
\r
Event: AgentComplete\r
Timestamp: 1511212999.5\r
Linkedid: 1511213918.0\r
Interface: Local/201@from-queue/n\r
DestUniqueid: 1511213918.1\r
DestLinkedid: 1511213918.0\r
TalkTime: 60\r
\r
Event: DialEnd\r
DestChannel: SIP/201-2\r
DialStatus: ANSWER\r
\r
Event: Cdr\r
Source: 0501234567\r
Destination: 201\r
Channel: SIP/t-1\r
DestinationChannel: SIP/201-2\r
LastApplication: Queue\r
LastData: Vendite,t\r
StartTime: 2026-03-02 10:00:00\r
AnswerTime: 2026-03-02 10:00:05\r
EndTime: 2026-03-02 10:01:00\r
Duration: 60\r
BillableSeconds: 55\r
Disposition: ANSWERED\r
UniqueID: 1511212918.0\r
Sequence: 3\r
\r
"""


@dataclass(frozen=True)
class Parser:
    read: Callable[[bytes, Path], object]
    samples: Sequence[bytes]


def _any(form: str) -> Callable[[bytes, Path], object]:
    def read(body: bytes, _folder: Path) -> object:
        return read_any(body, {"format": form}, pbx="main", settings=SiteSettings(), at=NOW)

    return read


def _file(body: bytes, folder: Path) -> object:
    file = folder / "file"
    file.write_bytes(body)
    return list(calls_of(rows_of_file(file, lambda _: None)))


def _ami(body: bytes, _folder: Path) -> object:
    """As `Listener` takes what it hears: of an event that is not understood the next one knows nothing."""
    ear, gathering = Ear("main"), Gathering()
    told: list[object] = []
    for message in messages_in(body)[0]:
        with contextlib.suppress(NotUnderstood):
            heard = ear.hear(message, NOW)
            if isinstance(heard, CdrRow):
                gathering.add(heard, NOW)
            else:
                told.append(heard)
    reader = Reader(pbx="main", zone=ZoneInfo("Europe/Rome"), internal_digits=3, received_at=NOW, answered=ear.answered)
    for rows in gathering.due(NOW, all_of_them=True):
        with contextlib.suppress(NotUnderstood):
            told.append(reader.record(rows))
    return told


def _sheet() -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    row = {name: value for name, value in record().items() if isinstance(value, str)}
    sheet.append(list(row))
    sheet.append(list(row.values()))
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _csv() -> bytes:
    row = {name: value for name, value in record().items() if isinstance(value, str)}
    return ("#" + ";".join(row) + "\n" + ";".join(row.values()) + "\n").encode()


def _xml(fields: Mapping[str, object]) -> bytes:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if isinstance(value, str))
    return f"<cdr><row>{inside}<details><leg>{inside}</leg></details></row></cdr>".encode()


RECORDS = [json.dumps([record()]).encode(), _xml(record()), _csv()]
PARSERS: Mapping[str, Parser] = {
    "routing": Parser(lambda body, _: read_routing(body, {}, pbx="main", received_at=NOW), [routing().encode()]),
    "notification": Parser(
        lambda body, _: read_notification(body, {"event": "pbx.queue.unservedcall"}, pbx="main", received_at=NOW),
        [
            json.dumps(NOTICE).encode(),
            "&".join(f"{name}={value}" for name, value in NOTICE.items()).encode(),
            _xml(NOTICE),
        ],
    ),
    "records": Parser(_any("kalliope"), RECORDS),
    "queue_log": Parser(_any("queue_log"), [QUEUE_LOG]),
    "master": Parser(_any("master"), [MASTER]),
    "ami": Parser(_ami, [AMI]),
    "file": Parser(_file, RECORDS),
    "sheet": Parser(_file, [_sheet()]),
}
REFUSALS = (NotUnderstood, Problem)


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_but_a_refusal_in_words(name: str, tmp_path: Path) -> None:
    parser = PARSERS[name]
    seed = int(os.environ.get("RICHIAMO_FUZZ_SEED", "0")) or secrets.randbits(32)
    guided = Guided(lambda body: parser.read(body, tmp_path), REFUSALS, seed)
    for body in (*parser.samples, *kept(CORPUS, name)):
        guided.feed(body)
    known = guided.reached
    assert known
    until, tried = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        body = guided.mutated()
        try:
            guided.feed(body)
        except BaseException as error:
            found = tmp_path / f"{name}-found"
            found.write_bytes(body)
            error.add_note(f"seed {seed}; the body is in {found}: put it into {CORPUS}")
            raise
        tried += 1
    print(f"{name}: {tried} bodies, {known} steps by the samples, {guided.reached} in all; seed {seed}")
