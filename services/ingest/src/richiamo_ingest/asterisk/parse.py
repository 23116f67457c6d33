"""What does one line of an Asterisk file say? `queue_log`, `Master.csv`, or an export of FreePBX's CDR table.

Each line is read by itself, so that one that breaks off never swallows what follows it. Protocol:
`docs/connect-asterisk.md`. Times of `queue_log` are epochs; those of call records carry no zone and stay texts.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from richiamo_ingest.kalliope.values import text
from richiamo_ingest.reports import NotUnderstood

_QUEUE_LINE = re.compile(r"(\d{9,10})(?:\.\d+)?\|([^|]*)\|([^|]*)\|([^|]*)\|(\w+)(?:\|(.*))?")
_LONGEST_LINE = 8192
_LONGEST_ID = 128
_NOT_A_CALL = frozenset({"", "NONE", "MANAGER", "REALTIME"})
_DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"})
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_UNIQUE_ID = re.compile(r"(?:[\w.-]*-)?\d{9,10}\.\d+|[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}(?:;\d)?")
_CHANNEL = re.compile(r"(?P<tech>\w+)/(?P<peer>.+?)(?:-[0-9a-fA-F]{4,})?(?:;[12])?")
_STATIONS = frozenset({"sip", "pjsip", "iax2", "local", "agent", "sccp", "skinny", "chan_mobile"})

RESTARTED = "QUEUESTART"

_MASTER = [
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
]
_NEW_COLUMNS = ("peeraccount", "linkedid", "sequence")
_MASTER_DISPOSITION = 14
_MASTER_START = 9


class Form(StrEnum):
    """The forms of file that are read."""

    QUEUE_LOG = "queue_log"
    MASTER = "master"
    TABLE = "freepbx"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of one file are read; `names` are the columns of a file whose first line names them."""

    form: Form
    separator: str = "|"
    names: tuple[str, ...] = ()
    header: str = ""
    columns: int = 0
    """How many the first line has: a line with fewer breaks off."""


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One line of `queue_log`; `call` is empty when it is about no call."""

    number: int
    call: str
    at: datetime
    queue: str
    agent: str
    event: str
    data: tuple[str, ...]

    def value(self, index: int) -> str:
        return self.data[index] if index < len(self.data) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrRow:
    """One record of `Master.csv`, of FreePBX's table, or of an event `Cdr`: a part of the call `call` (its linkedid)."""

    number: int
    call: str
    unique_id: str
    sequence: int
    source: str
    destination: str
    did: str = ""
    channel: str
    destination_channel: str
    application: str
    application_data: str
    start: str
    answer: str
    end: str
    duration: str
    bill_seconds: str
    disposition: str
    account_code: str


Line = QueueLine | CdrRow


def layout_of(first_line: str, form: Form | None = None) -> Layout | None:
    """The layout of a file by its first line, or the form that was named; None when it is no Asterisk's.

    Raises `NotUnderstood` when the named form needs a line with the names of its columns and there is none.
    """
    line = first_line.removeprefix("\ufeff").strip("\r\n")
    table = _table_layout(line)
    if form is Form.QUEUE_LOG or (form is None and _QUEUE_LINE.fullmatch(line)):
        return Layout(Form.QUEUE_LOG)
    if form is Form.TABLE and table is None:
        raise NotUnderstood("The first line of an export of FreePBX's table must name its columns: calldate, src, ...")
    if table is not None and form is not Form.MASTER:
        return table
    cells = _cells(line, ",")
    if form is Form.MASTER or _is_master(cells):
        return Layout(Form.MASTER, ",", columns=max(len(cells), len(_MASTER)))
    return None


def read_line(line: str, number: int, layout: Layout) -> Line | None:
    """One line; None for an empty one and for the line of names. Raises `NotUnderstood` in one sentence."""
    shown = line.removeprefix("\ufeff").strip("\r\n").replace("\0", "")
    if not shown.strip() or (layout.header and shown == layout.header):
        return None
    if len(shown) > _LONGEST_LINE:
        raise NotUnderstood(f"The line is longer than {_LONGEST_LINE} characters.")
    if layout.form is Form.QUEUE_LOG:
        return _queue_line(shown, number)
    cells = _cells(shown, layout.separator)
    if len(cells) < layout.columns:
        raise NotUnderstood(f"The line has {len(cells)} of {layout.columns} columns: it breaks off.")
    if layout.form is Form.TABLE:
        return row_of(dict(zip(layout.names, cells, strict=False)), number)
    return row_of(_master_fields(cells), number)


def call_of(line: str, layout: Layout) -> str | None:
    """The call of a line without reading the rest of it; `QUEUESTART` for a start of the PBX.

    None for what is about no call or cannot be read.
    """
    if layout.form is Form.QUEUE_LOG:
        found = _QUEUE_LINE.fullmatch(line)
        if found is None:
            return None
        if found[5] == RESTARTED:
            return RESTARTED
        return None if found[2] in _NOT_A_CALL else found[2]
    try:
        read = read_line(line, 0, layout)
    except NotUnderstood:
        return None
    return read.call if read is not None else None


