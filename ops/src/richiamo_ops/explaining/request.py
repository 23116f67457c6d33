"""Which events made a request what it is, and by which rules? Told from the log, one line an event, pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from richiamo_events.caller import Caller, evolve, unknown
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, CallId, RequestId
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
from richiamo_events.operators import Operators
from richiamo_events.requests import Request
from richiamo_events.settings import Rules
from richiamo_ops.explaining.phrases import say


@dataclass(frozen=True, slots=True)
class Step:
    """One event in words, and what followed from it."""

    position: int
    at: datetime
    recorded_at: datetime
    what: str
    therefore: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explainer:
    """Tells the story of one caller; `changes` are the events of users and settings, in the order of the log."""

    defaults: Rules
    changes: Sequence[Recorded]
    language: str

    def steps(self, caller: CallerId, events: Sequence[Recorded]) -> tuple[list[Step], Caller]:
        """A step for each of the caller's events, in the order of the log, and where they lead."""
        state, rules, operators = unknown(caller), self.defaults, Operators()
        steps: list[Step] = []
        for event in sorted([*self.changes, *events], key=lambda one: one.position):
            if isinstance(event.data, SettingsChanged | OperatorChanged):
                rules, operators = rules.changed(event), operators.changed(event)
                continue
            after = evolve(state, event, rules)
            telling = _Telling(self.language, operators, rules)
            steps.append(
                Step(
                    event.position,
                    event.occurred_at,
                    event.recorded_at,
                    telling.what(event),
                    tuple(telling.therefore(event, state, after)),
                )
            )
            state = after
        return steps, state

    def conclusion(self, state: Caller, call: CallId) -> str:
        """How the request stands that holds this call."""
        rules = self.defaults
        for event in self.changes:
            rules = rules.changed(event)
        found = request_with(state, call)
        if found is None:
            return say("is_withdrawn", self.language, request=call)
        counts = {"request": found.id, "calls": len(found.calls), "tried": len(found.tried_at)}
        if found.closed_at is None:
            return say("is_open", self.language, **counts)
        how = say(f"how_{found.closed_by}", self.language)
        at = found.closed_at.astimezone(rules.current.zone).strftime("%d/%m/%Y %H:%M:%S")
        return say("is_closed", self.language, at=at, how=how, **counts)


def request_with(state: Caller, call: CallId) -> Request | None:
    """The request that holds a call, or whose id it is."""
    for request in state.requests:
        if request.id == RequestId(str(call)) or any(one.call == call for one in request.calls):
            return request
    return None


