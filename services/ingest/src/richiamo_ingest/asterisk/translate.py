"""What does an Asterisk's call come to? Its lines, in any order and any number of times, as one `CallRecord`.

One call gives several lines: those of `queue_log` share a callid, call records a linkedid. The legs are put
so that `records.verdict` judges the whole call by how it ended (`domain.md` rule 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from richiamo_events.history import call_time, whole_second
from richiamo_events.ids import CallId
from richiamo_events.records import ENDED_AFTER_ANSWER, CallRecord, Leg
from richiamo_ingest.asterisk.parse import (
    RESTARTED,
    CdrRow,
    Layout,
    Line,
    QueueLine,
    is_station,
    peer_of,
    read_line,
)
from richiamo_ingest.asterisk.waits import dialled_line, in_order, waits_of
from richiamo_ingest.kalliope import values
from richiamo_ingest.kalliope.records import Reading, Refusal
from richiamo_ingest.reports import NotUnderstood

MOST_LINES = 1000
"""Of one call: more is no call of this world."""

_STATUS = {"ANSWERED": "OK", "NO ANSWER": "NOANSWER", "BUSY": "BUSY", "CONGESTION": "FAILED", "FAILED": "FAILED"}
_NO_DESTINATION = frozenset({"", "s", "h", "i", "t"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How the lines of one PBX are read: its zone (of texts without one) and how long an extension may be."""

    pbx: str
    zone: ZoneInfo
    internal_digits: int
    received_at: datetime
    answered: Mapping[str, datetime] = field(default_factory=dict)
    """When the far end of a channel answered, by the channel's name, as far as the living PBX told it."""

    def read(self, body: Sequence[str], layout: Layout) -> Reading:
        """The calls of whole lines; `index` of a refusal is that of a line. A call still going on is left out."""
        reading = Reading()
        calls: dict[str, list[Line]] = {}
        restarts: list[datetime] = []
        for number, shown in enumerate(body):
            try:
                line = read_line(shown, number, layout)
            except NotUnderstood as error:
                reading.refused.append(Refusal(number, str(error), {}, shown))
                continue
            if line is None:
                continue
            if line.call:
                calls.setdefault(line.call, []).append(line)
            elif isinstance(line, QueueLine) and line.event == RESTARTED:
                restarts.append(line.at)
        for lines in calls.values():
            try:
                record = self.record(lines, restarts)
            except NotUnderstood as error:
                whole = "\n".join(body[line.number].rstrip("\r\n") for line in lines)
                reading.refused.append(Refusal(lines[0].number, str(error), {}, whole))
                continue
            if record is not None:
                reading.records.append(record)
        reading.refused.sort(key=lambda one: one.index)
        return reading

    def record(self, lines: Sequence[Line], restarts: Sequence[datetime] = ()) -> CallRecord | None:
        """One call by all its lines; None while it still waits. Raises `NotUnderstood`."""
        if len(lines) > MOST_LINES:
            raise NotUnderstood(f"The call has more than {MOST_LINES} lines.")
        queue_lines = [line for line in lines if isinstance(line, QueueLine)]
        if queue_lines:
            return self._of_queue_log(queue_lines, restarts)
        return self._of_rows([line for line in lines if isinstance(line, CdrRow)])

    def _of_queue_log(self, lines: Sequence[QueueLine], restarts: Sequence[datetime]) -> CallRecord | None:
        ordered = in_order(lines)
        call = CallId(self.pbx, ordered[0].call)
        waits = waits_of(ordered)
        if not waits:
            return None
        for wait in waits:
            if wait.left_at is None and wait.answered_at is None:
                cut = [at for at in sorted(restarts) if at >= max(wait.entered_at, ordered[-1].at)]
                if not cut:
                    return None
                wait.left_at, wait.cause = cut[0], "RESTART"
        waits.sort(key=lambda one: (one.entered_at, one.left_at or one.answered_at or one.entered_at))
        entered = waits[0].entered_at
        return CallRecord(
            call=call,
            received_at=self.received_at,
            destination_type="queue",
            started_at=min(entered, call_time(call, None, entered)),
            ended_at=max(at for one in waits for at in (one.entered_at, one.answered_at, one.left_at) if at),
            caller=next((one.caller for one in waits if one.caller), ""),
            called=next((dialled_line(line) for line in ordered if line.event == "DID"), ""),
            legs=tuple(one.leg() for one in waits),
        )

    def _of_rows(self, rows: Sequence[CdrRow]) -> CallRecord:
        times = values.LocalTimes(self.zone, rows[0].call)
        # A line that stands twice in a file is one row.
        distinct = sorted({replace(row, number=0) for row in rows}, key=lambda row: (row.start, astuple(row)))
        started_at = times.start(distinct[0].start, "The start of the call")
        spans = [_Span.of(row, times) for row in distinct]
        spans.sort(key=lambda one: (one.since, one.row.sequence))
        first = next((one.row for one in spans if one.row.unique_id == one.row.call), spans[0].row)
        extension = self._extension(first)
        waited = any(one.queue for one in spans)
        call = CallId(self.pbx, first.call)
        if extension and not waited:
            return self._outbound(call, first, extension, spans, started_at)
        return CallRecord(
            call=call,
            received_at=self.received_at,
            source_type="local_exten" if extension else "ibl",
            status=_STATUS[first.disposition],
            started_at=started_at,
            ended_at=max(one.until for one in spans),
            caller=extension or first.source,
            called=next((one.row.did for one in spans if one.row.did), "") or _real(first.destination),
            gateway="" if extension else peer_of(first.channel),
            account_code=next((one.row.account_code for one in spans if one.row.account_code), ""),
            legs=_legs(spans),
        )

    def _outbound(
        self, call: CallId, first: CdrRow, extension: str, spans: Sequence["_Span"], started_at: datetime | None
    ) -> CallRecord:
        """A call that an extension made: only rows towards the dialled number say whether it was answered.

        Of an originated call the row that rings the operator's own phone says nothing about the customer.
        """
        outside = [one for one in spans if len(_digits(one.row.destination)) > self.internal_digits]
        called = outside[0].row.destination if outside else _real(first.destination)
        towards = [one for one in spans if one.row.destination == called] or list(spans)
        reached = next((one for one in reversed(towards) if one.answered_at), None)
        last = reached or towards[-1]
        answered_at, talked = (reached.answered_at, reached.talked) if reached else (None, None)
        legs: tuple[Leg, ...] = ()
        if reached is not None and (told := self._told_answer(reached)) is not None:
            answered_at, talked = told, (reached.until - told).total_seconds()
            legs = (Leg(type="obl", entered_at=reached.since, answered_at=told, exited_at=reached.until),)
        return CallRecord(
            call=call,
            received_at=self.received_at,
            source_type="local_exten",
            status=_STATUS[last.row.disposition],
            started_at=started_at,
            answered_at=answered_at,
            ended_at=last.until,
            caller=extension,
            called=called,
            account_code=next((one.row.account_code for one in spans if one.row.account_code), ""),
            bill_seconds=talked,
            legs=legs,
        )

    def _told_answer(self, reached: "_Span") -> datetime | None:
        """When the customer answered, by the living PBX.

        A record counts talk from the instant at which its first party was there, and of a call that was
        originated that is the operator: ringing would count as talk. A record that knows better has a leg,
        so that the same record from a file does not stand above it.
        """
        told = self.answered.get(reached.row.destination_channel)
        if told is None or reached.answered_at is None:
            return None
        told = whole_second(told)
        return told if reached.answered_at <= told <= reached.until else None

    def _extension(self, row: CdrRow) -> str:
        """Which extension made this call; empty when it came in on a line."""
        peer = peer_of(row.channel)
        if is_station(row.channel) and peer.isdecimal() and len(peer) <= self.internal_digits:
            return peer
        return row.source if row.source.isdecimal() and len(row.source) <= self.internal_digits else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A call record with its times. `answered_at` is set when a second party answered: music is none."""

    row: CdrRow
    since: datetime
    until: datetime
    answered_at: datetime | None
    talked: float
    queue: str

    @classmethod
    def of(cls, row: CdrRow, times: values.LocalTimes) -> "_Span":
        since = times.later(row.start, "The start")
        if since is None:
            raise NotUnderstood("The record has no start.")
        duration = values.seconds(row.duration, "duration") or 0.0
        billed = values.seconds(row.bill_seconds, "billsec") or 0.0
        until = max(since, times.later(row.end, "The end") or since + timedelta(seconds=int(duration)))
        answered_at = None
        if row.disposition == "ANSWERED" and row.destination_channel:
            answered_at = times.later(row.answer, "The answer") or until - timedelta(seconds=int(billed))
        is_queue = row.application.lower() == "queue"
        queue = row.application_data.partition(",")[0].strip() if is_queue else ""
        return cls(row=row, since=since, until=until, answered_at=answered_at, talked=billed, queue=queue)


@dataclass(slots=True)
class _Stretch:
    """Rows that are one wait: each member of a queue that rings makes a row of its own."""

    queue: str
    since: datetime
    until: datetime

    def leg(self, at: datetime) -> Leg:
        return Leg(
            type="queue",
            name=self.queue,
            entered_at=at,
            exited_at=self.until,
            exit_cause="NOANSWER",
            waiting_seconds=(self.until - self.since).total_seconds(),
        )


def _legs(spans: Sequence[_Span]) -> tuple[Leg, ...]:
    """The legs of an inbound call: the waits before its last answer, the answers, the waits after it.

    Members that rang beside the one who answered have unanswered rows of the same time: a wait is *after*
    only if it lasted longer than every answered row, or began when they had ended.
    """
    answers = [one for one in spans if one.answered_at]
    waits = [one for one in spans if one.queue and not one.answered_at]
    if not answers:
        return tuple(one.leg(one.since) for one in _stretches(waits))
    last, ended_at = answers[-1], max(one.until for one in answers)

    def after(wait: _Span) -> bool:
        if wait.until > ended_at:
            return True
        return wait.since >= ended_at and (ended_at > last.since or wait.row.sequence > last.row.sequence)

    return (
        *(one.leg(min(one.since, last.since)) for one in _stretches([wait for wait in waits if not after(wait)])),
        *(_answered_leg(one) for one in answers),
        *(one.leg(max(one.since, last.since)) for one in _stretches([wait for wait in waits if after(wait)])),
    )


def _stretches(waits: Iterable[_Span]) -> list[_Stretch]:
    found: list[_Stretch] = []
    for wait in waits:
        if found and found[-1].queue == wait.queue:
            found[-1].until = max(found[-1].until, wait.until)
        else:
            found.append(_Stretch(wait.queue, wait.since, wait.until))
    return found


def _answered_leg(span: _Span) -> Leg:
    return Leg(
        type="queue" if span.queue else "local_exten",
        name=span.queue,
        number=peer_of(span.row.destination_channel),
        entered_at=span.since,
        answered_at=span.answered_at,
        exited_at=span.until,
        exit_cause=ENDED_AFTER_ANSWER,
        answered_by=peer_of(span.row.destination_channel),
    )


def _real(destination: str) -> str:
    return "" if destination in _NO_DESTINATION else destination


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())
