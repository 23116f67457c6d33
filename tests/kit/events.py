"""Events for the tests of the machinery: what they say does not matter here, only who and in which order."""

from datetime import UTC, datetime

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId
from richiamo_events.language import CallerShown

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def shown(caller: str, id: str, *, by: str = "anna") -> NewEvent:  # noqa: A002
    return NewEvent(
        id=id,
        subject=subjects.caller(CallerId(caller)),
        data=CallerShown(caller=CallerId(caller), by=by),
        occurred_at=NOON,
        actor="user:anna",
        correlation_id="test",
    )


def many(caller: str, count: int, start: int = 0) -> list[NewEvent]:
    return [shown(caller, f"{caller}-{number}") for number in range(start, start + count)]
