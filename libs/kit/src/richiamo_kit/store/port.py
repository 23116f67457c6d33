"""What does Richiamo ask of its log? Append with a guard, read in order, follow live.

Both implementations (`memory`, `jetstream`) pass one contract suite, `tests/kit/test_store.py`.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.subjects import ALL


@dataclass(frozen=True, slots=True)
class Guarded:
    """Events of one subject and the position that subject must still have; 0 means it holds nothing yet."""

    subject: str
    expected: int
    events: Sequence[NewEvent]


class EventStore(Protocol):
    """The log: one total order, positions from 1 (with gaps allowed), append-only.

    Every method raises `Unavailable` when the log does not answer in time (appends: 8 s in all).
    """

    async def append(self, events: Sequence[NewEvent], *, expected: int | None = None) -> int:
        """Store the events, all or none, and answer the position of the last one.

        `expected` guards the one subject they share: its last position, 0 for none. An event whose id is
        known on its subject is not stored again and answers its first position, also when `expected` has
        become wrong because of it. Raises `StreamMoved` when the guard fails and none is stored. An empty
        sequence answers 0.

        Without a guard, events of a batch of which a part is known already are stored one by one.
        """
        ...

    async def append_each(self, events: Sequence[NewEvent]) -> None:
        """Store the events, each for itself, as many `append` of one would, in fewer writes.

        Raises `Unavailable` when one of them may be missing; the others may be stored.
        """
        ...

    async def append_guarded(self, groups: Sequence[Guarded]) -> int:
        """Store the events of several subjects, all or none, each guarded; answer the last one's position.

        At most 20,000 events. Raises `StreamMoved`, naming the subjects that moved if there are few.
        """
        ...

    def read(self, after: int = 0, *, subject: str = ALL, until: int | None = None) -> AsyncGenerator[Recorded, None]:
        """The events after a position in order, up to and with `until`, or up to the log's end of now.

        `subject` may hold the wildcards `*` and `>`. Raises `Unreadable` at an event of a future version.
        """
        ...

    def follow(self, after: int, *, subject: str = ALL) -> AsyncGenerator[Sequence[Recorded], None]:
        """The events after a position and all that come, in order, without gaps or repeats, for ever.

        Yields what has arrived, at most about 1,000 at a time. Survives restarts of the log's server.
        Close the iterator (`aclosing`) to stop. Raises `Unreadable` at an event of a future version.
        """
        ...

    async def last_position(self) -> int:
        """The position of the newest event of all, 0 for an empty log."""
        ...

    async def last_on(self, subject: str) -> int:
        """The position of the newest event of a subject (wildcards allowed), 0 for none."""
        ...
