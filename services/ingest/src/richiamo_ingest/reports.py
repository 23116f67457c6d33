"""What did the PBX report? Values between the bytes it sent and the facts they become.

A report is what the spool keeps: it holds everything that writing it needs, the number in clear included,
and the instant it was first received.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from richiamo_events.ids import CallId
from richiamo_events.language import Rank
from richiamo_events.records import CallRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LostReport:
    """The dynamic routing or a notification said that a call was lost."""

    kind: Literal["lost"] = "lost"
    call: CallId
    received_at: datetime
    rank: Rank
    caller: str = ""
    called: str = ""
    queue: str = ""
    type: str = "queue"
    waiting_seconds: float | None = None
    reason: str = ""
    told: str = ""
    """What tells this notification of the call from another one that says the same; the same from every listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedReport:
    """A notification said that an operator took the call."""

    kind: Literal["served"] = "served"
    call: CallId
    received_at: datetime
    caller: str = ""
    called: str = ""
    queue: str = ""
    extension: str = ""
    talk_seconds: float = 0.0
    answered_at: datetime | None = None
    """None: when it was received."""
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """A call record."""

    kind: Literal["record"] = "record"
    record: CallRecord

    @property
    def call(self) -> CallId:
        return self.record.call

    @property
    def received_at(self) -> datetime:
        return self.record.received_at


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAside:
    """What could not be understood, kept as it came for a person to read, repair and send again."""

    kind: Literal["aside"] = "aside"
    pbx: str
    source: str
    """`routing`, `event` or `cdr`: the way in that refused it."""
    received_at: datetime
    reason: str
    body: bytes
    content_type: str = ""
    query: str = ""


CallReport = LostReport | ServedReport | RecordReport
Report = Annotated[LostReport | ServedReport | RecordReport | PutAside, Field(discriminator="kind")]

REPORTS: TypeAdapter[list[LostReport | ServedReport | RecordReport | PutAside]] = TypeAdapter(
    list[Report], config={"ser_json_bytes": "base64", "val_json_bytes": "base64"}
)
"""One line of the spool: reports that arrived together."""


class NotUnderstood(Exception):
    """The PBX sent something that cannot be read; the message says in one sentence what is wrong with it."""


class Outcome(StrEnum):
    """What happened to one report."""

    NEW = "new"
    DUPLICATE = "duplicate"
    SPOOLED = "spooled"
