"""What is given when a command is decided, and what came of it? The words in which the tests of `decide` speak."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, DialId, ReservationId, Username
from richiamo_events.language import (
    Event,
    RecallFailed,
    RecallOutcome,
    ReleaseReason,
    ReservationReleased,
)
from richiamo_kit.errors import Rejected
from richiamo_queue.caller.commands import (
    Assign,
    Command,
    ExpireReservation,
    HandBack,
    Release,
    Reserve,
    StartRecall,
)
from richiamo_queue.caller.decide import Events, decide
from tests.call_queue.log import (
    ANNA,
    BRUNO,
    history,
    minutes,
    recorded,
    standing_after,
)

HALF_AN_HOUR = timedelta(minutes=30)
ROSSI = CallerId("rossi")
SARA = Username("sara")


@dataclass(frozen=True)
class Given:
    past: list[Recorded]

    def when(self, command: Command) -> "Outcome":
        return Outcome(self.past, command)


@dataclass(frozen=True)
class Outcome:
    past: list[Recorded]
    command: Command

    @property
    def events(self) -> Events:
        return decide(self.command, standing_after(self.past))

    def then(self, *events: Event) -> None:
        assert self.events == list(events)
        after = [*self.past, *(recorded(len(self.past) + 1 + n, event, 10) for n, event in enumerate(self.events))]
        if events:
            # The same command again finds it already so.
            assert decide(self.command, standing_after(after)) == []

    def then_nothing(self) -> None:
        assert self.events == []

    def then_rejects(self, kind: type[Rejected]) -> Rejected:
        with pytest.raises(kind) as caught:
            decide(self.command, standing_after(self.past))
        assert str(caught.value)
        return caught.value


def given(*events: Event | tuple[float, Event]) -> Given:
    return Given(history(*events))


def reserve(by: Username = ANNA, at: float = 10, *, supervises: bool = False) -> Reserve:
    return Reserve(
        operator=by,
        reservation=ReservationId("new"),
        at=minutes(at),
        lease=HALF_AN_HOUR,
        may_see_hidden=supervises,
    )


def assign(to: Username = BRUNO, at: float = 10, lease: timedelta | None = None) -> Assign:
    return Assign(operator=to, by=SARA, reservation=ReservationId("new"), at=minutes(at), lease=lease)


def start(by: Username = ANNA, at: float = 10, dial: str = "d2") -> StartRecall:
    return StartRecall(operator=by, extension="201", dial=DialId(dial), at=minutes(at))


def release(by: Username = ANNA, *, supervises: bool = False) -> Release:
    return Release(operator=by, at=minutes(10), supervises=supervises)


def hand_back(by: Username = ANNA) -> HandBack:
    return HandBack(operator=by, at=minutes(10), why=ReleaseReason.LOGOUT)


def released(by: str, why: ReleaseReason, operator: Username = ANNA) -> ReservationReleased:
    return ReservationReleased(caller=ROSSI, reservation=ReservationId("r1"), operator=operator, by=by, why=why)


def expire(at: float, active_at: float | None = None, reservation: str = "r1") -> ExpireReservation:
    return ExpireReservation(
        reservation=ReservationId(reservation),
        at=minutes(at),
        active_at=None if active_at is None else minutes(active_at),
        lease=HALF_AN_HOUR,
    )


def failed(outcome: RecallOutcome, at: datetime, since: datetime) -> RecallFailed:
    return RecallFailed(
        caller=ROSSI,
        call=None,
        received_at=at,
        started_at=since,
        extension="201",
        operator=ANNA,
        dial=DialId("d1"),
        ended_at=at,
        outcome=outcome,
    )
