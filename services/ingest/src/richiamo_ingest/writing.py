"""What becomes of a report? Facts in the log and raw records in the stream `CDR`, the same however often.

Every event id follows from the report alone, so writing again after a lost answer stores nothing twice.
What can be told only from the record (served, recalled) is the tracker's to write.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from richiamo_events import subjects
from richiamo_events.directory import CallerDirectory
from richiamo_events.history import call_time, whole_second
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallMissed, CallServed, Rank
from richiamo_events.numbers import Number, Withheld, normalise
from richiamo_events.records import CallRecord, fact_id
from richiamo_events.settings import Rules
from richiamo_ingest.call_index import CallIndex, KnownCall
from richiamo_ingest.facts import event_of, no_longer_withheld
from richiamo_ingest.raw_streams import RawStreams
from richiamo_ingest.recording import Known, RecordWriter
from richiamo_ingest.reports import CallReport, LostReport, Outcome, PutAside, RecordReport, ServedReport
from richiamo_kit.store.port import EventStore
from richiamo_kit.together import together


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
        outcomes = [Outcome.NEW] * len(reports)
        records = RecordWriter(self.store, self.raw, self.directory, self.index, self.rules)

        async def write_one(position: int, report: LostReport | ServedReport | PutAside) -> None:
            match report:
                case LostReport():
                    outcomes[position] = await self._write_lost(report, known)
                case ServedReport():
                    outcomes[position] = await self._write_served(report, known)
                case PutAside():
                    await self.raw.put_aside(report)
                case _:
                    assert_never(report)

        for turn in _turns(reports):
            of_records: dict[int, CallRecord] = {}
            others = []
            for position in turn:
                report = reports[position]
                if isinstance(report, RecordReport):
                    of_records[position] = report.record
                else:
                    others.append(write_one(position, report))
            await together(others)
            for position, outcome in zip(of_records, await records.write([*of_records.values()], known), strict=True):
                outcomes[position] = outcome
        return outcomes

    async def _write_lost(self, report: LostReport, known: Known) -> Outcome:
        at = call_time(report.call, None, report.received_at)
        settings = self.rules().at(at)
        if report.waiting_seconds is not None and report.waiting_seconds < settings.ignore_waits_under_seconds:
            return Outcome.NEW
        content = [report.rank.name, report.caller, report.called, report.queue, report.type, report.reason]
        event_id = fact_id("lost", report.call, "|".join([*content, str(report.waiting_seconds), *_told(report)]))
        of_call = known.get(report.call)
        if of_call and event_id in of_call.events:
            return Outcome.DUPLICATE
        caller = await self._customer(of_call, normalise(report.caller, settings.numbers), at)
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
        return await self._append(event_id, report.call, fact, at, known)

    async def _write_served(self, report: ServedReport, known: Known) -> Outcome:
        settings = self.rules().current
        content = [report.caller, report.called, report.queue, report.extension, *_told(report)]
        event_id = fact_id("served", report.call, "|".join(content))
        of_call = known.get(report.call)
        if of_call and event_id in of_call.events:
            return Outcome.DUPLICATE
        at = whole_second(report.answered_at or report.received_at)
        caller = await self._customer(of_call, normalise(report.caller, settings.numbers), at)
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
        return await self._append(event_id, report.call, fact, at, known)

    async def _customer(self, known: KnownCall | None, number: Number | Withheld, at: datetime) -> CallerId | None:
        """The caller of the call: as the log has it, else as the directory says; None when withheld.

        Who was erased after the call does not come back by a late report of it: it counts as withheld.
        """
        if known and known.caller:
            return known.caller
        if not isinstance(number, Number) or await self.directory.erased_since(number.text, at):
            return None
        return await self.directory.resolve(number.text)

    async def _append(
        self, event_id: str, call: CallId, fact: CallMissed | CallServed, at: datetime, known: Known
    ) -> Outcome:
        caller, lost = fact.caller, isinstance(fact, CallMissed)
        if caller is None:
            subject = subjects.WITHHELD
        elif lost or await self.index.ever_lost([caller]):
            subject = subjects.caller(caller)
        else:
            subject = subjects.elsewhere(caller)
        events = [event_of(event_id, subject, fact, call, at)]
        of_call = known.get(call)
        if of_call and of_call.caller is None and caller is not None:
            events.insert(0, no_longer_withheld(call, fact.received_at))
        await self.store.append(events)
        self.index.remember(call, caller, event_id, lost=lost)
        known[call] = KnownCall(caller, (of_call.events if of_call else frozenset()) | {event_id})
        return Outcome.NEW


def _told(report: LostReport | ServedReport) -> list[str]:
    return [report.told] if report.told else []


def _turns(reports: Sequence[CallReport | PutAside]) -> list[list[int]]:
    """The reports, by index, in turns of which each has at most one report of a call, those of one call in order."""
    turns: list[list[int]] = []
    had: Counter[CallId] = Counter()
    for position, report in enumerate(reports):
        turn = 0
        if not isinstance(report, PutAside):
            turn = had[report.call]
            had[report.call] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(position)
    return turns
