"""Which calls are in a body of call records? JSON, XML or CSV, either generation of names, legs nested or flat."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from richiamo_events.ids import CallId
from richiamo_events.numbers import is_masked
from richiamo_events.records import CallRecord, Leg
from richiamo_ingest.bounds import MOST_FIELDS, at_most
from richiamo_ingest.kalliope import values
from richiamo_ingest.kalliope.csv_rows import csv_rows
from richiamo_ingest.kalliope.json_rows import LEGS, json_rows
from richiamo_ingest.kalliope.markup import forgetting, rows_of
from richiamo_ingest.reports import NotUnderstood
from richiamo_kit.kalliope_rest import SENTENCES, Trouble

Row = dict[str, object]

_MOST_LEGS = 200
MASKED = SENTENCES[Trouble.MASKED]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One call of a body that was not taken, by its index there, and why."""

    index: int
    reason: str
    row: Row
    text: str = ""
    """What came, when it was no row but lines of a file."""


@dataclass(slots=True)
class Reading:
    """The calls of one body."""

    records: list[CallRecord] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def masked(self) -> int:
        return sum(one.reason == MASKED for one in self.refused)


def read_records(body: bytes, *, pbx: str, zone: ZoneInfo, received_at: datetime) -> Reading:
    """Read a whole body. Raises `NotUnderstood` when it is no list of calls at all."""
    return forgetting(partial(_read, body, pbx=pbx, zone=zone, received_at=received_at))


def _read(body: bytes, *, pbx: str, zone: ZoneInfo, received_at: datetime) -> Reading:
    reading = Reading()
    for index, row, legs in gather(at_most(rows_in(body))):
        if row is None:
            reading.refused.append(Refusal(index, "This is not a call record but a single value.", {}))
            continue
        try:
            reading.records.append(to_record(row, legs, pbx=pbx, zone=zone, received_at=received_at))
        except NotUnderstood as error:
            reading.refused.append(Refusal(index, str(error), {**row, "details": legs} if legs else row))
    reading.refused.sort(key=lambda one: one.index)
    return reading


def rows_in(body: bytes) -> Iterable[object]:
    """The rows of a body by its first sign: `[` or `{` JSON, `<` XML, else CSV."""
    shown = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not shown:
        raise NotUnderstood("The body is empty; send call records as JSON, XML or CSV.")
    if shown[:1] in {b"[", b"{"}:
        return json_rows(io.BytesIO(shown))
    if shown[:1] == b"<":
        return rows_of(io.BytesIO(shown))
    return csv_rows(io.BytesIO(shown))


def gather(rows: Iterable[object]) -> Iterator[tuple[int, Row | None, list[Row]]]:
    """Calls with their legs and the index of their first row: flat rows that repeat an id are one call."""
    flat: dict[str, tuple[int, Row, list[Row]]] = {}
    for index, given in enumerate(rows):
        if not isinstance(given, Mapping):
            yield index, None, []
            continue
        row = {values.plain_name(name): value for name, value in given.items() if name is not None}
        nested = next((legs for name in LEGS if (legs := _nested(row.get(name)))), [])
        own = {name: value for name, value in row.items() if name.startswith("detail_")}
        if nested or not any(values.text(value) for value in own.values()):
            yield index, row, nested
            continue
        key = values.first(row, values.UNIQUE_ID)
        _, _, legs = flat.setdefault(key or f"\0{index}", (index, row, []))
        if own not in legs[-_MOST_LEGS:]:
            legs.append(own)
    yield from flat.values()


def to_record(row: Row, legs: list[Row], *, pbx: str, zone: ZoneInfo, received_at: datetime) -> CallRecord:
    """One call. Raises `NotUnderstood` with a sentence that names the field."""
    unique_id = values.unique_id(row)
    if len(row) > MOST_FIELDS:
        raise NotUnderstood(f"The call has more than {MOST_FIELDS} fields.")
    if len(legs) > _MOST_LEGS:
        raise NotUnderstood(f"The call has more than {_MOST_LEGS} legs.")
    caller, called = values.text(row.get("caller")), values.text(row.get("called"))
    if is_masked(caller) or is_masked(called):
        raise NotUnderstood(MASKED)
    times = values.LocalTimes(zone, unique_id)
    return CallRecord(
        call=CallId(pbx, unique_id),
        received_at=received_at,
        source_type=values.first(row, ("source_type", "source")).lower(),
        destination_type=values.first(row, ("destination_type", "destination")).lower(),
        status=values.text(row.get("status")).upper(),
        started_at=times.start(_found(row, "start_datetime", "start_time", "start"), "The start of the call"),
        answered_at=times.later(_found(row, "answer_datetime", "answer_time", "answer"), "The answer of the call"),
        ended_at=times.later(_found(row, "end_datetime", "end_time", "end"), "The end of the call"),
        answered_by=values.text(row.get("answered_by")),
        caller=caller,
        called=called,
        anonymous=values.yes(row.get("anonymous")),
        gateway=values.text(row.get("gateway_name")),
        account_code=values.text(row.get("account_code")),
        bill_seconds=values.seconds(row.get("bill_secs"), "bill_secs"),
        duration_seconds=values.seconds(row.get("duration"), "duration"),
        legs=tuple(_leg(leg, times) for leg in legs),
    )


def _leg(row: Row, times: values.LocalTimes) -> Leg:
    leg = {name.removeprefix("detail_"): value for name, value in row.items()}
    return Leg(
        type=values.first(leg, ("destination_type", "type")).lower(),
        name=values.first(leg, ("destination_name", "name")),
        number=values.first(leg, ("destination_num", "number")),
        entered_at=times.later(leg.get("enter_datetime"), "detail_enter_datetime"),
        queued_at=times.later(leg.get("enqueue_datetime"), "detail_enqueue_datetime"),
        answered_at=times.later(leg.get("answer_datetime"), "detail_answer_datetime"),
        exited_at=times.later(leg.get("exit_datetime"), "detail_exit_datetime"),
        exit_cause=values.text(leg.get("exit_cause")).upper(),
        answered_by=values.text(leg.get("answered_by")),
        waiting_seconds=values.seconds(leg.get("waiting_time"), "detail_waiting_time"),
        account_code=values.text(leg.get("account_code")),
        source_number=values.text(leg.get("source_num")),
        mapped_number=values.text(leg.get("mapped_dst_num")),
    )


def _found(row: Row, *names: str) -> object:
    return next((row[name] for name in names if not _empty(row.get(name))), None)


def _empty(value: object) -> bool:
    return value is None or value == ""


def _nested(legs: object) -> list[Row]:
    if isinstance(legs, Mapping):
        legs = [legs]
    if not isinstance(legs, list):
        return []
    return [{values.plain_name(name): value for name, value in leg.items()} for leg in legs if isinstance(leg, Mapping)]
