"""What becomes of call records? Many at once: raw in the stream `CDR`, and the facts of lost calls in the log.

A record is kept before its fact is written. So a fact that the log has says that its record needs nothing more, and
whoever dies between the two leaves no fact: when the record comes again, its fact is written.
"""

from collections.abc import Callable, Collection, MutableMapping, Sequence
from dataclasses import dataclass, replace

from richiamo_events import subjects
from richiamo_events.directory import CallerDirectory
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, CallId
from richiamo_events.numbers import Number, Withheld
from richiamo_events.records import CallRecord, Lost, Nothing, Verdict, record_fact_id, verdict
from richiamo_events.settings import Rules
from richiamo_ingest.call_index import CallIndex, KnownCall
from richiamo_ingest.facts import counts, customers_number, event_of, missed, no_longer_withheld, without_numbers
from richiamo_ingest.raw_streams import RawStreams
from richiamo_ingest.reports import Outcome
from richiamo_kit.store.port import EventStore

Known = MutableMapping[CallId, KnownCall]
"""What the log holds of the calls at hand."""


@dataclass(slots=True)
class _Fresh:
    """A record of which the log has no fact. `customer` and `erased` are found out on the way."""

    record: CallRecord
    verdict: Verdict
    number: Number | Withheld
    known: KnownCall | None
    customer: CallerId | None = None
    erased: bool = False

    @property
    def asks(self) -> str | None:
        """The number whose caller must be looked up, or made: not of a call that the log has under a caller already.

        Who was erased after the call does not come back by a late record of it. What says nothing brings nobody new.
        """
        if self.customer or self.erased or isinstance(self.number, Withheld) or isinstance(self.verdict, Nothing):
            return None
        return self.number.text

    @property
    def was_withheld(self) -> bool:
        return self.known is not None and self.known.caller is None and self.customer is not None

    @property
    def no_longer_withheld(self) -> NewEvent:
        return no_longer_withheld(self.record.call, self.record.received_at)


@dataclass(frozen=True, slots=True)
class RecordWriter:
    """Writes call records; see `Writer`."""

    store: EventStore
    raw: RawStreams
    directory: CallerDirectory
    index: CallIndex
    rules: Callable[[], Rules]

    async def write(self, records: Sequence[CallRecord], known: Known) -> list[Outcome]:
        """Write records of calls that all differ, and add to `known`. Raises `Unavailable`: then write them again."""
        fresh = {record.call: one for record in records if (one := self._read(record, known)) is not None}
        if not fresh:
            return [Outcome.DUPLICATE] * len(records)
        await self._identify(fresh.values())
        lost = [one for one in fresh.values() if isinstance(one.verdict, Lost)]
        answered = [one for one in fresh.values() if not isinstance(one.verdict, Lost)]
        await self.store.append_each([one.no_longer_withheld for one in answered if one.was_withheld])
        kept = await self.raw.keep_records([one.record for one in fresh.values()])
        await self._append_lost(lost, known)
        new = {call for call, is_kept in zip(fresh, kept, strict=True) if is_kept} | {one.record.call for one in lost}
        return [Outcome.NEW if record.call in new else Outcome.DUPLICATE for record in records]

    def _read(self, record: CallRecord, known: Known) -> _Fresh | None:
        """What the record says; None when the log has its fact."""
        record = replace(record, content=record.digest())
        of_call = known.get(record.call)
        if of_call is not None and record_fact_id(record) in of_call.events:
            return None
        rules = self.rules()
        numbers = rules.current.numbers
        judged = verdict(record, numbers)
        if isinstance(judged, Lost) and not counts(judged, rules.at(record.at)):
            judged = Nothing()
        customer = of_call.caller if of_call else None
        return _Fresh(record, judged, customers_number(record, numbers), of_call, customer)

    async def _identify(self, fresh: Collection[_Fresh]) -> None:
        """Put the customer into each record, and take out the digits of who was erased since."""
        for one in fresh:
            one.erased = await self._is_erased(one)
        callers = await self.directory.resolve_all({asked for one in fresh if (asked := one.asks) is not None})
        for one in fresh:
            if (asked := one.asks) is not None:
                one.customer = callers[asked]
            one.record = replace(one.record, customer=one.customer)
            if one.erased:
                one.record = without_numbers(one.record, self.rules().current.numbers)

    async def _is_erased(self, one: _Fresh) -> bool:
        """Whether the customer of this call was erased after it, so that no digits of theirs may be stored."""
        if one.customer and await self.directory.number_of(one.customer) is None:
            return True
        return isinstance(one.number, Number) and await self.directory.erased_since(one.number.text, one.record.at)

    async def _append_lost(self, lost: Sequence[_Fresh], known: Known) -> None:
        events = [self._lost(one) for one in lost]
        await self.store.append_each([event for event, one in zip(events, lost, strict=True) if not one.was_withheld])
        for event, one in zip(events, lost, strict=True):
            if one.was_withheld:
                await self.store.append([one.no_longer_withheld, event])
            call = one.record.call
            self.index.remember(call, one.customer, event.id, lost=True)
            known[call] = KnownCall(one.customer, (one.known.events if one.known else frozenset()) | {event.id})

    def _lost(self, one: _Fresh) -> NewEvent:
        assert isinstance(one.verdict, Lost)
        record = one.record
        fact = missed(record, one.verdict, self.rules().at(record.at))
        subject = subjects.WITHHELD if one.customer is None else subjects.caller(one.customer)
        return event_of(record_fact_id(record), subject, fact, record.call, record.at)
