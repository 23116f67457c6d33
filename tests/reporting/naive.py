"""What do the definitions of `reports.md` say, read a second time? Plain loops over plain facts, no SQL.

It shares no code with the reports. Requests come from the naive fold of `tests.events.naive`; everything is
computed from the events recorded by the instant asked for, from the start, for every question.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from richiamo_events.envelope import Recorded
from richiamo_events.language import (
    CallFlushed,
    CallMissed,
    CallReserved,
    CallServed,
    CallVoided,
    FlushUndone,
    RecallDisputed,
    RecallFailed,
    RecallSucceeded,
    ReservationReleased,
    SettingsChanged,
)
from tests.events.naive import cut, gather, start_of, tell

FIRST_THRESHOLD = 5.0
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    caller: str
    id: str
    queue: str
    type: str
    calls: tuple[datetime, ...]
    tried: tuple[datetime, ...]
    closed_at: datetime | None
    closed_by: str | None
    closing_call: str | None
    talk: float

    @property
    def opened(self) -> datetime:
        return self.calls[0]

    def closed_before(self, t: datetime) -> bool:
        return self.closed_at is not None and self.closed_at < t

    def tried_before(self, t: datetime) -> bool:
        return any(start < t for start in self.tried)

    def outcome(self, t: datetime) -> str:
        if self.closed_before(t):
            return str(self.closed_by)
        return "unanswered" if self.tried_before(t) else "unhandled"


@dataclass(frozen=True)
class Lost:
    caller: str | None
    call: str
    queue: str
    type: str
    at: datetime


@dataclass(frozen=True)
class Answered:
    caller: str | None
    queue: str | None
    at: datetime


class World:
    """What was known at an instant, and the figures that follow. `as_of` None: everything recorded (decision 7)."""

    def __init__(
        self,
        events: Sequence[Recorded],
        as_of: datetime | None,
        zone: ZoneInfo,
        queues: Sequence[str] | None = None,
    ) -> None:
        self.events = [event for event in events if as_of is None or event.recorded_at <= as_of]
        self.t = FOR_EVER if as_of is None else as_of
        self.zone = zone
        self.requests: list[Asked] = []
        self.lost: list[Lost] = []
        self.answered: list[Answered] = []
        for owner in sorted({_owner(event) for event in self.events} - {None}, key=str):
            assert owner is not None
            self._learn(owner)
        if queues is not None:
            self.requests = [request for request in self.requests if request.queue in queues]
            self.lost = [call for call in self.lost if call.queue in queues]
            self.answered = [call for call in self.answered if call.queue in queues]

    def _learn(self, owner: str) -> None:
        log = self._log(owner, self.events)
        facts, first, _, _ = gather(log)
        caller = None if owner.startswith("?") else owner
        talks = {
            str(event.data.call): event.data.talk_seconds
            for event in self.events
            if isinstance(event.data, RecallSucceeded | RecallFailed)
        }
        for key, fact in facts.items():
            if isinstance(fact, CallMissed):
                self.lost.append(Lost(caller, key, fact.queue, fact.type, start_of(fact, first[key])))
            elif isinstance(fact, CallServed):
                self.answered.append(Answered(caller, fact.queue, start_of(fact, first[key])))
        if caller is None:
            return
        for told in tell(log, 0.0):
            first_call = facts[told.id]
            assert isinstance(first_call, CallMissed)
            self.requests.append(
                Asked(
                    caller=caller,
                    id=told.id,
                    queue=told.queue,
                    type=first_call.type,
                    calls=tuple(start_of(facts[call], first[call]) for call in told.calls),
                    tried=told.tried_at,
                    closed_at=told.closed_at,
                    closed_by=told.closed_by,
                    closing_call=told.closing_call,
                    talk=talks.get(str(told.closing_call), 0.0),
                )
            )

    def _log(self, owner: str, events: Sequence[Recorded]) -> list[Any]:
        """The owner's events; a call to the customer talks 1 s when it was a success, else 0 s."""
        thresholds = [
            (event.recorded_at, float(str(event.data.values["success_threshold_seconds"])))
            for event in events
            if isinstance(event.data, SettingsChanged) and "success_threshold_seconds" in event.data.values
        ]
        log = []
        for event in events:
            if _owner(event) != owner:
                continue
            data = event.data
            if isinstance(data, RecallSucceeded | RecallFailed) and data.answered_at is not None:
                limit = FIRST_THRESHOLD
                for since, value in thresholds:
                    if since < cut(data.answered_at):
                        limit = value
                data = replace(data, talk_seconds=1.0 if data.talk_seconds > limit else 0.0)
            log.append((event.id, event.occurred_at, data))
        return log

    def held(self, caller: str, t: datetime) -> bool:
        """Whether somebody held the caller just before t: from the reservation's event to the one that ends it."""
        reservation = None
        past: list[Recorded] = []
        for event in self.events:
            if event.recorded_at >= t:
                break
            past.append(event)
            if _owner(event) != caller:
                continue
            match event.data:
                case CallReserved():
                    reservation = event.data.reservation
                case ReservationReleased():
                    if reservation == event.data.reservation:
                        reservation = None
                case (
                    CallMissed()
                    | CallServed()
                    | RecallSucceeded()
                    | RecallFailed()
                    | CallVoided()
                    | RecallDisputed()
                    | CallFlushed()
                    | FlushUndone()
                ):
                    if all(told.closed_at is not None for told in tell(self._log(caller, past), 0.0)):
                        reservation = None
                case _:
                    pass
        return reservation is not None

    # The site's days.

    def start(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def end(self, day: date) -> datetime:
        return self.start(day + timedelta(days=1))

    def eod(self, day: date) -> datetime:
        return min(self.end(day), self.t)

    def on(self, day: date, at: datetime | None) -> bool:
        return at is not None and self.start(day) <= at < self.end(day)

    # Dashboard.

    def dashboard(self, days: Sequence[date]) -> dict[str, Any]:
        return {
            "totals": self._outcomes(
                [r for r in self.requests if any(self.on(day, r.opened) for day in days)], self.eod(days[-1])
            ),
            "days": [
                {
                    "day": day.isoformat(),
                    **self._outcomes([r for r in self.requests if self.on(day, r.opened)], self.eod(day)),
                }
                for day in days
            ],
            "backlog": [{"day": day.isoformat(), **self._backlog(day)} for day in days],
        }

    def _outcomes(self, requests: Sequence[Asked], t: datetime) -> dict[str, int]:
        counted = {"total": len(requests), "served": 0, "recalled": 0, "flushed": 0, "unanswered": 0, "unhandled": 0}
        for request in requests:
            counted[request.outcome(t)] += 1
        return counted

    def _older(self, day: date) -> list[Asked]:
        return [
            r for r in self.requests if r.opened < self.start(day) and not r.closed_before(min(self.start(day), self.t))
        ]

    def _backlog(self, day: date) -> dict[str, int]:
        counted = {"served": 0, "recalled": 0, "flushed": 0, "unanswered": 0}
        for request in self._older(day):
            if request.closed_before(self.eod(day)):
                counted[str(request.closed_by)] += 1
            elif any(self.start(day) <= start < self.eod(day) for start in request.tried):
                counted["unanswered"] += 1
        return counted

    # The report of a day.

    def day(self, day: date) -> dict[str, Any]:
        eod = self.eod(day)
        calls = [call for call in self.lost if self.on(day, call.at)]
        callers = {call.caller for call in calls if call.caller is not None}
        opened = [r for r in self.requests if self.on(day, r.opened)]
        open_now = [r for r in self.requests if r.opened < self.end(day) and not r.closed_before(eod)]
        waiting = {r.caller for r in open_now}
        recalled = [
            r for r in self.requests if r.closed_by == "recalled" and r.closed_before(eod) and self.on(day, r.closed_at)
        ]
        talks = {(r.caller, r.closing_call): r.talk for r in recalled}
        times = [Fraction(int((r.closed_at - r.opened).total_seconds())) for r in recalled if r.closed_at is not None]
        to_handle = [r for r in opened if r in open_now]
        unreserved = [r for r in to_handle if not self.held(r.caller, eod)]
        not_contacted = [
            caller
            for caller in callers & waiting
            if not any(r.tried_before(eod) for r in open_now if r.caller == caller)
        ]
        older = self._older(day)
        still = [r for r in older if not r.closed_before(eod)]
        free = [r for r in still if not self.held(r.caller, eod)]
        return {
            "today": {
                "total_calls": len(calls),
                "total_callers": len(callers),
                "handled_callers": len(callers - waiting),
                "not_handled_callers": len(callers & waiting),
                "total_requests": len(opened),
                "requests_recalled": len(recalled),
                "mean_bill_seconds": _mean([Fraction(repr(talk)) for talk in talks.values()]),
                "mean_seconds_to_recall": _mean(times),
                "requests_to_handle": len(to_handle),
                "requests_to_handle_pct": len(to_handle) / len(opened) if opened else None,
                "unreserved_to_handle": len(unreserved),
                "unreserved_to_handle_pct": len(unreserved) / len(opened) if opened else None,
                "callers_not_contacted": len(not_contacted),
            },
            "backlog": {
                "calls": sum(1 for r in still for at in r.calls if at < eod),
                "requests": len(still),
                "callers": len({r.caller for r in still}),
                "recalled_today": len([r for r in older if r in recalled]),
                "unreserved": len(free),
                "unreserved_pct": len(free) / len(still) if still else None,
            },
        }

    # Code Caller and Storico.

    def code_caller(self, days: Sequence[date]) -> dict[str, Any]:
        inside = [c for c in self.lost if any(self.on(day, c.at) for day in days)]
        talked = [c for c in self.answered if c.queue is not None and any(self.on(day, c.at) for day in days)]
        queues = sorted({c.queue for c in inside} | {c.queue for c in talked if c.queue is not None})
        return {
            "queues": [
                {"queue": queue, "days": [{"day": day.isoformat(), **self._queue(queue, day)} for day in days]}
                for queue in queues
            ]
        }

    def _queue(self, queue: str, day: date) -> dict[str, int]:
        lost = [c for c in self.lost if c.queue == queue and self.on(day, c.at)]
        answered = [c for c in self.answered if c.queue == queue and self.on(day, c.at)]
        lucky = {c.caller for c in answered if c.caller is not None}
        never = {c.caller for c in lost if c.caller is not None} - lucky
        judged = {"recalled_reached": 0, "recalled_not_reached": 0, "not_recalled": 0}
        for caller in never:
            theirs = [
                r
                for r in self.requests
                if r.caller == caller and r.queue == queue and any(self.on(day, at) for at in r.calls)
            ]
            last = max(theirs, key=lambda r: (r.opened, r.id))
            if last.outcome(self.t) == "recalled":
                judged["recalled_reached"] += 1
            elif last.tried_before(self.t):
                judged["recalled_not_reached"] += 1
            else:
                judged["not_recalled"] += 1
        return {
            "answered_calls": len(answered),
            "missed_calls": len(lost),
            "numbers": len(never | lucky),
            "numbers_answered": len(lucky),
            "numbers_not_answered": len(never),
            **judged,
        }

    def historical(self, days: Sequence[date]) -> dict[str, Any]:
        rows = []
        for day in days:
            lost = [c for c in self.lost if self.on(day, c.at)]
            callers = {c.caller for c in lost if c.caller is not None}
            waiting = {
                r.caller
                for r in self.requests
                if r.caller in callers and any(self.on(day, at) for at in r.calls) and not r.closed_before(self.t)
            }
            rows.append(
                {
                    "day": day.isoformat(),
                    "callers": len(callers),
                    "recalled": len(callers - waiting),
                    "not_yet": len(waiting),
                    "missed_calls": len(lost),
                }
            )
        return {"days": rows}


def _owner(event: Recorded) -> str | None:
    """The caller, or `?` and the call for one without a number; None for settings."""
    caller = getattr(event.data, "caller", None)
    if caller is not None:
        return str(caller)
    call = getattr(event.data, "call", None)
    return None if call is None else f"?{call}"


def _mean(values: Sequence[Fraction]) -> float | None:
    return float(sum(values, Fraction(0)) / len(values)) if values else None
