"""How does the log behave without a server? The in-memory twin of the JetStream store, for fast tests."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime

from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.subjects import ALL
from richiamo_events.wire import decode, encode, message_id
from richiamo_kit import tracing
from richiamo_kit.clock import Clock, SystemClock
from richiamo_kit.errors import StreamMoved
from richiamo_kit.store.port import Guarded

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class _Message:
    """An event in its wire form, so that the twin shows what a real log would give back."""

    position: int
    stored_at: datetime
    subject: str
    headers: dict[str, str]
    body: bytes

    def recorded(self) -> Recorded:
        return decode(self.headers, self.body, subject=self.subject, position=self.position, stored_at=self.stored_at)


class MemoryEventStore:
    """Keeps everything in a list; remembers every id for ever, while the real one does for its window."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._messages: list[_Message] = []
        self._last: dict[str, int] = {}
        self._known: dict[str, int] = {}
        self._grown = asyncio.Event()

    async def append(self, events: Sequence[NewEvent], *, expected: int | None = None) -> int:
        """See `EventStore.append`."""
        if not events:
            return 0
        if expected is not None:
            if len({event.subject for event in events}) != 1:
                raise ValueError("an expected position guards one subject; use append_guarded for several")
            return await self.append_guarded([Guarded(events[0].subject, expected, events)])
        for event in events:
            if message_id(event) not in self._known:
                self._store(event)
        return self._known[message_id(events[-1])]

    async def append_each(self, events: Sequence[NewEvent]) -> None:
        """See `EventStore.append_each`."""
        await self.append(events)

    async def append_guarded(self, groups: Sequence[Guarded]) -> int:
        """See `EventStore.append_guarded`."""
        events = [event for group in groups for event in group.events]
        for group in groups:
            if any(event.subject != group.subject for event in group.events):
                raise ValueError(f"an event of another subject among those of {group.subject}")
        if not events:
            return 0
        if all(message_id(event) in self._known for event in events):
            return self._known[message_id(events[-1])]
        moved = [
            group.subject for group in groups if group.events and self._last.get(group.subject, 0) != group.expected
        ]
        if moved or any(message_id(event) in self._known for event in events):
            raise StreamMoved(moved)
        for event in events:
            self._store(event)
        return self._known[message_id(events[-1])]

    def _store(self, event: NewEvent) -> None:
        headers, body = encode(event)
        headers |= tracing.headers()
        position = len(self._messages) + 1
        self._messages.append(_Message(position, self._clock.now(), event.subject, headers, body))
        self._last[event.subject] = position
        self._known[message_id(event)] = position
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(
        self, after: int = 0, *, subject: str = ALL, until: int | None = None
    ) -> AsyncGenerator[Recorded, None]:
        """See `EventStore.read`."""
        end = len(self._messages) if until is None else min(until, len(self._messages))
        for message in self._messages[after:end]:
            if matches(subject, message.subject):
                yield message.recorded()

    async def follow(self, after: int, *, subject: str = ALL) -> AsyncGenerator[Sequence[Recorded], None]:
        """See `EventStore.follow`."""
        position = after
        while True:
            grown = self._grown
            batch = self._messages[position : position + _BATCH]
            if not batch:
                await grown.wait()
                continue
            position = batch[-1].position
            found = [message.recorded() for message in batch if matches(subject, message.subject)]
            if found:
                yield found

    async def last_position(self) -> int:
        """See `EventStore.last_position`."""
        return len(self._messages)

    async def last_on(self, subject: str) -> int:
        """See `EventStore.last_on`."""
        return max((last for name, last in self._last.items() if matches(subject, name)), default=0)


def matches(pattern: str, subject: str) -> bool:
    """Whether a NATS subject pattern (`*` one token, `>` one or more at the end) covers a subject."""
    wanted, given = pattern.split("."), subject.split(".")
    for place, part in enumerate(wanted):
        if part == ">":
            return len(given) > place
        if place >= len(given) or part not in ("*", given[place]):
            return False
    return len(wanted) == len(given)
