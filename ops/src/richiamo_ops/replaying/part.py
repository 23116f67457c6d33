"""Which part of the log is meant, and how fast does it go by?"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from richiamo_events import subjects, wire
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.numbers import Number, normalise
from richiamo_kit.errors import Problem
from richiamo_kit.store.port import EventStore
from richiamo_ops.site import Site, settings_now

_AT_ONCE = 500
_CALLER_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Part:
    """Recorded from `first` on and before `end`, up to position `last`, of one caller, of some types; None: any."""

    first: datetime | None = None
    end: datetime | None = None
    last: int | None = None
    caller: CallerId | None = None
    types: Sequence[str] = ()

    async def read(self, store: EventStore, after: int) -> AsyncGenerator[Recorded, None]:
        """Its events after a position, in order, up to the log's end of now."""
        subject = subjects.caller(self.caller) if self.caller else subjects.ALL
        async with aclosing(store.read(after, subject=subject, until=self.last)) as events:
            async for event in events:
                if self.end is not None and event.recorded_at >= self.end:
                    return
                if self.first is not None and event.recorded_at < self.first:
                    continue
                if not self.types or wire.type_of(event.data) in self.types:
                    yield event


def known_types(types: tuple[str, ...]) -> tuple[str, ...]:
    """The same types. Raises `Problem` for one that no event has."""
    for one in types:
        if one not in wire.TYPES:
            raise Problem(400, "no-such-type", f"There is no event type {one}: it is one of {', '.join(wire.TYPES)}.")
    return types


async def caller_of(site: Site, told: str) -> CallerId:
    """The caller meant by an id or by a number in any spelling. Raises `Problem` for a number nobody called from."""
    if _CALLER_ID.fullmatch(told):
        return CallerId(told)
    number = normalise(told, (await settings_now(site)).numbers)
    caller = await site.directory.find(number.text) if isinstance(number, Number) else None
    if caller is None:
        raise Problem(404, "unknown-number", "Richiamo holds nothing under this number.")
    return caller


async def in_time(events: AsyncIterable[Recorded], speed: float) -> AsyncGenerator[list[Recorded], None]:
    """The events in lists, each when it is due: `speed` times as fast as they were recorded, 0 without waiting."""
    loop = asyncio.get_running_loop()
    began, first = loop.time(), None
    due: list[Recorded] = []
    async for event in events:
        first = first or event.recorded_at
        wait = began + (event.recorded_at - first).total_seconds() / speed - loop.time() if speed else 0.0
        if due and (wait > 0 or len(due) == _AT_ONCE):
            yield due
            due = []
        await asyncio.sleep(max(wait, 0.0))
        due.append(event)
    if due:
        yield due
