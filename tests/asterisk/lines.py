"""How does a test write what an Asterisk would? Lines of `queue_log` and of `Master.csv`, and a FreePBX's table."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from richiamo_events.records import CallRecord, Verdict, verdict
from richiamo_ingest.asterisk.parse import layout_of
from richiamo_ingest.asterisk.translate import Reader
from richiamo_ingest.kalliope.records import Reading

T0 = 1_772_442_000
"""2026-03-02 10:00:00 in Rome, 09:00 UTC."""
CALL = f"{T0}.17"
CALLER = "0501234567"
RECEIVED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MASTER = [
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
    "uniqueid",
    "userfield",
    "peeraccount",
    "linkedid",
    "sequence",
]
TABLE = [
    "calldate",
    "clid",
    "src",
    "dst",
    "dcontext",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "accountcode",
    "uniqueid",
    "userfield",
    "did",
    "recordingfile",
    "cnum",
    "cnam",
    "outbound_cnum",
    "outbound_cnam",
    "dst_cnam",
    "linkedid",
    "peeraccount",
    "sequence",
]


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(T0 + seconds, UTC)


def queue_line(
    at: int, event: str, *data: object, queue: str = "Vendite", agent: str = "NONE", call: str = CALL
) -> str:
    return "|".join([str(T0 + at), call, queue, agent, event, *map(str, data)])


def entered(at: int = 10, caller: str = CALLER, **more: str) -> str:
    return queue_line(at, "ENTERQUEUE", "", caller, 1, **more)


def row(at: int, duration: int, **values: object) -> dict[str, str]:
    """A call record that starts `at` seconds after T0; answered after `answer` seconds when that is given."""
    start = instant(at).astimezone(ZoneInfo("Europe/Rome"))
    answer = values.pop("answer", None)
    answered = start + timedelta(seconds=int(str(answer))) if answer is not None else None
    shown = "%Y-%m-%d %H:%M:%S"
    plain: dict[str, object] = {
        **dict.fromkeys({*MASTER, *TABLE}, ""),
        "src": CALLER,
        "dst": "600",
        "dcontext": "ext-queues",
        "channel": "PJSIP/linea-it-0000001a",
        "lastapp": "Queue",
        "lastdata": "Vendite,t,,,60",
        "start": start.strftime(shown),
        "calldate": start.strftime(shown),
        "answer": answered.strftime(shown) if answered else "",
        "end": (start + timedelta(seconds=duration)).strftime(shown),
        "duration": duration,
        "billsec": duration - int(str(answer)) if answer is not None else 0,
        "disposition": "ANSWERED" if answer is not None else "NO ANSWER",
        "amaflags": "DOCUMENTATION",
        "uniqueid": CALL,
        "linkedid": CALL,
        "sequence": 1,
    }
    return {name: str(value) for name, value in {**plain, **values}.items()}


def master(*rows: dict[str, str]) -> list[str]:
    return [_csv([one[name] for name in MASTER]) for one in rows]


def table(*rows: dict[str, str]) -> list[str]:
    return [_csv(TABLE), *(_csv([one[name] for name in TABLE]) for one in rows)]


def _csv(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="").writerow(cells)
    return out.getvalue()


def read(lines: list[str], *, zone: str = "Europe/Rome") -> Reading:
    layout = next((found for line in lines if (found := layout_of(line))), None)
    assert layout is not None, lines
    return Reader(pbx="main", zone=ZoneInfo(zone), internal_digits=5, received_at=RECEIVED).read(lines, layout)


def one(lines: list[str]) -> CallRecord:
    reading = read(lines)
    assert not reading.refused, reading.refused
    (record,) = reading.records
    return record


def judged(lines: list[str]) -> Verdict:
    return verdict(one(lines))
