"""Where does one caller stand? The state that every view folds and every decision reads.

Requests follow from the set of facts (`requests.py`); the reservation, the recall in progress and the
hiding follow from the log in its order. `evolve` is pure and never raises.
"""

from dataclasses import field
from datetime import datetime, timedelta
from typing import assert_never

from pydantic import TypeAdapter

from richiamo_events import subjects
from richiamo_events.envelope import Recorded
from richiamo_events.frozen import dataclass, replace
from richiamo_events.history import Flush, History, whole_second
from richiamo_events.ids import CallerId, DialId, FlushId, NoteId, ReservationId, Username
from richiamo_events.language import (
    CallAssigned,
    CallerErased,
    CallerShown,
    CallFlushed,
    CallMissed,
    CallReserved,
    CallServed,
    CallVoided,
    FlushUndone,
    NoteWritten,
    OperatorChanged,
    RecallDisputed,
    RecallFailed,
    RecallStarted,
    RecallSucceeded,
    ReservationReleased,
    SettingsChanged,
    VoidUndone,
)
from richiamo_events.requests import Attempt, Episodes, MissedCall, Request, ServedCall, episodes, extended
from richiamo_events.settings import Rules

AGE_REASON = "age"
"""The reason of the nightly flush (`domain.md` rule 13)."""

NO_NOTE = NoteId("")

_CLOCK_SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One operator's right to call this caller, whatever its queues."""

    id: ReservationId
    operator: Username
    since: datetime
    expires_at: datetime | None
    """The earliest instant at which the timer may end it; None: never by itself (rule 8)."""
    assigned_by: Username | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallInProgress:
    """A dial that no record has ended yet."""

    dial: DialId
    operator: Username
    extension: str
    reservation: ReservationId
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Somebody who does not hold the caller rang in vain: the row rests until `until` (rule 6)."""

    until: datetime
    since: datetime
    """The end of that call."""
    reason: str
    operator: Username | None
    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The state of one caller.

    `position` is that of the newest event on the caller's own subject, which a decision expects;
    `touched` that of the newest event of all, shared subjects included.
    """

    id: CallerId
    position: int = 0
    touched: int = 0
    history: History = field(default_factory=History)
    episodes: Episodes = field(default_factory=Episodes)
    reservation: Reservation | None = None
    recall: RecallInProgress | None = None
    hidden: Hidden | None = None
    erased: bool = False
    note: NoteId = NO_NOTE
    """The newest version of the note about the caller; empty: nobody ever wrote one."""

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests, open and closed, in the order of their opening."""
        return self.episodes.requests

    @property
    def open_requests(self) -> tuple[Request, ...]:
        return tuple(request for request in self.episodes.requests if request.is_open)

    @property
    def missed_calls(self) -> tuple[MissedCall, ...]:
        return self.episodes.missed_calls

    @property
    def served_calls(self) -> tuple[ServedCall, ...]:
        return self.episodes.served_calls

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Calls to the customer, recalls or not, in the order of their start."""
        return self.episodes.attempts


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing is open."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests are open, nobody holds the caller."""

    requests: tuple[Request, ...]
    hidden: Hidden | None


@dataclass(frozen=True, slots=True)
class Reserved:
    """Requests are open and one operator holds the caller."""

    requests: tuple[Request, ...]
    reservation: Reservation


@dataclass(frozen=True, slots=True)
class Calling:
    """A recall is in progress; the reservation it was dialled under may have ended meanwhile."""

    requests: tuple[Request, ...]
    reservation: Reservation | None
    recall: RecallInProgress


Standing = Settled | Waiting | Reserved | Calling


def unknown(caller: CallerId) -> Caller:
    """A caller of whom the log says nothing."""
    return Caller(id=caller)


EMPTY = unknown


def standing(caller: Caller) -> Standing:
    """The one thing a decision depends on."""
    requests = caller.open_requests
    if not requests:
        return Settled()
    if caller.recall is not None:
        return Calling(requests, caller.reservation, caller.recall)
    if caller.reservation is not None:
        return Reserved(requests, caller.reservation)
    return Waiting(requests, caller.hidden)


