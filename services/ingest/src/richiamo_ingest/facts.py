"""Which facts do reports and call records become? The pure part of writing: nothing is looked up, nothing stored."""

from dataclasses import replace
from datetime import datetime

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.history import whole_second
from richiamo_events.ids import CallId
from richiamo_events.language import CallMissed, CallVoided, Event
from richiamo_events.numbers import Number, NumberRules, Withheld, normalise, normalise_dialled
from richiamo_events.records import CallRecord, Lost, fact_id, is_outbound
from richiamo_events.settings import SiteSettings


def without_numbers(record: CallRecord, rules: NumberRules) -> CallRecord:
    """The record of an erased customer: it still says what happened, but no digits of the customer."""
    outbound = is_outbound(record, rules)
    legs = tuple(
        replace(leg, source_number="", mapped_number="", number="" if leg.type == "obl" else leg.number)
        for leg in record.legs
    )
    if outbound:
        return replace(record, called="", legs=legs, numbers_removed=True)
    return replace(record, caller="", legs=legs, numbers_removed=True)


def customers_number(record: CallRecord, rules: NumberRules) -> Number | Withheld:
    """Of the person called by an operator, else of who called."""
    if is_outbound(record, rules):
        return normalise_dialled(record.called, rules)
    return normalise("" if record.anonymous else record.caller, rules)


def counts(lost: Lost, settings: SiteSettings) -> bool:
    """Whether the site counts this as a lost call (`domain.md` rule 13)."""
    if lost.type == "checktime":
        return settings.import_checktime
    return lost.waiting_seconds >= settings.ignore_waits_under_seconds


def missed(record: CallRecord, lost: Lost, settings: SiteSettings) -> CallMissed:
    """The fact that a record of a lost call becomes, under its `customer`."""
    return CallMissed(
        caller=record.customer,
        call=record.call,
        rank=record.rank,
        received_at=record.received_at,
        started_at=record.started_at,
        called=record.called,
        queue=settings.queue_named(lost.queue),
        type=lost.type,
        account_code=lost.account_code,
        source=record.gateway,
        waiting_seconds=lost.waiting_seconds,
        reason=lost.reason,
    )


def event_of(event_id: str, subject: str, fact: Event, call: CallId, at: datetime) -> NewEvent:
    """The event of one fact that the PBX told; `at` is when it happened."""
    return NewEvent(
        id=event_id, subject=subject, data=fact, occurred_at=at, actor=f"pbx:{call.pbx}", correlation_id=str(call)
    )


def no_longer_withheld(call: CallId, at: datetime) -> NewEvent:
    """Takes a call from those without a number: one call counts once (`domain.md` rule 1)."""
    fact = CallVoided(caller=None, call=call, why="the number became known")
    return event_of(fact_id("void", call, "withheld"), subjects.WITHHELD, fact, call, whole_second(at))
