"""In which bytes does the PBX say it? Routing XML, notifications and call records (`protocols.md`)."""

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from urllib.parse import urlencode
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from richiamo_ops.simulate.calls import Leg, PbxCall


class NoticeForm(StrEnum):
    """The three forms in which a notification's placeholder is filled."""

    JSON = "json"
    XML = "xml"
    AVP = "avp"


class RecordForm(StrEnum):
    """How call records are written: legs nested, legs as flat rows, or the names of 2020; and as what."""

    NESTED = "nested"
    FLAT = "flat"
    NAMES_OF_2020 = "2020"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Message:
    """A body and what it is."""

    content_type: str
    body: bytes


_XML = '<?xml version="1.0"?>'
_NOTICE_TYPES = {
    NoticeForm.JSON: "application/json",
    NoticeForm.XML: "application/xml",
    NoticeForm.AVP: "text/plain",
}


def routing(call: PbxCall, queue: str, kind: str = "queue") -> Message:
    """The body that the dynamic routing posts; parameters never asked keep their placeholder."""
    fields = {"unique_id": call.unique_id, "caller": call.caller, "called": call.called}
    asked = {"servicecode": "%PARAM1%", "param1": queue, "param2": kind, "param3": "%PARAM3"}
    inside = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in (fields | asked).items())
    body = f"{_XML}<parameters>{inside}<param4></param4><param5></param5></parameters>"
    return Message("application/x-www-form-urlencoded", body.encode())


def notification(call: PbxCall, form: NoticeForm) -> Message:
    """`pbx.queue.unservedcall`: all values are strings; the AVP form is not a form of the web."""
    values = {
        "reason": "CANCELED",
        "queue_id": "1",
        "uniqueid": call.unique_id,
        "called_num": call.called,
        "caller_num": call.caller,
        "queue_name": call.queue,
        "waiting_time": str(call.waited),
    }
    match form:
        case NoticeForm.JSON:
            text = json.dumps(values)
        case NoticeForm.XML:
            inside = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in values.items())
            text = f"{_XML}<response>{inside}</response>"
        case NoticeForm.AVP:
            text = urlencode(values)
        case _:
            assert_never(form)
    return Message(_NOTICE_TYPES[form], text.encode())


def records(calls: tuple[PbxCall, ...], form: RecordForm, zone: ZoneInfo) -> Message:
    """Call records in the PBX's local time, without zone, as `GET /rest/cdr/detailed` shows them."""
    match form:
        case RecordForm.NESTED:
            rows = [_summary(call, zone) | {"details": _details(call, zone)} for call in calls]
        case RecordForm.NAMES_OF_2020:
            rows = [_summary_2020(call, zone) | {"details": _details(call, zone)} for call in calls]
        case RecordForm.FLAT:
            rows = _flat(calls, zone)
        case RecordForm.CSV:
            return Message("text/csv", _csv(_flat(calls, zone)).encode())
        case _:
            assert_never(form)
    return Message("application/json", json.dumps(rows).encode())


def _flat(calls: tuple[PbxCall, ...], zone: ZoneInfo) -> list[dict[str, object]]:
    return [_summary(call, zone) | detail for call in calls for detail in (_details(call, zone) or [{}])]


def _csv(rows: list[dict[str, object]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["#" + names[0], *names[1:]])
    for row in rows:
        writer.writerow([row.get(name, "") for name in names])
    return out.getvalue()


def _summary(call: PbxCall, zone: ZoneInfo) -> dict[str, object]:
    return {
        "unique_id": call.unique_id,
        "source_type": "ibl" if call.inbound else "local_exten",
        "destination_type": "queue" if call.inbound else "obl",
        "status": call.status,
        "start_datetime": _text(call.started_at, zone),
        "channel_up_datetime": _text(call.started_at if call.inbound else call.answered_at, zone),
        "answer_datetime": _text(call.answered_at, zone),
        "answered_by": call.answered_by,
        "end_datetime": _text(call.ended_at, zone),
        "caller": call.caller,
        "caller_name": "",
        "called": call.called,
        "gateway_name": call.line,
        "account_code": call.account_code,
        "duration": int((call.ended_at - call.started_at).total_seconds()),
        "bill_secs": call.bill_seconds,
    }


def _summary_2020(call: PbxCall, zone: ZoneInfo) -> dict[str, object]:
    return {
        "id": call.unique_id,
        "source": "ibl" if call.inbound else "local_exten",
        "start_time": _text(call.started_at, zone),
        "answer_time": _text(call.answered_at, zone),
        "end_time": _text(call.ended_at, zone),
        "account_code": call.account_code,
        "caller": call.caller,
        "gateway_name": call.line,
        "called": call.called,
        "status": call.status,
        "answered_by": call.answered_by,
        "bill_secs": str(call.bill_seconds),
        "duration": str(int((call.ended_at - call.started_at).total_seconds())),
        "destination": "queue" if call.inbound else "obl",
    }


def _details(call: PbxCall, zone: ZoneInfo) -> list[dict[str, object]]:
    return [_detail(call, leg, zone) for leg in call.legs]


def _detail(call: PbxCall, leg: Leg, zone: ZoneInfo) -> dict[str, object]:
    waits = leg.kind == "queue"
    until = leg.answered_at or leg.left_at
    return {
        "detail_source_num": call.caller,
        "detail_destination_type": leg.kind,
        "detail_destination_name": leg.name,
        "detail_destination_num": leg.number,
        "detail_enter_datetime": _text(leg.entered_at, zone),
        "detail_enqueue_datetime": _text(leg.entered_at, zone) if waits else "",
        "detail_answer_datetime": _text(leg.answered_at, zone),
        "detail_exit_datetime": _text(leg.left_at, zone),
        "detail_exit_cause": leg.cause,
        "detail_answered_by": leg.answered_by,
        "detail_waiting_time": int((until - leg.entered_at).total_seconds()) if waits else 0,
        "detail_account_code": call.account_code,
    }


def _text(instant: datetime | None, zone: ZoneInfo) -> str:
    return "" if instant is None else instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
