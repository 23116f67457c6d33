"""Which fact does a call record become? Served, a recall that succeeded, one that failed, or none.

The type is the verdict of this moment; the fold decides again with the rules in force at the call
(`domain.md` rule 4). A lost call was written by ingest when its record arrived.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from richiamo_callback_tracker.matching import Placed
from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, CallId, DialId, Username
from richiamo_events.language import CallServed, RecallFailed, RecallOutcome, RecallSucceeded
from richiamo_events.operators import Operators
from richiamo_events.records import (
    CallRecord,
    Lost,
    Nothing,
    Outbound,
    Served,
    Verdict,
    record_fact_id,
    talked_enough,
    verdict,
)
from richiamo_events.settings import Rules, SiteSettings


@dataclass(frozen=True, slots=True)
class Judged:
    """A record and what it says."""

    record: CallRecord
    verdict: Verdict

    @property
    def placed(self) -> Placed | None:
        """The outbound call, for matching it with a click."""
        if not isinstance(self.verdict, Outbound):
            return None
        return Placed(self.record.call, self.verdict.extension, self.record.customer, self.record.at)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Other people's facts that the writing of one fact needs."""

    rules: Rules
    operators: Operators
    ever_lost: Collection[CallerId]
    dials: Mapping[CallId, DialId]


def judge(record: CallRecord, settings: SiteSettings) -> Judged:
    return Judged(record, verdict(record, settings.numbers))


def fact_of(judged: Judged, around: Circumstances) -> NewEvent | None:
    """The event to append; None when the record says nothing that is the tracker's to write."""
    match judged.verdict:
        case Served() as served:
            return _event(judged.record, _served(judged.record, served, around), served.answered_at, around)
        case Outbound() as outbound:
            return _event(judged.record, *_recall(judged.record, outbound, around), around)
        case Lost() | Nothing():
            return None
        case _:
            assert_never(judged.verdict)


def _served(record: CallRecord, served: Served, around: Circumstances) -> CallServed:
    return CallServed(
        caller=record.customer,
        call=record.call,
        rank=record.rank,
        received_at=record.received_at,
        started_at=record.started_at,
        queue=None if served.queue is None else around.rules.current.queue_named(served.queue),
        called=record.called,
        extension=served.extension,
        operator=_operator(served.extension, around),
        answered_at=served.answered_at,
        talk_seconds=served.talk_seconds,
    )


def _recall(
    record: CallRecord, outbound: Outbound, around: Circumstances
) -> tuple[RecallSucceeded | RecallFailed, datetime]:
    dial = around.dials.get(record.call)
    operator = _operator(outbound.extension, around)
    threshold = around.rules.at(outbound.answered_at or record.at).success_threshold_seconds
    if outbound.answered_at is not None and talked_enough(outbound, threshold):
        succeeded = RecallSucceeded(
            caller=record.customer,
            call=record.call,
            rank=record.rank,
            received_at=record.received_at,
            started_at=record.at,
            extension=outbound.extension,
            operator=operator,
            dial=dial,
            answered_at=outbound.answered_at,
            ended_at=outbound.ended_at,
            talk_seconds=outbound.talk_seconds,
        )
        return succeeded, outbound.answered_at
    failed = RecallFailed(
        caller=record.customer,
        call=record.call,
        rank=record.rank,
        received_at=record.received_at,
        started_at=record.at,
        extension=outbound.extension,
        operator=operator,
        dial=dial,
        answered_at=outbound.answered_at,
        ended_at=outbound.ended_at,
        talk_seconds=outbound.talk_seconds,
        outcome=outbound.outcome or RecallOutcome.SHORT_TALK,
    )
    return failed, outbound.ended_at


def _operator(extension: str, around: Circumstances) -> Username | None:
    found = around.operators.by_extension(extension)
    return found.username if found else None


def _event(
    record: CallRecord, fact: CallServed | RecallSucceeded | RecallFailed, at: datetime, around: Circumstances
) -> NewEvent:
    caller = record.customer
    if caller is None:
        subject = subjects.WITHHELD
    elif caller in around.ever_lost:
        subject = subjects.caller(caller)
    else:
        subject = subjects.elsewhere(caller)
    return NewEvent(
        id=record_fact_id(record),
        subject=subject,
        data=fact,
        occurred_at=at,
        actor=f"pbx:{record.call.pbx}",
        correlation_id=str(record.call),
    )
