"""Which events bring a call to another caller? Voided where it is, told again where it belongs, with what was decided.

Pure: `Trail` takes the log's events of one call, `moved` answers what to append. A call that is there already moves
nowhere, so a move that was cut short is simply done again (`domain.md`, number normalisation; decision 70).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId, CallId, FlushId
from richiamo_events.language import (
    CallFlushed,
    CallMissed,
    CallServed,
    CallVoided,
    FlushUndone,
    RecallDisputed,
    RecallFailed,
    RecallSucceeded,
    VoidUndone,
)
from richiamo_events.records import fact_id

WHY = "the rules for numbers changed"

Fact = CallMissed | CallServed | RecallSucceeded | RecallFailed
_FACTS = (CallMissed, CallServed, RecallSucceeded, RecallFailed)
Place = CallerId | None
"""Under whom a call counts; None: with those who withheld their number."""


@dataclass(slots=True)
class Trail:
    """What the log says of one call, under each caller."""

    call: CallId
    facts: dict[Place, list[Recorded]] = field(default_factory=dict)
    voided: set[Place] = field(default_factory=set)
    flushes: dict[FlushId, Recorded] = field(default_factory=dict)
    """Those that cover it and stand."""
    disputes: dict[CallerId, Recorded] = field(default_factory=dict)

    def take(self, event: Recorded) -> None:
        """Take the next event of the log; what is not about this call is left."""
        match event.data:
            case CallMissed() | CallServed() | RecallSucceeded() | RecallFailed() as fact if fact.call == self.call:
                self.facts.setdefault(fact.caller, []).append(event)
            case CallVoided(caller=caller, call=call) if call == self.call:
                self.voided.add(caller)
            case VoidUndone(caller=caller, call=call) if call == self.call:
                self.voided.discard(caller)
            case RecallDisputed(caller=caller, call=call) if call == self.call:
                self.disputes[caller] = event
            case CallFlushed(flush=flush, calls=calls) if self.call in calls:
                self.flushes[flush] = event
            case FlushUndone(flush=flush):
                self.flushes.pop(flush, None)
            case _:
                pass

    @property
    def counts_under(self) -> list[Place]:
        """Where it counts now: one place, or none that the log knows."""
        return [place for place in self.facts if place not in self.voided]

    @property
    def was_lost(self) -> bool:
        return any(isinstance(fact.data, CallMissed) for facts in self.facts.values() for fact in facts)


def moved(trail: Trail, to: Place, *, ever_lost: bool, at: datetime) -> Sequence[NewEvent]:
    """The events that make the call count under `to` and nowhere else, to be stored together; none when it does.

    `ever_lost`: whether a call of `to` was ever missed, this one included; else its facts share a subject with others.
    """
    leaving = [place for place in trail.counts_under if place != to]
    if not leaving:
        return []
    own = subjects.WITHHELD if to is None else subjects.caller(to) if ever_lost else subjects.elsewhere(to)
    there = {fact.id for fact in trail.facts.get(to, ())}

    def word(data: CallVoided | VoidUndone, subject: str, cause: Recorded) -> NewEvent:
        return NewEvent(
            id=fact_id(type(data).__name__, trail.call, str(cause.position)),
            subject=subject,
            data=data,
            occurred_at=at,
            actor="ops",
            correlation_id=str(trail.call),
            causation_id=cause.id,
        )

    def again(event: Recorded, data: Fact | RecallDisputed | CallFlushed, event_id: str) -> NewEvent:
        return NewEvent(
            id=event_id,
            subject=own,
            data=data,
            occurred_at=event.occurred_at,
            actor=event.actor,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
        )

    events: list[NewEvent] = []
    for place in leaving:
        last = trail.facts[place][-1]
        events.append(word(CallVoided(caller=place, call=trail.call, why=WHY), last.subject, last))
    if to in trail.voided:
        events.append(word(VoidUndone(caller=to, call=trail.call, why=WHY), own, trail.facts[leaving[0]][-1]))
    # A report keeps its id: of two that tie the same one wins, and the same record sent again is known.
    reports = [event for place in leaving for event in trail.facts[place] if event.id not in there]
    events += [again(one, replace(one.data, caller=to), one.id) for one in reports if isinstance(one.data, _FACTS)]
    if to is None:
        return events
    for event in trail.flushes.values():
        if isinstance(event.data, CallFlushed) and event.data.caller != to:
            covers = replace(event.data, caller=to, calls=(trail.call,))
            events.append(again(event, covers, fact_id("moved", trail.call, event.id)))
    for event in trail.disputes.values():
        if isinstance(event.data, RecallDisputed) and event.data.caller != to:
            there_too = replace(event.data, caller=to)
            events.append(again(event, there_too, event.id))
    return events
