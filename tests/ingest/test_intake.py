"""What becomes of a report that cannot be written? The PBX says it once: it is kept, and holds up nothing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from richiamo_events.directory import MemoryDirectory
from richiamo_events.envelope import NewEvent
from richiamo_events.language import CallMissed
from richiamo_events.settings import Rules, SiteSettings
from richiamo_ingest.intake import Intake
from richiamo_ingest.reports import LostReport, Outcome, PutAside
from richiamo_ingest.spool import Spool
from richiamo_ingest.writing import Writer
from richiamo_kit.clock import SystemClock
from richiamo_kit.store.memory import MemoryEventStore
from tests.ingest import test_dying as dying

RULES = Rules.initial(SiteSettings())


class Log(MemoryEventStore):
    """A log that fails at one call, with these errors one after the other."""

    def __init__(self, call: object, *errors: Exception) -> None:
        super().__init__()
        self._call, self._errors = call, [*errors]

    async def append(self, events: Sequence[NewEvent], *, expected: int | None = None) -> int:
        if self._errors and any(isinstance(one.data, CallMissed) and one.data.call == self._call for one in events):
            raise self._errors.pop(0)
        return await super().append(events, expected=expected)

    async def append_each(self, events: Sequence[NewEvent]) -> None:
        for event in events:
            await self.append([event])


class Raw(dying.Raw):
    """Keeps what is put aside too."""

    def __init__(self) -> None:
        super().__init__()
        self.aside: list[PutAside] = []

    async def put_aside(self, report: PutAside) -> None:
        self.aside.append(report)


class Edge:
    """Ingest between the PBX and such a log, on the disk of the test."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.log, self.raw = log, Raw()
        index = dying.Index(dying.Log())
        writer = Writer(log, self.raw, MemoryDirectory(), index, lambda: RULES)
        self.intake = Intake(Spool(folder), lambda: writer, SystemClock())

    async def drained(self) -> list[object]:
        """The calls in the log, once nothing waits any more."""
        draining = asyncio.create_task(self.intake.drain())
        async with asyncio.timeout(30):
            while self.intake.spool.entries:
                await asyncio.sleep(0.01)
        draining.cancel()
        return [event.data.call async for event in self.log.read() if isinstance(event.data, CallMissed)]


def reports(many: int) -> list[LostReport]:
    return [dying.lost(number, dying.NUMBERS[number]) for number in range(many)]


async def test_what_can_never_be_written_is_kept_for_a_person_and_the_rest_is_written(tmp_path: Path) -> None:
    first, bad, last = reports(3)
    edge = Edge(tmp_path, Log(bad.call, *[ValueError("never")] * 1000))
    assert await edge.intake.take([first, bad, last]) == [Outcome.SPOOLED] * 3
    assert await edge.drained() == [first.call, last.call]
    (aside,) = edge.raw.aside
    assert (aside.source, aside.reason) == ("spool", "ValueError while writing it")


async def test_what_could_not_be_written_for_a_while_is_written_later(tmp_path: Path) -> None:
    first, late, last = reports(3)
    # At once; with the others; alone; and with the others again.
    edge = Edge(
        tmp_path, Log(late.call, ValueError("for once"), ValueError("and again"), TimeoutError(), TimeoutError())
    )
    await edge.intake.take([first, late, last])
    assert sorted(map(str, await edge.drained())) == sorted(str(one.call) for one in (first, late, last))
    assert edge.raw.aside == []
