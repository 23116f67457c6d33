"""What becomes of a report? Facts in the log and raw records in the stream `CDR`, the same however often.

Every event id follows from the report alone, so writing again after a lost answer stores nothing twice.
What can be told only from the record (served, recalled) is the tracker's to write.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, assert_never

from richiamo_events import subjects
from richiamo_events.directory import CallerDirectory
from richiamo_events.envelope import NewEvent
from richiamo_events.history import call_time, whole_second
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallMissed, CallServed, CallVoided, Event, Rank
from richiamo_events.numbers import Number, NumberRules, normalise, normalise_dialled
from richiamo_events.records import (
    CallRecord,
    Lost,
    Nothing,
    fact_id,
    is_outbound,
    record_fact_id,
    verdict,
)
from richiamo_events.settings import Rules, SiteSettings
from richiamo_ingest.call_index import CallIndex, KnownCall
from richiamo_ingest.reports import CallReport, LostReport, PutAside, RecordReport, ServedReport
from richiamo_kit.store.port import EventStore
from richiamo_kit.together import together

_AT_ONCE = 500
"""Calls written side by side: what waits together is stored together (`kit.store.group_commit`)."""


class Outcome(StrEnum):
    """What happened to one report."""

    NEW = "new"
    DUPLICATE = "duplicate"
    SPOOLED = "spooled"


class RawStreams(Protocol):
    """Keeps what carries numbers, for a short time: call records, and what was not understood."""

    async def keep_record(self, record: CallRecord) -> bool:
        """Store a record; false when the stream has the same one already. Raises `Unavailable`."""
        ...

    async def put_aside(self, report: PutAside) -> None:
        """Store what could not be understood. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes reports; all of its parts must answer, else `Unavailable` is raised and nothing is promised."""

    store: EventStore
    raw: RawStreams
    directory: CallerDirectory
    index: CallIndex
    rules: Callable[[], Rules]

    async def write(self, reports: Sequence[CallReport | PutAside]) -> list[Outcome]:
        """Write all reports, those of one call in order, and answer what happened to each."""
        calls = {report.call for report in reports if not isinstance(report, PutAside)}
        known = await self.index.known(calls) if calls else {}
        of_call: dict[CallId | None, list[int]] = defaultdict(list)
        for position, report in enumerate(reports):
            of_call[None if isinstance(report, PutAside) else report.call].append(position)
        outcomes = [Outcome.NEW] * len(reports)
        slots = asyncio.Semaphore(_AT_ONCE)

        async def write_call(call: CallId | None, positions: list[int]) -> None:
            so_far = known.get(call) if call else None
            async with slots:
                for position in positions:
                    report = reports[position]
                    if isinstance(report, PutAside):
                        await self.raw.put_aside(report)
                    else:
                        outcomes[position], so_far = await self._write_one(report, so_far)

        await together([write_call(call, positions) for call, positions in of_call.items()])
        return outcomes

    async def _write_one(self, report: CallReport, known: KnownCall | None) -> tuple[Outcome, KnownCall | None]:
        match report:
            case LostReport():
                return await self._write_lost(report, known)
            case ServedReport():
                return await self._write_served(report, known)
            case RecordReport():
                return await self._write_record(report.record, known)
            case _:
                assert_never(report)

    async def _write_lost(self, report: LostReport, known: KnownCall | None) -> tuple[Outcome, KnownCall | None]:
        at = call_time(report.call, None, report.received_at)
        settings = self.rules().at(at)
        if report.waiting_seconds is not None and report.waiting_seconds < settings.ignore_waits_under_seconds:
            return Outcome.NEW, known
        content = [report.rank.name, report.caller, report.called, report.queue, report.type, report.reason]
        event_id = fact_id("lost", report.call, "|".join([*content, str(report.waiting_seconds), *_told(report)]))
        if known and event_id in known.events:
            return Outcome.DUPLICATE, known
        caller = await self._customer(known, normalise(report.caller, settings.numbers), at)
        fact = CallMissed(
            caller=caller,
            call=report.call,
            rank=report.rank,
            received_at=report.received_at,
            called=report.called,
            queue=settings.queue_named(report.queue),
            type=report.type,
            waiting_seconds=report.waiting_seconds,
            reason=report.reason,
        )
        return await self._append(event_id, fact, at, known)

    async def _write_served(self, report: ServedReport, known: KnownCall | None) -> tuple[Outcome, KnownCall | None]:
        settings = self.rules().current
        content = [report.caller, report.called, report.queue, report.extension, *_told(report)]
        event_id = fact_id("served", report.call, "|".join(content))
        if known and event_id in known.events:
            return Outcome.DUPLICATE, known
        at = whole_second(report.answered_at or report.received_at)
        caller = await self._customer(known, normalise(report.caller, settings.numbers), at)
        fact = CallServed(
            caller=caller,
            call=report.call,
            rank=Rank.NOTIFICATION,
            received_at=report.received_at,
            queue=settings.queue_named(report.queue) or None,
            called=report.called,
            extension=report.extension,
            answered_at=at,
            talk_seconds=report.talk_seconds,
        )
        return await self._append(event_id, fact, at, known)

    async def _write_record(self, record: CallRecord, known: KnownCall | None) -> tuple[Outcome, KnownCall | None]:
        record = replace(record, content=record.digest())
        settings = self.rules().at(record.at)
        numbers = self.rules().current.numbers
        judged = verdict(record, numbers)
        event_id = record_fact_id(record)
        stored = known is not None and event_id in known.events
        if stored and not isinstance(judged, Lost):
            # The tracker wrote its fact, so the record went through the stream already.
            return Outcome.DUPLICATE, known
        erased = await self._is_erased(known, _number(record, numbers), record.at)
        if isinstance(judged, Nothing) or (isinstance(judged, Lost) and not _counts(judged, settings)):
            # Nothing goes into the log, so nobody new goes into the directory.
            record = replace(record, customer=known.caller if known else None)
        else:
            customer = await self._customer(known, _number(record, numbers), record.at)
            record = replace(record, customer=customer)
            if known and known.caller is None and customer is not None and not isinstance(judged, Lost):
                await self.store.append([_void(record.call, record.received_at)])
        if isinstance(judged, Lost) and not stored and _counts(judged, settings):
            fact = _missed(record, judged, settings)
            _, known = await self._append(event_id, fact, record.at, known)
        kept = await self.raw.keep_record(without_numbers(record, numbers) if erased else record)
        return (Outcome.NEW if kept and not stored else Outcome.DUPLICATE), known

    async def _customer(self, known: KnownCall | None, number: object, at: datetime) -> CallerId | None:
        """The caller of the call: as the log has it, else as the directory says; None when withheld.

        Who was erased after the call does not come back by a late report of it: it counts as withheld.
        """
        if known and known.caller:
            return known.caller
        if not isinstance(number, Number) or await self.directory.erased_since(number.text, at):
            return None
        return await self.directory.resolve(number.text)

    async def _is_erased(self, known: KnownCall | None, number: object, at: datetime) -> bool:
        """Whether the customer of this call was erased after it, so that no digits of theirs may be stored."""
        if known and known.caller and await self.directory.number_of(known.caller) is None:
            return True
        return isinstance(number, Number) and await self.directory.erased_since(number.text, at)

    async def _append(
        self, event_id: str, fact: CallMissed | CallServed, at: datetime, known: KnownCall | None
    ) -> tuple[Outcome, KnownCall]:
        caller, lost = fact.caller, isinstance(fact, CallMissed)
        if caller is None:
            subject = subjects.WITHHELD
        elif lost or await self.index.ever_lost([caller]):
            subject = subjects.caller(caller)
        else:
            subject = subjects.elsewhere(caller)
        events = [_event(event_id, subject, fact, fact.call, at)]
        if known and known.caller is None and caller is not None:
            # It was withheld so far, and one call counts once (`domain.md` rule 1).
            events.insert(0, _void(fact.call, fact.received_at))
        await self.store.append(events)
        self.index.remember(fact.call, caller, event_id, lost=lost)
        return Outcome.NEW, KnownCall(caller, (known.events if known else frozenset()) | {event_id})


def _told(report: LostReport | ServedReport) -> list[str]:
    return [report.told] if report.told else []


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


def _number(record: CallRecord, rules: NumberRules) -> object:
    if is_outbound(record, rules):
        return normalise_dialled(record.called, rules)
    return normalise("" if record.anonymous else record.caller, rules)


def _counts(lost: Lost, settings: SiteSettings) -> bool:
    """Whether the site counts this as a lost call (`domain.md` rule 13)."""
    if lost.type == "checktime":
        return settings.import_checktime
    return lost.waiting_seconds >= settings.ignore_waits_under_seconds


def _missed(record: CallRecord, lost: Lost, settings: SiteSettings) -> CallMissed:
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


def _event(event_id: str, subject: str, fact: Event, call: CallId, at: datetime) -> NewEvent:
    return NewEvent(
        id=event_id, subject=subject, data=fact, occurred_at=at, actor=f"pbx:{call.pbx}", correlation_id=str(call)
    )


def _void(call: CallId, at: datetime) -> NewEvent:
    fact = CallVoided(caller=None, call=call, why="the number became known")
    return _event(fact_id("void", call, "withheld"), subjects.WITHHELD, fact, call, whole_second(at))
