"""Is anything lost, or counted twice, when ingest dies on any line of writing, and what it had taken comes again?

Every step that leaves a mark elsewhere is a place to die, before it and after it; the next ingest knows only what the
log says.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from richiamo_events.directory import MemoryDirectory
from richiamo_events.envelope import NewEvent
from richiamo_events.history import History
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallMissed, CallServed, CallVoided, Rank
from richiamo_events.records import CallRecord, Leg, record_fact_id, record_message_id
from richiamo_events.settings import Rules, SiteSettings
from richiamo_ingest.call_index import KnownCall
from richiamo_ingest.reports import CallReport, LostReport, Outcome, PutAside, RecordReport, ServedReport
from richiamo_ingest.writing import Writer
from richiamo_kit.store.memory import MemoryEventStore

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RULES = Rules.initial(SiteSettings())
NUMBERS = ("0501234501", "0501234502", "0501234503", "0501234504", "0501234505")


class Died(Exception):
    """The process ends here."""


class Life:
    """Ends at its `last` step, before or after it is taken; without one it goes on."""

    def __init__(self, last: int | None = None, *, taken: bool = False) -> None:
        self.steps = 0
        self._last = last
        self._taken = taken

    def step(self) -> Iterator[None]:
        """Take the step inside a `for`."""
        self.steps += 1
        if self.steps == self._last and not self._taken:
            raise Died
        yield
        if self.steps == self._last:
            raise Died


class Log(MemoryEventStore):
    """A log of which each event of a group is a step, for the server may have taken a part of them."""

    life = Life()

    async def append(self, events: Sequence[NewEvent], *, expected: int | None = None) -> int:
        position = 0
        for _ in self.life.step():
            position = await super().append(events, expected=expected)
        return position

    async def append_each(self, events: Sequence[NewEvent]) -> None:
        for event in events:
            await self.append([event])


class Raw:
    """The stream of call records, that of today's duplicates included."""

    def __init__(self) -> None:
        self.kept: dict[str, CallRecord] = {}
        self.life = Life()

    async def keep_records(self, records: Sequence[CallRecord]) -> list[bool]:
        new = []
        for record in records:
            for _ in self.life.step():
                new.append(record_message_id(record) not in self.kept)
                self.kept.setdefault(record_message_id(record), record)
        return new

    async def put_aside(self, report: PutAside) -> None:
        raise NotImplementedError


