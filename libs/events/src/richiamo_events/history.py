"""What is known about one caller? The best report of each call, and the decisions that bear on them.

This is a *set*: adding the same reports in any order, any number of times, gives the same history
(`domain.md` rules 1 and 11). Which requests follow from it is told by `requests.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import PlainSerializer

from richiamo_events.frozen import dataclass, replace
from richiamo_events.ids import CallId, DialId, FlushId, Username
from richiamo_events.language import (
    CallMissed,
    CallServed,
    Rank,
    RecallFailed,
    RecallOutcome,
    RecallSucceeded,
)

_EPOCH = re.compile(r"^(?:[\w-]*-)?(\d{9,10})\.\d+$")
_EPOCH_MAY_PRECEDE = timedelta(hours=24)
_EPOCH_MAY_FOLLOW = timedelta(minutes=5)

Calls = Annotated[frozenset[CallId], PlainSerializer(sorted, return_type=list[CallId])]
"""A set of calls, written in order."""


def whole_second(instant: datetime) -> datetime:
    """Cut to the second, in UTC: the PBX knows no finer instants (`domain.md` rule 11)."""
    if instant.tzinfo is UTC and not instant.microsecond:
        return instant
    return instant.astimezone(UTC).replace(microsecond=0)


def call_time(call: CallId, started_at: datetime | None, first_received_at: datetime) -> datetime:
    """When a call began, by `domain.md` rule 1.

    The start in its record; until that is known the epoch of its unique_id, if that lies within 24 h
    before to 5 min after the instant it was first received; else that instant.
    """
    if started_at is not None:
        return whole_second(started_at)
    epoch = epoch_of(call)
    if epoch is not None and -_EPOCH_MAY_PRECEDE <= epoch - first_received_at <= _EPOCH_MAY_FOLLOW:
        return epoch
    return whole_second(first_received_at)


def epoch_of(call: CallId) -> datetime | None:
    """The instant inside the unique_id, by the PBX's clock and in no time zone; None when it holds none."""
    found = _EPOCH.match(call.unique_id)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A queue lost this call."""

    kind: Literal["missed"] = "missed"
    queue: str
    type: str
    called: str
    account_code: str
    source: str
    waiting_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A person answered this inbound call."""

    kind: Literal["served"] = "served"
    queue: str | None
    extension: str
    operator: Username | None
    answered_at: datetime
    talk_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """A call to the customer; whether it was a recall depends on what was open (rule 4)."""

    kind: Literal["outbound"] = "outbound"
    extension: str
    operator: Username | None
    dial: DialId | None
    answered_at: datetime | None
    ended_at: datetime
    talk_seconds: float
    outcome: RecallOutcome | None
    """Why it failed, by its record; None when the record says that it was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The best report of one call, and when any report of it was first received."""

    call: CallId
    rank: Rank
    received_at: datetime
    event_id: str
    started_at: datetime | None
    first_received_at: datetime
    what: Missed | Served | Outbound = field()

    @property
    def at(self) -> datetime:
        """When the call began, whole seconds."""
        return call_time(self.call, self.started_at, self.first_received_at)

    @property
    def weight(self) -> tuple[int, datetime, str]:
        """Of two reports of one call the heavier counts; the event id settles what is left."""
        return self.rank, self.received_at, self.event_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """A closing without recall, and the calls it covers (`domain.md` rule 14)."""

    id: FlushId
    at: datetime
    by: str
    reason: str
    kind: Literal["flushed", "aged", "erased"]
    calls: Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything that requests follow from."""

    calls: Mapping[str, Known] = field(default_factory=dict)
    """By the text of the call's id."""
    voided: Calls = frozenset()
    disputed: Calls = frozenset()
    flushes: tuple[Flush, ...] = ()
    """Those in force, in the order of the log; an undone one is as if never made."""

    def with_report(self, event_id: str, fact: CallMissed | CallServed | RecallSucceeded | RecallFailed) -> "History":
        """This history with one more report of a call; a report that adds nothing changes nothing."""
        if fact.call is None:
            return self
        new = _known(event_id, fact, fact.call)
        old = self.calls.get(str(fact.call))
        if old is not None:
            best = new if new.weight > old.weight else old
            new = replace(best, first_received_at=min(old.first_received_at, new.first_received_at))
            if new == old:
                return self
        return replace(self, calls={**self.calls, str(fact.call): new})

    def without_flush(self, flush: FlushId) -> "History":
        return replace(self, flushes=tuple(one for one in self.flushes if one.id != flush))

    def with_flush(self, flush: Flush) -> "History":
        """This history with one more flush; told in parts, as calls come to this caller, it covers all of them."""
        told = next((one.calls for one in self.flushes if one.id == flush.id), frozenset())
        others = self.without_flush(flush.id)
        return replace(others, flushes=(*others.flushes, replace(flush, calls=flush.calls | told)))

    def in_force(self) -> list[Known]:
        """The calls that count: of each its best report, the voided ones left out."""
        return [known for known in self.calls.values() if known.call not in self.voided]

    def cover_of(self, call: CallId) -> Flush | None:
        """The earliest flush in force that covers this call; of one second that of the lesser id."""
        covering = (flush for flush in self.flushes if call in flush.calls)
        return min(covering, key=lambda flush: (flush.at, flush.id), default=None)


def _known(event_id: str, fact: CallMissed | CallServed | RecallSucceeded | RecallFailed, call: CallId) -> Known:
    return Known(
        call=call,
        rank=fact.rank,
        received_at=fact.received_at,
        event_id=event_id,
        started_at=fact.started_at,
        first_received_at=fact.received_at,
        what=_what(fact),
    )


def _what(fact: CallMissed | CallServed | RecallSucceeded | RecallFailed) -> Missed | Served | Outbound:
    match fact:
        case CallMissed():
            return Missed(
                queue=fact.queue,
                type=fact.type,
                called=fact.called,
                account_code=fact.account_code,
                source=fact.source,
                waiting_seconds=fact.waiting_seconds,
            )
        case CallServed():
            return Served(
                queue=fact.queue,
                extension=fact.extension,
                operator=fact.operator,
                answered_at=whole_second(fact.answered_at),
                talk_seconds=fact.talk_seconds,
            )
        case RecallSucceeded() | RecallFailed():
            return Outbound(
                extension=fact.extension,
                operator=fact.operator,
                dial=fact.dial,
                answered_at=None if fact.answered_at is None else whole_second(fact.answered_at),
                ended_at=whole_second(fact.ended_at),
                talk_seconds=fact.talk_seconds,
                outcome=fact.outcome if isinstance(fact, RecallFailed) else None,
            )
