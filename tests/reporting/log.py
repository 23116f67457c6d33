"""How does a test write a log? A list of recorded events of plain facts, in order, each with its instants."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from richiamo_events import subjects
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, CallId, FlushId, ReservationId, Username
from richiamo_events.language import (
    CallFlushed,
    CallMissed,
    CallReserved,
    CallServed,
    CallVoided,
    Event,
    FlushUndone,
    OperatorChanged,
    Rank,
    RecallDisputed,
    RecallFailed,
    RecallOutcome,
    RecallSucceeded,
    ReleaseReason,
    ReservationReleased,
    SettingsChanged,
)


def instant(text: str) -> datetime:
    """`2026-03-28 22:59:59` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Log:
    """The events so far; `now` is when the next one is recorded."""

    now: datetime
    events: list[Recorded] = field(default_factory=list)

    def add(self, data: Event, *, event_id: str = "", occurred_at: datetime | None = None) -> Recorded:
        position = len(self.events) + 1
        recorded = Recorded(
            position=position,
            recorded_at=self.now,
            id=event_id or f"e{position}",
            subject=_subject(data),
            data=data,
            occurred_at=occurred_at or self.now,
            actor="test",
            correlation_id="",
            causation_id="",
        )
        self.events.append(recorded)
        return recorded

    def wait(self, **for_: float) -> None:
        self.now += timedelta(**for_)

    def missed(self, caller: str | None, call: str, at: datetime, queue: str = "Vendite", type_: str = "queue") -> None:
        self.add(
            CallMissed(
                caller=CallerId(caller) if caller else None,
                call=CallId("main", call),
                rank=Rank.LEGS,
                received_at=self.now,
                started_at=at,
                queue=queue,
                type=type_,
                called="0509876543",
            )
        )

    def served(self, caller: str | None, call: str, at: datetime, queue: str | None = "Vendite", wait: int = 4) -> None:
        self.add(
            CallServed(
                caller=CallerId(caller) if caller else None,
                call=CallId("main", call),
                rank=Rank.LEGS,
                received_at=self.now,
                started_at=at,
                queue=queue,
                answered_at=at + timedelta(seconds=wait),
                talk_seconds=42.0,
                extension="204",
            )
        )

    def recall(self, caller: str, call: str, at: datetime, talk: float, wait: int = 7) -> None:
        """An outbound call; with no talk at all nobody answered."""
        who, which = CallerId(caller), CallId("main", call)
        answered = at + timedelta(seconds=wait)
        ended = answered + timedelta(seconds=talk)
        if talk > 5:
            self.add(
                RecallSucceeded(
                    caller=who,
                    call=which,
                    rank=Rank.LEGS,
                    received_at=self.now,
                    started_at=at,
                    extension="204",
                    operator=Username("anna"),
                    answered_at=answered,
                    ended_at=ended,
                    talk_seconds=talk,
                )
            )
            return
        self.add(
            RecallFailed(
                caller=who,
                call=which,
                received_at=self.now,
                started_at=at,
                extension="204",
                operator=Username("anna"),
                answered_at=answered if talk else None,
                ended_at=ended,
                talk_seconds=talk,
                outcome=RecallOutcome.SHORT_TALK if talk else RecallOutcome.NO_ANSWER,
            )
        )

    def flush(self, caller: str, flush: str, calls: list[str], reason: str = "done") -> None:
        self.add(
            CallFlushed(
                caller=CallerId(caller),
                flush=FlushId(flush),
                by="user:eva",
                reason=reason,
                calls=tuple(CallId("main", call) for call in calls),
            )
        )

    def undo(self, caller: str, flush: str) -> None:
        self.add(FlushUndone(caller=CallerId(caller), flush=FlushId(flush), by="user:eva"))

    def void(self, caller: str | None, call: str) -> None:
        self.add(CallVoided(caller=CallerId(caller) if caller else None, call=CallId("main", call), why="test call"))

    def dispute(self, caller: str, call: str) -> None:
        self.add(RecallDisputed(caller=CallerId(caller), call=CallId("main", call), by=Username("anna")))

    def reserve(self, caller: str, reservation: str, operator: str = "anna") -> None:
        self.add(
            CallReserved(
                caller=CallerId(caller),
                operator=Username(operator),
                reservation=ReservationId(reservation),
                expires_at=self.now + timedelta(minutes=30),
            )
        )

    def release(self, caller: str, reservation: str, operator: str = "anna") -> None:
        self.add(
            ReservationReleased(
                caller=CallerId(caller),
                reservation=ReservationId(reservation),
                operator=Username(operator),
                by=operator,
                why=ReleaseReason.OPERATOR,
            )
        )

    def settings(self, **values: object) -> None:
        self.add(SettingsChanged(values=values))


def _subject(data: Event) -> str:
    match data:
        case SettingsChanged():
            return subjects.SETTINGS
        case OperatorChanged():
            return subjects.operator(data.username)
        case _:
            return subjects.WITHHELD if data.caller is None else subjects.caller(data.caller)
