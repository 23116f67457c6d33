"""What surrounds an event? Who wrote it, when it happened, when the log took it, and because of what."""

from dataclasses import field
from datetime import datetime

from richiamo_events.frozen import dataclass
from richiamo_events.language import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event that is about to be appended; the log adds position and `recorded_at`.

    `id` makes a repeated append harmless: give the same id for the same cause.
    """

    id: str
    subject: str
    data: Event
    occurred_at: datetime
    actor: str
    correlation_id: str
    causation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event as the log holds it. `position` is its number in the log, from 1, strictly rising."""

    position: int
    recorded_at: datetime
    id: str
    subject: str
    data: Event
    occurred_at: datetime
    actor: str
    correlation_id: str
    causation_id: str
    traceparent: str = field(default="", compare=False)
    """The span that appended it (W3C Trace Context), of a process that traced: how it came, no part of what it says."""
