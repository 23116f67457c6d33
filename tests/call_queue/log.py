"""What do the tests put into the log? Facts and decisions in few words, on an ordinary Monday."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from richiamo_events import subjects
from richiamo_events.caller import Caller, evolve, unknown
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId, CallId, DialId, FlushId, ReservationId, Username
from richiamo_events.language import (
    CallAssigned,
    CallFlushed,
    CallMissed,
    CallReserved,
    CallServed,
    Event,
    OperatorChanged,
    Rank,
    RecallFailed,
    RecallOutcome,
    RecallStarted,
    RecallSucceeded,
    SettingsChanged,
)
from richiamo_events.settings import Rules, SiteSettings

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""10:00 in Rome."""
ANNA, BRUNO = Username("anna"), Username("bruno")
SALES, HELP = "Vendite", "Assistenza"

_ids = count(1)


def minutes(number: float) -> datetime:
    """So many minutes after ten on Monday."""
    return MONDAY + timedelta(minutes=number)


def call_id(number: int) -> CallId:
    return CallId("main", f"call-{number}")


def missed(
    call: int,
    at: float = 0,
    *,
    caller: str | None = "rossi",
    queue: str = SALES,
    kind: str = "queue",
    called: str = "0509876543",
    source: str = "",
    account_code: str = "",
    rank: Rank = Rank.LEGS,
) -> CallMissed:
    return CallMissed(
        caller=None if caller is None else CallerId(caller),
        call=call_id(call),
        rank=rank,
        received_at=minutes(at),
        started_at=minutes(at),
        queue=queue,
        type=kind,
        called=called,
        source=source,
        account_code=account_code,
    )


def served(call: int, at: float, *, caller: str | None = "rossi", queue: str = SALES) -> CallServed:
    return CallServed(
        caller=None if caller is None else CallerId(caller),
        call=call_id(call),
        rank=Rank.LEGS,
        received_at=minutes(at),
        started_at=minutes(at),
        queue=queue,
        answered_at=minutes(at),
        talk_seconds=60,
    )


def no_answer(
    call: int, at: float, *, caller: str = "rossi", by: Username = ANNA, extension: str = "201"
) -> RecallFailed:
    return RecallFailed(
        caller=CallerId(caller),
        call=call_id(call),
        received_at=minutes(at),
        started_at=minutes(at),
        extension=extension,
        operator=by,
        ended_at=minutes(at),
        outcome=RecallOutcome.NO_ANSWER,
    )


def reached(
    call: int, at: float, *, caller: str = "rossi", by: Username = ANNA, extension: str = "201", talk: float = 60
) -> RecallSucceeded:
    return RecallSucceeded(
        caller=CallerId(caller),
        call=call_id(call),
        rank=Rank.LEGS,
        received_at=minutes(at),
        started_at=minutes(at),
        extension=extension,
        operator=by,
        answered_at=minutes(at),
        ended_at=minutes(at) + timedelta(seconds=talk),
        talk_seconds=talk,
    )


def reserved(by: Username = ANNA, *, caller: str = "rossi", until: float = 60, name: str = "r1") -> CallReserved:
    return CallReserved(
        caller=CallerId(caller), operator=by, reservation=ReservationId(name), expires_at=minutes(until)
    )


def assigned(
    to: Username = ANNA, *, caller: str = "rossi", until: float | None = None, name: str = "r1"
) -> CallAssigned:
    return CallAssigned(
        caller=CallerId(caller),
        operator=to,
        by=Username("sara"),
        previous=None,
        reservation=ReservationId(name),
        expires_at=None if until is None else minutes(until),
    )


def started(by: Username = ANNA, *, caller: str = "rossi", extension: str = "201", name: str = "d1") -> RecallStarted:
    return RecallStarted(
        caller=CallerId(caller), operator=by, extension=extension, reservation=ReservationId("r1"), dial=DialId(name)
    )


def flushed(*calls: int, caller: str = "rossi", name: str = "f1") -> CallFlushed:
    return CallFlushed(
        caller=CallerId(caller),
        flush=FlushId(name),
        by="sara",
        reason="",
        calls=tuple(call_id(number) for number in calls),
    )


def operator(
    username: str,
    *,
    role: str = "operator",
    extension: str = "",
    name: str = "",
    active: bool = True,
    queues: tuple[str, ...] = (),
) -> OperatorChanged:
    return OperatorChanged(
        username=Username(username),
        name=name or username.title(),
        role=role,
        extension=extension,
        active=active,
        queues=queues,
    )


def subject_of(data: Event) -> str:
    match data:
        case SettingsChanged():
            return subjects.SETTINGS
        case OperatorChanged():
            return subjects.operator(data.username)
        case _:
            return subjects.WITHHELD if data.caller is None else subjects.caller(data.caller)


def new(data: Event, at: float = 0, *, subject: str | None = None, correlation: str = "") -> NewEvent:
    """An event ready to be appended."""
    return NewEvent(
        id=f"event-{next(_ids)}",
        subject=subject or subject_of(data),
        data=data,
        occurred_at=minutes(at),
        actor="test",
        correlation_id=correlation,
    )


def recorded(position: int, data: Event, at: float = 0, *, subject: str | None = None) -> Recorded:
    """An event as the log would hold it, taken at `at` minutes."""
    event = new(data, at, subject=subject)
    return Recorded(
        position=position,
        recorded_at=minutes(at),
        id=event.id,
        subject=event.subject,
        data=data,
        occurred_at=event.occurred_at,
        actor="test",
        correlation_id=f"because-{position}",
        causation_id="",
    )


def history(*events: Event | tuple[float, Event], after: int = 0) -> list[Recorded]:
    """These events in the log one after another, at minute 0 unless said otherwise."""
    told = [event if isinstance(event, tuple) else (0.0, event) for event in events]
    return [recorded(after + number, data, at) for number, (at, data) in enumerate(told, start=1)]


def standing_after(events: Sequence[Recorded], caller: str = "rossi") -> Caller:
    """The caller's state after these events."""
    state = unknown(CallerId(caller))
    rules = Rules.initial(SiteSettings())
    for event in events:
        state = evolve(state, event, rules)
    return state
