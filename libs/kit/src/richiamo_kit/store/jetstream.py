"""How is the log kept in NATS JetStream? One stream, a subject a caller, positions as guards."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing

from nats.aio.client import Client
from opentelemetry.trace import Span

from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.subjects import ALL
from richiamo_events.wire import CURRENT, Language, message_id
from richiamo_kit import tracing
from richiamo_kit.errors import StreamMoved, Unavailable
from richiamo_kit.store.api import JetStreamError, api_patiently
from richiamo_kit.store.connection import connect
from richiamo_kit.store.group_commit import GroupCommit
from richiamo_kit.store.messages import MESSAGE_ID, Stored, newest_on, next_on
from richiamo_kit.store.port import Guarded
from richiamo_kit.store.publish import EXPECTED_POSITION, Outgoing, send
from richiamo_kit.store.reader import follow_stream, read_stream
from richiamo_kit.store.streams import EVENTS, ensure_streams

__all__ = ["JetStreamEventStore", "connect", "ensure_streams"]

_WRONG_POSITION = {10071, 10164}
_KNOWN_ID = 10201
_NAMED_AT_MOST = 100
"""How many subjects are looked up one by one to tell which of them moved."""


class JetStreamEventStore:
    """The event store on one NATS connection. The streams must exist (`ensure_streams`).

    `language` is what it can write and read; another one stands for an earlier or a later Richiamo.
    """

    def __init__(self, client: Client, *, stream: str = EVENTS, language: Language = CURRENT) -> None:
        self.client = client
        self._stream = stream
        self._language = language
        self._group = GroupCommit(client)
        self._guarded_group = GroupCommit(client)
        """Apart from the first: of what nobody guards two of one subject may go together."""

    async def append(self, events: Sequence[NewEvent], *, expected: int | None = None) -> int:
        """See `EventStore.append`."""
        if not events:
            return 0
        if expected is not None:
            subjects = {event.subject for event in events}
            if len(subjects) != 1:
                raise ValueError("an expected position guards one subject; use append_guarded for several")
            return await self.append_guarded([Guarded(events[0].subject, expected, events)])
        try:
            with self._traced(events) as span:
                if len(events) == 1:
                    acknowledged = await self._group.send(self._outgoing(events[0]))
                else:
                    acknowledged = await send(self.client, [self._outgoing(event) for event in events])
                span.set_attribute("richiamo.position", acknowledged.position)
                return acknowledged.position
        except JetStreamError as error:
            if error.code != _KNOWN_ID:
                raise Unavailable(str(error)) from error
        # Some are stored already: a batch with a known id is refused whole, one by one the known ones are skipped.
        position = 0
        for event in events:
            position = await self.append([event])
        return position

    async def append_each(self, events: Sequence[NewEvent]) -> None:
        """See `EventStore.append_each`."""
        if not events:
            return
        with self._traced(events):
            for answer in await self._group.send_all([self._outgoing(event) for event in events]):
                if isinstance(answer, JetStreamError):
                    raise Unavailable(str(answer)) from answer

    async def append_guarded(self, groups: Sequence[Guarded]) -> int:
        """See `EventStore.append_guarded`."""
        events = [event for group in groups for event in group.events]
        if not events:
            return 0
        with self._traced(events) as span:
            position = await self._append_guarded(groups)
            span.set_attribute("richiamo.position", position)
            return position

    async def _append_guarded(self, groups: Sequence[Guarded]) -> int:
        messages = [message for group in groups for message in self._guarded(group)]
        try:
            if len(messages) == 1:
                return (await self._guarded_group.send(messages[0])).position
            return (await send(self.client, messages)).position
        except Unavailable:
            stored = await self._position_if_stored(groups)
            if stored is None:
                # It may still arrive, so nobody may say that it is not stored.
                raise
            return stored
        except JetStreamError as error:
            if error.code not in _WRONG_POSITION and error.code != _KNOWN_ID:
                raise Unavailable(str(error)) from error
            # A repeat of an append that had succeeded is refused like one that lost a race: look whose event stands.
            stored = await self._position_if_stored(groups, from_start=error.code == _KNOWN_ID)
            if stored is None:
                raise StreamMoved(await self._moved(groups)) from error
            return stored

    async def _position_if_stored(self, groups: Sequence[Guarded], *, from_start: bool = False) -> int | None:
        """Where the last event is if ours stand, asking the leader. As all or none are stored, two need a look."""
        filled = [group for group in groups if group.events]
        first, last = filled[0], filled[-1]
        if await self._find(first.events[0], after=0 if from_start else first.expected) is None:
            return None
        return await self._find(last.events[-1], after=0 if from_start else last.expected)

    async def _find(self, event: NewEvent, *, after: int) -> int | None:
        wanted = message_id(event)
        start = after + 1
        while (stored := await next_on(self.client, self._stream, event.subject, start)) is not None:
            if stored.headers.get(MESSAGE_ID) == wanted:
                return stored.position
            start = stored.position + 1
        return None

    async def _moved(self, groups: Sequence[Guarded]) -> list[str]:
        if len(groups) > _NAMED_AT_MOST:
            return []
        return [group.subject for group in groups if await self.last_on(group.subject) != group.expected]

    async def read(
        self, after: int = 0, *, subject: str = ALL, until: int | None = None
    ) -> AsyncGenerator[Recorded, None]:
        """See `EventStore.read`."""
        messages = read_stream(self.client, self._stream, after, subject=subject, until=until)
        async with aclosing(messages):
            async for stored in messages:
                yield self._recorded(stored)

    async def follow(self, after: int, *, subject: str = ALL) -> AsyncGenerator[Sequence[Recorded], None]:
        """See `EventStore.follow`."""
        batches = follow_stream(self.client, self._stream, after, subject=subject)
        async with aclosing(batches):
            async for batch in batches:
                yield [self._recorded(stored) for stored in batch]

    async def last_position(self) -> int:
        """See `EventStore.last_position`."""
        answer = await api_patiently(self.client, f"STREAM.INFO.{self._stream}")
        state = answer["state"]
        return int(state["last_seq"]) if isinstance(state, dict) else 0

    async def last_on(self, subject: str) -> int:
        """See `EventStore.last_on`."""
        newest = await newest_on(self.client, self._stream, subject)
        return newest.position if newest else 0

    def _traced(self, events: Sequence[NewEvent]) -> AbstractContextManager[Span]:
        return tracing.step(f"append {self._language.type_of(events[0].data)}", tracing.SpanKind.PRODUCER)

    def _outgoing(self, event: NewEvent) -> Outgoing:
        headers, body = self._language.encode(event)
        return Outgoing(event.subject, {**headers, **tracing.headers(), MESSAGE_ID: message_id(event)}, body)

    def _guarded(self, group: Guarded) -> list[Outgoing]:
        messages = []
        for number, event in enumerate(group.events):
            if event.subject != group.subject:
                raise ValueError(f"an event of {event.subject} among those of {group.subject}")
            message = self._outgoing(event)
            if number == 0:
                # On a later event of the same subject the server would compare with the position before the batch.
                message = Outgoing(
                    message.subject, {**message.headers, EXPECTED_POSITION: str(group.expected)}, message.body
                )
            messages.append(message)
        return messages

    def _recorded(self, stored: Stored) -> Recorded:
        return self._language.decode(
            stored.headers, stored.body, subject=stored.subject, position=stored.position, stored_at=stored.stored_at
        )
