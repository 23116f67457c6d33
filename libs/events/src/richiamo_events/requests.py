"""Which requests does a set of facts make, and how did each end? (`domain.md` rules 3 to 6, 11, 14.)

`reached` is the rule for when a recall is a success. Everything here is pure and depends on the set
of facts alone, never on the order in which they arrived.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal, assert_never

from richiamo_events.history import Flush, History, Known, Missed, Outbound, Served
from richiamo_events.ids import CallId, DialId, RequestId, Username
from richiamo_events.language import Rank, RecallOutcome
from richiamo_events.settings import Rules

ClosedBy = Literal["served", "recalled", "flushed", "aged", "erased"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedCall:
    """One call that counts as lost. `at` is when it began."""

    call: CallId
    at: datetime
    queue: str
    type: str
    called: str
    account_code: str
    source: str
    waiting_seconds: float | None
    rank: Rank


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCall:
    """One inbound call that a person answered. `at` is when it began."""

    call: CallId
    at: datetime
    answered_at: datetime
    queue: str | None
    extension: str
    operator: Username | None
    talk_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to the customer. It is a recall if it was tried for, or closed, a request (rule 4)."""

    call: CallId
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    talk_seconds: float
    outcome: RecallOutcome | None
    """None when the customer was reached."""
    extension: str
    operator: Username | None
    dial: DialId | None
    tried: tuple[RequestId, ...] = ()
    closed: tuple[RequestId, ...] = ()

    @property
    def reached(self) -> bool:
        return self.outcome is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One open-to-close episode of missed calls of one caller on one queue, never without a call."""

    calls: tuple[MissedCall, ...]
    tried_at: tuple[datetime, ...] = ()
    """The starts of the recalls tried while it was open, in order."""
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    closing_call: CallId | None = None
    talk_seconds: float | None = None
    """Of the recall that closed it."""

    @property
    def id(self) -> RequestId:
        return RequestId(str(self.calls[0].call))

    @property
    def queue(self) -> str:
        return self.calls[0].queue

    @property
    def type(self) -> str:
        return self.calls[0].type

    @property
    def called(self) -> str:
        return _newest(call.called for call in self.calls)

    @property
    def source(self) -> str:
        return _newest(call.source for call in self.calls)

    @property
    def account_code(self) -> str:
        return _newest(call.account_code for call in self.calls)

    @property
    def opened_at(self) -> datetime:
        return self.calls[0].at

    @property
    def last_call(self) -> datetime:
        return self.calls[-1].at

    @property
    def last_recall(self) -> datetime | None:
        return self.tried_at[-1] if self.tried_at else None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


def _newest(texts: Iterator[str]) -> str:
    newest = ""
    for text in texts:
        newest = text or newest
    return newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """What follows from one caller's history, each part in the order in which it happened."""

    requests: tuple[Request, ...] = ()
    missed_calls: tuple[MissedCall, ...] = ()
    served_calls: tuple[ServedCall, ...] = ()
    attempts: tuple[Attempt, ...] = ()


def reached(outbound: Outbound, rules: Rules, *, disputed: bool) -> bool:
    """Whether the customer was reached: the rule for when a recall is a success.

    Answered, talked *more* than the threshold in force at the answer (5.0 s is not more than 5 s),
    and nobody said that it was an answering machine (`domain.md` rule 4).
    """
    if outbound.answered_at is None or disputed:
        return False
    return outbound.talk_seconds > rules.at(outbound.answered_at).success_threshold_seconds


class _Phase(IntEnum):
    """What comes first within one second (`domain.md` rule 11)."""

    LOST = 0
    TRIED = 1
    ANSWERED = 2
    FLUSHED = 3


@dataclass(slots=True)
class _Open:
    """A request while the facts are gone through."""

    queue: str
    cover: Flush | None
    calls: list[MissedCall] = field(default_factory=list)
    tried_at: list[datetime] = field(default_factory=list)
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    closing_call: CallId | None = None
    talk_seconds: float | None = None

    def close(self, at: datetime, by: ClosedBy, call: CallId | None, talk_seconds: float | None) -> None:
        self.closed_at, self.closed_by, self.closing_call, self.talk_seconds = at, by, call, talk_seconds

    @property
    def id(self) -> RequestId:
        return RequestId(str(self.calls[0].call))

    def finished(self) -> Request:
        return Request(
            calls=tuple(self.calls),
            tried_at=tuple(self.tried_at),
            closed_at=self.closed_at,
            closed_by=self.closed_by,
            closing_call=self.closing_call,
            talk_seconds=self.talk_seconds,
        )


_Point = tuple[datetime, _Phase, str, Known | Flush]


