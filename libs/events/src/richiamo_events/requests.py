"""Which requests does a set of facts make, and how did each end? (`domain.md` rules 3 to 6, 11, 14.)

`reached` is the rule for when a recall is a success. Everything here is pure and depends on the set
of facts alone, never on the order in which they arrived.
"""

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime
from enum import IntEnum
from typing import Literal, assert_never

from richiamo_events.frozen import dataclass
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


_Place = tuple[datetime, int, str]
"""Where a fact stands among those of its caller: its instant, its phase, and what settles the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """What follows from one caller's history, each part in the order in which it happened.

    `last` is the place of the last fact gone through, `rules_known` how many changes of settings were known then:
    what `extended` needs to go on from here.
    """

    requests: tuple[Request, ...] = ()
    missed_calls: tuple[MissedCall, ...] = ()
    served_calls: tuple[ServedCall, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    last: _Place | None = None
    rules_known: int = 0


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

    @classmethod
    def again(cls, request: Request) -> "_Open":
        """An open request of earlier, to go on with. No flush covers it, or it would be closed."""
        return cls(request.queue, None, list(request.calls), list(request.tried_at))

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


_Point = tuple[_Place, Known | Flush]


def episodes(history: History, rules: Rules) -> Episodes:
    """The requests, calls and recalls that follow from a history under the rules in force."""
    return _gone_through(Episodes(), _in_order(history, rules), history, rules)


def extended(before: Episodes, history: History, news: CallId, rules: Rules) -> Episodes:
    """The same as `episodes`, where `before` is what followed without the call `news`.

    A call that comes after everything known, as nearly all do, is gone through alone: what a caller's next call
    costs does not grow with the calls of years.
    """
    points = sorted(_points(history.calls[str(news)], history, rules), key=_place)
    follows = before.last is None or before.last < points[0][0]
    covered = news in history.voided or history.cover_of(news) is not None
    if not follows or covered or before.rules_known != rules.known:
        return episodes(history, rules)
    return _gone_through(before, points, history, rules)


def _gone_through(before: Episodes, points: list[_Point], history: History, rules: Rules) -> Episodes:
    """What follows from `before` and the facts after it, in their order."""
    every: list[Request | _Open] = [_Open.again(one) if one.is_open else one for one in before.requests]
    now_open = [one for one in every if isinstance(one, _Open)]
    missed: list[MissedCall] = []
    served: list[ServedCall] = []
    tried: dict[CallId, tuple[RequestId, ...]] = {}
    closed: dict[CallId, tuple[RequestId, ...]] = {}
    outbound: list[tuple[Known, Outbound]] = []

    for (at, phase, _), subject in points:
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
                if phase == _Phase.TRIED:
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

    attempts = [
        _attempt(known, what, history, rules, tried=tried[known.call], closed=closed.get(known.call, ()))
        for known, what in outbound
    ]
    return Episodes(
        requests=tuple(one.finished() if isinstance(one, _Open) else one for one in every),
        missed_calls=(*before.missed_calls, *missed),
        served_calls=(*before.served_calls, *served),
        attempts=(*before.attempts, *attempts),
        last=points[-1][0] if points else before.last,
        rules_known=rules.known,
    )


def _in_order(history: History, rules: Rules) -> list[_Point]:
    points = [point for known in history.in_force() for point in _points(known, history, rules)]
    for flush in history.flushes:
        # A PBX whose clock runs ahead dates a covered call after its flush: the flush closes it all the same.
        covered = [at for (at, phase, _), known in points if phase == _Phase.LOST and _covers(flush, known, history)]
        points.append(((max([flush.at, *covered]), _Phase.FLUSHED, flush.id), flush))
    return sorted(points, key=_place)


def _covers(flush: Flush, known: Known | Flush, history: History) -> bool:
    return isinstance(known, Known) and history.cover_of(known.call) is flush


def _place(point: _Point) -> _Place:
    return point[0]


def _points(known: Known, history: History, rules: Rules) -> Iterator[_Point]:
    """At which instants a call bears on the requests: when it was lost, answered, or tried and then answered."""
    at, text = known.at, str(known.call)
    match known.what:
        case Missed():
            yield (at, _Phase.LOST, text), known
        case Served(answered_at=answered_at):
            yield (answered_at, _Phase.ANSWERED, text), known
        case Outbound(answered_at=answered_at) as what:
            yield (at, _Phase.TRIED, text), known
            if answered_at is not None and reached(what, rules, disputed=known.call in history.disputed):
                yield (answered_at, _Phase.ANSWERED, text), known
        case _:
            assert_never(known.what)


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