def evolve(state: Caller, event: Recorded, rules: Rules) -> Caller:
    """The state after one more event of this caller.

    An event that the state has already seen (by position) changes nothing, so a batch may be folded
    twice. `rules` is the timeline of settings up to this event.
    """
    if event.position <= state.touched:
        return state
    own = event.subject == subjects.caller(state.id)
    before = replace(state, touched=event.position, position=event.position if own else state.position)
    history = before.history
    match event.data:
        case CallMissed() as fact:
            return _after_missed(_reported(before, event.id, fact, rules), fact)
        case CallServed() as fact:
            return _reported(before, event.id, fact, rules)
        case RecallSucceeded() | RecallFailed() as fact:
            after = _reported(before, event.id, fact, rules)
            return _after_outbound(before, after, fact, rules)
        case CallVoided(call=call):
            return _with(before, replace(history, voided=history.voided | {call}), rules)
        case VoidUndone(call=call):
            return _with(before, replace(history, voided=history.voided - {call}), rules)
        case RecallDisputed(call=call):
            return _with(before, replace(history, disputed=history.disputed | {call}), rules)
        case CallFlushed() | CallerErased() as closing:
            after = _with(before, history.with_flush(_flush(event, closing)), rules)
            return replace(after, erased=after.erased or isinstance(closing, CallerErased))
        case FlushUndone(flush=flush):
            return _with(before, history.without_flush(flush), rules)
        case CallReserved() as made:
            return replace(
                before,
                hidden=None,
                reservation=Reservation(
                    id=made.reservation,
                    operator=made.operator,
                    since=event.occurred_at,
                    expires_at=made.expires_at,
                ),
            )
        case CallAssigned() as made:
            return replace(
                before,
                hidden=None,
                reservation=Reservation(
                    id=made.reservation,
                    operator=made.operator,
                    since=event.occurred_at,
                    expires_at=made.expires_at,
                    assigned_by=made.by,
                ),
            )
        case ReservationReleased(reservation=reservation):
            held = before.reservation is not None and before.reservation.id == reservation
            return replace(before, reservation=None) if held else before
        case CallerShown():
            return replace(before, hidden=None)
        case RecallStarted() as started:
            return replace(
                before,
                recall=RecallInProgress(
                    dial=started.dial,
                    operator=started.operator,
                    extension=started.extension,
                    reservation=started.reservation,
                    since=event.occurred_at,
                ),
            )
        case NoteWritten(note=note):
            return replace(before, note=note)
        case OperatorChanged() | SettingsChanged():
            return before
        case _:
            assert_never(event.data)


def _reported(
    before: Caller, event_id: str, fact: CallMissed | CallServed | RecallSucceeded | RecallFailed, rules: Rules
) -> Caller:
    """The state with one more report of a call."""
    history = before.history.with_report(event_id, fact)
    if history is before.history and before.episodes.rules_known == rules.known:
        return _following(before, history, before.episodes)
    if fact.call is None or str(fact.call) in before.history.calls:
        return _with(before, history, rules)
    return _following(before, history, extended(before.episodes, history, fact.call, rules))


def _with(before: Caller, history: History, rules: Rules) -> Caller:
    """The state with another history, all of it gone through anew."""
    return _following(before, history, episodes(history, rules))


def _following(before: Caller, history: History, follows: Episodes) -> Caller:
    """The state with what follows from its history; when nothing is open any more, what was held ends (rules 2, 8)."""
    if any(request.is_open for request in follows.requests):
        return replace(before, history=history, episodes=follows)
    return replace(before, history=history, episodes=follows, reservation=None, recall=None, hidden=None)


def _after_missed(after: Caller, fact: CallMissed) -> Caller:
    """A customer who rings again after a call in vain ends the hiding (rule 6)."""
    known = after.history.calls.get(str(fact.call))
    if after.hidden is not None and known is not None and known.at > after.hidden.since:
        return replace(after, hidden=None)
    return after


def _after_outbound(before: Caller, after: Caller, fact: RecallSucceeded | RecallFailed, rules: Rules) -> Caller:
    """A record ends the recall it matches; a call in vain by somebody else hides the row (rules 6, 7)."""
    if not after.open_requests:
        return after
    recall = after.recall
    matches = recall is not None and (
        (fact.dial is not None and fact.dial == recall.dial)
        or (
            fact.call is not None
            and fact.extension != ""
            and fact.extension == recall.extension
            and fact.started_at >= recall.since - _CLOCK_SKEW
        )
    )
    dialler = recall.operator if recall is not None and matches else fact.operator
    if matches:
        after = replace(after, recall=None)
    news = fact.call is not None and str(fact.call) not in before.history.calls
    if not news or (after.reservation is not None and after.reservation.operator == dialler):
        return after
    attempt = next((one for one in after.attempts if one.call == fact.call), None)
    still_open = {request.id for request in after.open_requests}
    if attempt is None or attempt.reached or not still_open & set(attempt.tried):
        return after
    rang_again = any(call.at > attempt.ended_at for request in after.open_requests for call in request.calls)
    until = attempt.ended_at + timedelta(minutes=rules.at(attempt.ended_at).cooldown_minutes)
    if rang_again or until <= attempt.ended_at or (after.hidden is not None and after.hidden.until >= until):
        return after
    return replace(
        after,
        hidden=Hidden(
            until=until,
            since=attempt.ended_at,
            reason=str(attempt.outcome),
            operator=dialler,
            extension=fact.extension,
        ),
    )


def _flush(event: Recorded, closing: CallFlushed | CallerErased) -> Flush:
    if isinstance(closing, CallerErased):
        return Flush(
            id=FlushId(f"erased-{event.id}"),
            at=whole_second(event.occurred_at),
            by=closing.by,
            reason=closing.reason,
            kind="erased",
            calls=frozenset(closing.calls),
        )
    return Flush(
        id=closing.flush,
        at=whole_second(event.occurred_at),
        by=closing.by,
        reason=closing.reason,
        kind="aged" if closing.reason == AGE_REASON else "flushed",
        calls=frozenset(closing.calls),
    )


SHAPE = 3
"""Raise it with the shape of `dump`: a view that keeps states names it in its tables, so that it is made again."""

_STATE: TypeAdapter[Caller] = TypeAdapter(Caller)


def dump(caller: Caller) -> str:
    """The state as JSON, for a row of a view; two folds of one log leave the same text."""
    return _STATE.dump_json(caller).decode()


def load(text: str) -> Caller:
    """The state that `dump` wrote."""
    return _STATE.validate_json(text)