def episodes(history: History, rules: Rules) -> Episodes:
    """The requests, calls and recalls that follow from a history under the rules in force."""
    every: list[_Open] = []
    now_open: list[_Open] = []
    missed: list[MissedCall] = []
    served: list[ServedCall] = []
    tried: dict[CallId, tuple[RequestId, ...]] = {}
    closed: dict[CallId, tuple[RequestId, ...]] = {}
    outbound: list[tuple[Known, Outbound]] = []

    for at, phase, _, subject in _in_order(history, rules):
        if isinstance(subject, Flush):
            for request in now_open:
                if request.cover is subject:
                    request.close(at, subject.kind, None, None)
            now_open = [request for request in now_open if request.closed_at is None]
            continue
        call, what = subject.call, subject.what
        match what:
            case Missed():
                lost = _missed_call(call, at, subject.rank, what)
                missed.append(lost)
                cover = history.cover_of(call)
                home = next((one for one in now_open if one.queue == lost.queue and one.cover is cover), None)
                if home is None:
                    home = _Open(lost.queue, cover)
                    every.append(home)
                    now_open.append(home)
                home.calls.append(lost)
            case Served():
                served.append(_served_call(subject, what))
                for request in now_open:
                    request.close(at, "served", call, None)
                now_open = []
            case Outbound():
                open_ids = tuple(request.id for request in now_open)
                if phase is _Phase.TRIED:
                    outbound.append((subject, what))
                    tried[call] = open_ids
                    for request in now_open:
                        request.tried_at.append(at)
                else:
                    closed[call] = open_ids
                    for request in now_open:
                        request.close(at, "recalled", call, what.talk_seconds)
                    now_open = []
            case _:
                assert_never(what)

    return Episodes(
        requests=tuple(request.finished() for request in every),
        missed_calls=tuple(missed),
        served_calls=tuple(served),
        attempts=tuple(
            _attempt(known, what, history, rules, tried=tried[known.call], closed=closed.get(known.call, ()))
            for known, what in outbound
        ),
    )


def _in_order(history: History, rules: Rules) -> list[_Point]:
    points: list[_Point] = []
    covered_until: dict[str, datetime] = {}
    for known in history.in_force():
        match known.what:
            case Missed():
                points.append((known.at, _Phase.LOST, str(known.call), known))
                cover = history.cover_of(known.call)
                if cover is not None:
                    covered_until[cover.id] = max(known.at, covered_until.get(cover.id, known.at))
            case Served(answered_at=answered_at):
                points.append((answered_at, _Phase.ANSWERED, str(known.call), known))
            case Outbound(answered_at=answered_at) as what:
                points.append((known.at, _Phase.TRIED, str(known.call), known))
                if answered_at is not None and reached(what, rules, disputed=known.call in history.disputed):
                    points.append((answered_at, _Phase.ANSWERED, str(known.call), known))
            case _:
                assert_never(known.what)
    for flush in history.flushes:
        # A PBX whose clock runs ahead dates a covered call after its flush: the flush closes it all the same.
        at = max(flush.at, covered_until.get(flush.id, flush.at))
        points.append((at, _Phase.FLUSHED, flush.id, flush))
    return sorted(points, key=lambda point: point[:3])


def _missed_call(call: CallId, at: datetime, rank: Rank, what: Missed) -> MissedCall:
    return MissedCall(
        call=call,
        at=at,
        queue=what.queue,
        type=what.type,
        called=what.called,
        account_code=what.account_code,
        source=what.source,
        waiting_seconds=what.waiting_seconds,
        rank=rank,
    )


def _served_call(known: Known, what: Served) -> ServedCall:
    return ServedCall(
        call=known.call,
        at=known.at,
        answered_at=what.answered_at,
        queue=what.queue,
        extension=what.extension,
        operator=what.operator,
        talk_seconds=what.talk_seconds,
    )


def _attempt(
    known: Known,
    what: Outbound,
    history: History,
    rules: Rules,
    *,
    tried: tuple[RequestId, ...],
    closed: tuple[RequestId, ...],
) -> Attempt:
    success = reached(what, rules, disputed=known.call in history.disputed)
    return Attempt(
        call=known.call,
        started_at=known.at,
        answered_at=what.answered_at,
        ended_at=what.ended_at,
        talk_seconds=what.talk_seconds,
        outcome=None if success else _why_not(what),
        extension=what.extension,
        operator=what.operator,
        dial=what.dial,
        tried=tried,
        closed=closed,
    )


def _why_not(what: Outbound) -> RecallOutcome:
    if what.answered_at is not None:
        return RecallOutcome.SHORT_TALK
    return what.outcome or RecallOutcome.NO_ANSWER
