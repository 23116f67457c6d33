"""In which forms does a Kalliope show its call records? JSON, XML, CSV; names of 2020 or later; legs or none."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

Generation = Literal["2020", "later"]
Form = Literal["application/json", "application/xml", "text/csv"]

SUMMARY_LATER = (
    "unique_id", "source_type", "destination_type", "status", "start_datetime", "channel_up_datetime",
    "answer_datetime", "answered_by", "end_datetime", "caller", "caller_name", "anonymous", "called",
    "gateway_name", "account_code", "duration", "bill_secs", "src_peer_name", "src_ip_port",
)  # fmt: skip
LEG = (
    "detail_source_num", "detail_destination_type", "detail_destination_id", "detail_destination_name",
    "detail_destination_num", "detail_enter_datetime", "detail_enqueue_datetime", "detail_answer_datetime",
    "detail_exit_datetime", "detail_exit_cause", "detail_answered_by", "detail_waiting_time",
    "detail_account_code", "detail_mapped_dst_num",
)  # fmt: skip
SUMMARY_2020 = {
    "id": "unique_id",
    "source": "source_type",
    "start_time": "start_datetime",
    "answer_time": "answer_datetime",
    "end_time": "end_datetime",
    "account_code": "account_code",
    "caller": "caller",
    "gateway_name": "gateway_name",
    "called": "called",
    "status": "status",
    "answered_by": "answered_by",
    "bill_secs": "bill_secs",
    "duration": "duration",
    "destination": "destination_type",
}
_NUMBERS = ("caller", "called", "detail_source_num", "detail_destination_num", "detail_mapped_dst_num")

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """One call: its summary in the later names, its legs in `detail_` names; all values are text."""

    summary: Row
    legs: tuple[Row, ...] = ()

    @property
    def start(self) -> str:
        return self.summary["start_datetime"]


def masked(row: Row) -> Row:
    """What a user without the privacy right sees: the last three digits of outside numbers are `xxx`."""
    return {name: value[:-3] + "xxx" if name in _NUMBERS and len(value) > 5 else value for name, value in row.items()}


def rows(records: Sequence[Record], *, generation: Generation, detailed: bool, hide: bool) -> list[Row]:
    """Flat rows; in the detailed form one for each leg, repeating the summary."""
    made: list[Row] = []
    for record in records:
        summary = _summary(record.summary, generation)
        legs: Iterable[Row] = record.legs if detailed and record.legs else ({},)
        made.extend(summary | {name: leg.get(name, "") for name in LEG if detailed} for leg in legs)
    return [masked(row) if hide else row for row in made]


def render(flat: Sequence[Row], form: Form) -> bytes:
    match form:
        case "application/json":
            return json.dumps(flat).encode()
        case "application/xml":
            return _xml(flat).encode()
        case "text/csv":
            return _csv(flat).encode()


def _summary(later: Row, generation: Generation) -> Row:
    if generation == "later":
        return {name: later.get(name, "") for name in SUMMARY_LATER}
    return {name: later.get(source, "") for name, source in SUMMARY_2020.items()}


def _xml(flat: Sequence[Row]) -> str:
    inside = "".join(
        "<row>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items()) + "</row>" for row in flat
    )
    return f'<?xml version="1.0"?><cdr>{inside}</cdr>'


def _csv(flat: Sequence[Row]) -> str:
    out = io.StringIO()
    names = list(flat[0]) if flat else list(SUMMARY_LATER)
    out.write("#")
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()
