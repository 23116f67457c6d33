"""With what is the log filled before it is measured? Callers who were called back long ago, and callers who still wait.

The events are such as the services would have written, and are appended in large batches.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import TypeVar

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, CallId, DialId, ReservationId, Username
from richiamo_events.language import (
    CallMissed,
    CallReserved,
    CallServed,
    Event,
    Rank,
    RecallFailed,
    RecallOutcome,
    RecallStarted,
    RecallSucceeded,
)
from richiamo_ops.site import Site

EVENTS_A_CALLER = 10
QUEUES = ("Vendite", "Assistenza", "Amministrazione", "Magazzino")
_AT_ONCE = 1000
_RESOLVED_AT_ONCE = 1000
_numbers = count(10_000_000)
T = TypeVar("T")


def _in_parts(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def number() -> str:
    """A number that nobody had before."""
    return f"+3905{next(_numbers)}"


async def fill(site: Site, *, past: int, waiting: int, told: Callable[[int], None]) -> list[CallerId]:
    """Append some `past` events of callers long served, and `waiting` open requests; answers who waits.

    `told` hears how many events there are so far.
    """
    served = await _callers(site, past // EVENTS_A_CALLER)
    waits = await _callers(site, waiting)
    now = datetime.now(UTC).replace(microsecond=0)
    done = 0
    for some in _in_parts(_all(served, waits, now), _AT_ONCE):
        await site.store.append(some)
        done += len(some)
        told(done)
    return waits


async def _callers(site: Site, many: int) -> list[CallerId]:
    found: list[CallerId] = []
    for some in _in_parts((number() for _ in range(many)), _RESOLVED_AT_ONCE):
        found += await asyncio.gather(*(site.directory.resolve(one) for one in some))
    return found


def _all(served: Sequence[CallerId], waits: Sequence[CallerId], now: datetime) -> Iterator[NewEvent]:
    for index, caller in enumerate(served):
        at = now - timedelta(days=3 + index % 300, minutes=index % 600)
        for event in past_of(caller, index, at):
            yield _event(caller, event, at)
    for index, caller in enumerate(waits):
        at = now - timedelta(minutes=1 + index % 1400)
        yield _event(caller, _missed(caller, _call(), at, index), at)


def past_of(caller: CallerId, index: int, at: datetime) -> list[Event]:
    """Lost twice, called back in vain and then reached; a day later lost again and answered: ten events."""
    operator = Username(f"op{index % 40}")
    extension = f"{200 + index % 40}"
    reservation = ReservationId(f"r-{caller}")
    next_day = at + timedelta(days=1)

    def dial(name: str) -> RecallStarted:
        return RecallStarted(
            caller=caller,
            operator=operator,
            extension=extension,
            reservation=reservation,
            dial=DialId(f"{name}-{caller}"),
        )

    in_vain, reached = at + timedelta(minutes=20), at + timedelta(minutes=40)
    return [
        _missed(caller, _call(), at, index),
        _missed(caller, _call(), at + timedelta(minutes=5), index),
        CallReserved(caller=caller, operator=operator, reservation=reservation, expires_at=at + timedelta(minutes=60)),
        dial("a"),
        RecallFailed(
            caller=caller,
            call=_call(),
            received_at=in_vain,
            started_at=in_vain,
            extension=extension,
            operator=operator,
            ended_at=in_vain + timedelta(seconds=20),
            outcome=RecallOutcome.NO_ANSWER,
        ),
        dial("b"),
        RecallSucceeded(
            caller=caller,
            call=_call(),
            rank=Rank.LEGS,
            received_at=reached,
            started_at=reached,
            extension=extension,
            operator=operator,
            answered_at=reached + timedelta(seconds=8),
            ended_at=reached + timedelta(seconds=100),
            talk_seconds=92,
        ),
        _missed(caller, _call(), next_day, index + 1),
        _missed(caller, _call(), next_day + timedelta(minutes=1), index + 1),
        CallServed(
            caller=caller,
            call=_call(),
            rank=Rank.LEGS,
            received_at=next_day + timedelta(minutes=9),
            started_at=next_day + timedelta(minutes=9),
            queue=QUEUES[(index + 1) % 4],
            extension=extension,
            operator=operator,
            answered_at=next_day + timedelta(minutes=9),
            talk_seconds=60,
        ),
    ]


def _missed(caller: CallerId, call: CallId, at: datetime, index: int) -> CallMissed:
    return CallMissed(
        caller=caller,
        call=call,
        rank=Rank.LEGS,
        received_at=at,
        started_at=at,
        called=f"050987{index % 100:04d}",
        queue=QUEUES[index % 4],
        type="queue" if index % 3 else "ivr",
        source=f"line-{index % 8}",
        account_code=f"{index % 20}",
    )


def _call() -> CallId:
    return CallId("bench", f"bench-{next(_numbers)}")


def _event(caller: CallerId, data: Event, at: datetime) -> NewEvent:
    return NewEvent(
        id=f"bench-{next(_numbers)}",
        subject=subjects.caller(caller),
        data=data,
        occurred_at=at,
        actor="bench",
        correlation_id="",
    )