class Index:
    """What the log says, and nothing else: the memory of a process that has just begun."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def known(self, calls: Collection[CallId]) -> dict[CallId, KnownCall]:
        found: dict[CallId, KnownCall] = {}
        async for event in self._log.read():
            match event.data:
                case CallMissed(call=call, caller=caller) | CallServed(call=call, caller=caller):
                    old = found.get(call, KnownCall(None, frozenset()))
                    found[call] = KnownCall(old.caller or caller, old.events | {event.id})
                case CallVoided(call=call, caller=caller) if call in found and found[call].caller == caller:
                    del found[call]
                case _:
                    pass
        return {call: found[call] for call in calls if call in found}

    async def ever_lost(self, callers: Collection[CallerId]) -> set[CallerId]:
        return set(callers)

    def remember(self, call: CallId, caller: CallerId | None, event: str, *, lost: bool) -> None:
        """A process that dies remembers nothing."""


def call(number: int) -> CallId:
    return CallId("main", f"{int(NOON.timestamp()) + number}.0")


def record(number: int, caller: str = "", *, answered: bool = False) -> CallRecord:
    begins = NOON + timedelta(seconds=number)
    leg = Leg(
        type="queue",
        name="Vendite",
        entered_at=begins,
        exited_at=begins + timedelta(seconds=30),
        answered_by="201" if answered else "",
        answered_at=begins + timedelta(seconds=9) if answered else None,
    )
    return CallRecord(
        call=call(number),
        received_at=NOON,
        source_type="ibl",
        destination_type="queue",
        started_at=begins,
        ended_at=begins + timedelta(seconds=30),
        caller=caller or NUMBERS[number % len(NUMBERS)],
        legs=(leg,),
    )


def lost(number: int, caller: str) -> LostReport:
    return LostReport(call=call(number), received_at=NOON, rank=Rank.NOTIFICATION, caller=caller, queue="Vendite")


REPORTS: Sequence[CallReport] = (
    lost(1, NUMBERS[1]),
    RecordReport(record=record(1)),
    lost(2, "anonymous"),
    RecordReport(record=record(2)),  # The record knows the number that the notification hid.
    lost(3, "anonymous"),
    RecordReport(record=record(3, answered=True)),
    RecordReport(record=record(4)),
    RecordReport(record=record(4, answered=True)),  # Another record of the same call: it was answered after all.
    RecordReport(record=record(5, "anonymous")),
    ServedReport(call=call(6), received_at=NOON, caller=NUMBERS[0], queue="Vendite", extension="201"),
    RecordReport(record=record(7)),
    RecordReport(record=record(7)),
    RecordReport(record=replace(record(8), legs=(), destination_type="ivr")),
)


class World:
    """What stands outside the process."""

    def __init__(self, directory: MemoryDirectory) -> None:
        self.log = Log()
        self.raw = Raw()
        self._directory = directory

    async def write(self, life: Life, reports: Sequence[CallReport] = REPORTS) -> list[Outcome]:
        self.log.life = self.raw.life = life
        return await Writer(self.log, self.raw, self._directory, Index(self.log), lambda: RULES).write(reports)

    async def counted(self) -> dict[str, dict[CallId, str]]:
        """By subject: of each call that counts there the event that does."""
        histories: dict[str, History] = defaultdict(History)
        async for event in self.log.read():
            history = histories[event.subject]
            match event.data:
                case CallVoided(call=call):
                    histories[event.subject] = replace(history, voided=history.voided | {call})
                case CallMissed() | CallServed() as fact:
                    histories[event.subject] = history.with_report(event.id, fact)
                case _:
                    raise AssertionError(event)
        return {
            subject: {one.call: one.event_id for one in history.in_force()} for subject, history in histories.items()
        }

    async def without_record(self) -> set[str]:
        """The facts of records that lie nowhere."""
        kept = {record_fact_id(one) for one in self.raw.kept.values()}
        return {
            event.id
            async for event in self.log.read()
            if isinstance(event.data, CallMissed) and event.data.rank >= Rank.SUMMARY and event.id not in kept
        }


async def test_a_death_on_any_line_loses_nothing_and_counts_nothing_twice() -> None:
    directory = MemoryDirectory()
    for number in NUMBERS:
        await directory.resolve(f"+39{number}")
    whole, life = World(directory), Life()
    await whole.write(life)
    assert life.steps > len(REPORTS)
    expected = await whole.counted()
    assert sorted(call.unique_id for calls in expected.values() for call in calls) == [
        call(number).unique_id for number in (1, 2, 4, 5, 6, 7)
    ]
    for last in range(1, life.steps + 1):
        for taken in (False, True):
            world = World(directory)
            with suppress(Died):
                await world.write(Life(last, taken=taken))
                raise AssertionError("it should have died")
            assert await world.without_record() == set()
            await world.write(Life())
            assert await world.counted() == expected, (last, taken)
            assert world.raw.kept.keys() == whole.raw.kept.keys()
            assert {one.customer for one in world.raw.kept.values()} == {
                one.customer for one in whole.raw.kept.values()
            }


async def test_a_record_whose_fact_is_known_costs_nothing_more() -> None:
    world, reports = World(MemoryDirectory()), [RecordReport(record=record(number)) for number in range(5)]
    assert await world.write(Life(), reports) == [Outcome.NEW] * 5
    again = Life()
    assert await world.write(again, reports) == [Outcome.DUPLICATE] * 5
    assert again.steps == 0