def row_of(fields: dict[str, str], number: int) -> CdrRow:
    """A call record by its columns' names. Raises `NotUnderstood`."""

    def value(*names: str) -> str:
        return next((found for name in names if (found := text(fields.get(name)))), "")

    unique_id, start = value("uniqueid"), value("start", "calldate")
    if not unique_id:
        raise NotUnderstood("The record has no uniqueid: set loguniqueid=yes in cdr.conf.")
    if len(unique_id) > _LONGEST_ID:
        raise NotUnderstood(f"The uniqueid is longer than {_LONGEST_ID} characters.")
    disposition = value("disposition").upper()
    if disposition not in _DISPOSITIONS:
        raise NotUnderstood(f"The disposition {disposition[:20]!r} is none that Asterisk writes.")
    if not start:
        raise NotUnderstood("The record has no start.")
    sequence = value("sequence")
    return CdrRow(
        number=number,
        call=value("linkedid")[:_LONGEST_ID] or unique_id,
        unique_id=unique_id,
        sequence=int(sequence) if sequence.isdecimal() else 0,
        source=value("cnum", "src"),
        destination=value("dst"),
        did=value("did"),
        channel=value("channel"),
        destination_channel=value("dstchannel"),
        application=value("lastapp"),
        application_data=value("lastdata"),
        start=start,
        answer=value("answer"),
        end=value("end"),
        duration=value("duration"),
        bill_seconds=value("billsec"),
        disposition=disposition,
        account_code=value("accountcode"),
    )


def peer_of(channel: str) -> str:
    """Whose channel this is: `201` of `PJSIP/201-0000001a` and of `Local/201@from-queue-0001;2`; else as it is."""
    found = _CHANNEL.fullmatch(channel)
    if found is None:
        return channel
    return found["peer"].partition("@")[0].partition("/")[0]


def agent_of(agent: str) -> str:
    """The extension of a queue's member: `201` of `Local/201@from-queue/n`; a name stays a name."""
    _, slash, rest = agent.partition("/")
    return rest.partition("@")[0].partition("/")[0] if slash else agent


def is_station(channel: str) -> bool:
    """Whether the channel is of a kind that has extensions, as against a line of a telephone company."""
    return channel.partition("/")[0].lower() in _STATIONS


def _queue_line(line: str, number: int) -> QueueLine:
    found = _QUEUE_LINE.fullmatch(line)
    if found is None:
        raise NotUnderstood("This is no whole line of queue_log: epoch|callid|queue|agent|EVENT|data.")
    epoch, call, queue, agent, event, data = found.groups()
    if len(call) > _LONGEST_ID:
        raise NotUnderstood(f"The callid is longer than {_LONGEST_ID} characters.")
    return QueueLine(
        number=number,
        call="" if call in _NOT_A_CALL else text(call),
        at=datetime.fromtimestamp(int(epoch), UTC),
        queue="" if queue == "NONE" else text(queue),
        agent="" if agent == "NONE" else text(agent),
        event=event,
        data=tuple(text(value) for value in data.split("|")[:12]) if data is not None else (),
    )


def _cells(line: str, separator: str) -> list[str]:
    if separator == "\t":
        # As mysql writes a table: quotation marks are signs of the text there, and nothing is NULL.
        cells = [cell[1:-1] if cell[:1] == cell[-1:] == '"' else cell for cell in line.split("\t")]
        return ["" if cell == "NULL" else cell for cell in cells]
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error as error:
        raise NotUnderstood(f"The line is not CSV: {error}.") from None


def _table_layout(line: str) -> Layout | None:
    separator = max(",;\t", key=line.count)
    if len(line) > _LONGEST_LINE:
        return None
    names = tuple(name.strip().strip('"').lower().replace(" ", "") for name in line.split(separator))
    if not {"dst", "disposition", "uniqueid"} <= set(names) or not {"calldate", "start"} & set(names):
        return None
    return Layout(Form.TABLE, separator, names, line, len(names))


def _is_master(cells: Sequence[str]) -> bool:
    return (
        len(cells) >= len(_MASTER)
        and cells[_MASTER_DISPOSITION] in _DISPOSITIONS
        and _TIME.match(cells[_MASTER_START]) is not None
    )


def _master_fields(cells: list[str]) -> dict[str, str]:
    """The columns by name: which of the last ones there are depends on cdr.conf, and shows in their count."""
    more = cells[len(_MASTER) :]
    new = _NEW_COLUMNS if len(more) >= len(_NEW_COLUMNS) else ()
    own: tuple[str, ...] = ("uniqueid", "userfield")[: len(more) - len(new)]
    if len(own) == 1 and not _UNIQUE_ID.fullmatch(more[0]):
        own = ("userfield",)
    return dict(zip((*_MASTER, *own, *new), cells, strict=False))