@dataclass(frozen=True, slots=True)
class _Telling:
    language: str
    operators: Operators
    rules: Rules

    def what(self, event: Recorded) -> str:
        data = event.data
        match data:
            case CallMissed():
                source = self._say(f"rank_{int(data.rank)}")
                return self._say("missed", call=data.call, queue=data.queue or self._say("no_queue"), source=source)
            case CallServed():
                who = self._who(data.operator, data.extension)
                return self._say("served", call=data.call, who=who, seconds=round(data.talk_seconds))
            case RecallSucceeded() | RecallFailed():
                return self._outbound(data)
            case CallVoided():
                return self._say("voided", call=data.call, reason=data.why)
            case VoidUndone():
                return self._say("void_undone", call=data.call, reason=data.why)
            case RecallDisputed():
                return self._say("disputed", call=data.call, who=self._who(data.by))
            case CallReserved():
                return self._say("reserved", who=self._who(data.operator))
            case CallAssigned():
                return self._say("assigned", who=self._who(data.operator), by=self._who(data.by))
            case ReservationReleased():
                return self._say("released", who=self._who(data.operator), reason=self._say(f"why_{data.why}"))
            case CallFlushed():
                calls = ", ".join(map(str, data.calls))
                return self._say("flushed", who=self._who(data.by), calls=calls, reason=data.reason or "-")
            case FlushUndone():
                return self._say("flush_undone", who=self._who(data.by))
            case CallerShown():
                return self._say("shown", who=self._who(data.by))
            case RecallStarted():
                return self._say("started", who=self._who(data.operator, data.extension))
            case CallerErased():
                return self._say("erased", who=self._who(data.by))
            case NoteWritten():
                return self._say("note", who=self._who(data.by))
            case OperatorChanged() | SettingsChanged():
                raise AssertionError("users and settings are nobody's story")
            case _:
                assert_never(data)

    def therefore(self, event: Recorded, before: Caller, after: Caller) -> Iterator[str]:
        """What changed by one event, each change with its rule."""
        earlier = {request.id: request for request in before.requests}
        later = {request.id: request for request in after.requests}
        for name, request in later.items():
            yield from self._of_request(earlier.get(name), request)
        for name in earlier.keys() - later.keys():
            if not any(call.call == CallId.parse(name) for request in after.requests for call in request.calls):
                yield self._say("withdrawn", request=name)
        yield from self._of_call(event, before, after)
        yield from self._of_holding(before, after)

    def _of_request(self, before: Request | None, after: Request) -> Iterator[str]:
        if before is None:
            yield self._say("opens", request=after.id, queue=after.queue or self._say("no_queue"))
        elif len(after.calls) > len(before.calls):
            yield self._say("joins", request=after.id, count=len(after.calls))
        if len(after.tried_at) > (len(before.tried_at) if before else 0):
            yield self._say("tried", request=after.id, count=len(after.tried_at))
        was_open = before is None or before.is_open
        if after.closed_at is not None and (before is None or before.closed_by != after.closed_by):
            threshold = self.rules.at(after.closed_at).success_threshold_seconds
            yield self._say(f"closed_{after.closed_by}", request=after.id, threshold=f"{threshold:g}")
        elif after.is_open and not was_open:
            yield self._say("reopens", request=after.id)

    def _of_call(self, event: Recorded, before: Caller, after: Caller) -> Iterator[str]:
        call = getattr(event.data, "call", None)
        if not isinstance(event.data, CallMissed | CallServed | RecallSucceeded | RecallFailed) or call is None:
            return
        if str(call) in before.history.calls:
            yield self._say("better")
            return
        attempt = next((one for one in after.attempts if one.call == call), None)
        if attempt is None:
            return
        if not attempt.tried and not attempt.closed:
            yield self._say("nothing_open")
        elif attempt.answered_at is not None and not attempt.reached:
            threshold = self.rules.at(attempt.answered_at).success_threshold_seconds
            yield self._say("too_short", threshold=f"{threshold:g}")

    def _of_holding(self, before: Caller, after: Caller) -> Iterator[str]:
        old, new = before.reservation, after.reservation
        if new is not None and (old is None or old.id != new.id):
            yield self._say("held", who=self._who(new.operator))
        elif old is not None and new is None and after.requests and not after.open_requests:
            yield self._say("freed", who=self._who(old.operator))
        if after.hidden is not None and after.hidden != before.hidden:
            until = after.hidden.until.astimezone(self.rules.current.zone).strftime("%H:%M")
            yield self._say("hides", until=until)
        elif before.hidden is not None and after.hidden is None and after.open_requests:
            yield self._say("unhides")

    def _outbound(self, data: RecallSucceeded | RecallFailed) -> str:
        who = self._who(data.operator, data.extension)
        if data.call is None:
            assert isinstance(data, RecallFailed)
            return self._say("not_dialled", who=who, outcome=self._say(f"outcome_{data.outcome}"))
        if data.answered_at is not None:
            return self._say("outbound_answered", who=who, seconds=round(data.talk_seconds), call=data.call)
        assert isinstance(data, RecallFailed)
        outcome = data.outcome
        return self._say("outbound_vain", who=who, outcome=self._say(f"outcome_{outcome}"), call=data.call)

    def _who(self, username: str | None, extension: str = "") -> str:
        if username in {"system", ""}:
            return self._say("system")
        if username is None:
            return extension or self._say("nobody")
        return self.operators.name_of(username)

    def _say(self, name: str, **values: object) -> str:
        return say(name, self.language, **values)
