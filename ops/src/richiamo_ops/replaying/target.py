"""Where can a replay go? Into whatever can say which event it holds last, so that it is gone on with from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from richiamo_events.envelope import Recorded


@dataclass(frozen=True, slots=True)
class Held:
    """An event that a target holds: its position in the log, and its id."""

    position: int
    id: str


class Target(Protocol):
    """Where events are written, in the log's order."""

    @property
    def held(self) -> Held | None:
        """The last event that was there when it was opened; None when there was none."""
        ...

    async def write(self, events: Sequence[Recorded]) -> None:
        """Add them behind what is there. Killed meanwhile, it holds the first few of them, or none."""
        ...
