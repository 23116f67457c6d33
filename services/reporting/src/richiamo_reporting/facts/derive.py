"""Which rows follow from what is known about one caller? A pure function of the fold's state."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal

from richiamo_events.caller import Caller
from richiamo_events.requests import Attempt, MissedCall, Request, ServedCall
from richiamo_reporting.facts.tables import (
    HIDING,
    MISSED_CALL,
    RECALL,
    REQUEST,
    RESERVATION,
    SERVED_CALL,
    WITHHELD,
    Table,
)

RowKey = tuple[Table, str, str]
"""Table, caller, and the first column as text."""
Values = tuple[object, ...]
"""The columns of `Table.columns`, in order."""
Rows = Mapping[RowKey, Values]


def rows(caller: Caller) -> Rows:
    """The rows of a caller who showed a number, by key."""
    return _rows(caller, frozenset())


def step(before: Caller, after: Caller) -> tuple[Rows, Rows]:
    """The rows of both, without those of what the two share: these cannot differ.

    The fold keeps what an event does not change as the same object, so that the rows of years are not made again for
    each call.
    """
    shared = _parts(before) & _parts(after)
    return _rows(before, shared), _rows(after, shared)


def _parts(caller: Caller) -> set[int]:
    several = (caller.requests, caller.missed_calls, caller.served_calls, caller.attempts)
    return {id(part) for parts in several for part in parts} | {id(caller.reservation), id(caller.hidden)}


def _rows(caller: Caller, shared: AbstractSet[int]) -> Rows:
    found: dict[RowKey, Values] = {}
    homes: dict[str, str] = {}
    for request in caller.requests:
        if id(request) not in shared:
            found[REQUEST, caller.id, request.id] = _request(request)
            homes.update((str(call.call), request.id) for call in request.calls)
    for missed in caller.missed_calls:
        if id(missed) not in shared:
            found[MISSED_CALL, caller.id, str(missed.call)] = _missed(missed, homes.get(str(missed.call)))
    for served in caller.served_calls:
        if id(served) not in shared:
            found[SERVED_CALL, caller.id, str(served.call)] = _served(served)
    for attempt in caller.attempts:
        if id(attempt) not in shared and (attempt.tried or attempt.closed):
            found[RECALL, caller.id, str(attempt.call)] = _recall(attempt)
    held = caller.reservation
    if held is not None and id(held) not in shared:
        found[RESERVATION, caller.id, held.id] = (
            held.id,
            held.operator,
            held.since,
            held.expires_at,
            held.assigned_by,
        )
    hidden = caller.hidden
    if hidden is not None and id(hidden) not in shared:
        found[HIDING, caller.id, hidden.since.isoformat()] = (hidden.since, hidden.until, hidden.reason)
    return found


def rows_of_withheld(call: Caller) -> Rows:
    """The rows of one call without a number, folded on its own: it counts as a call, never as a caller."""
    found: dict[RowKey, Values] = {}
    for missed in call.missed_calls:
        found[MISSED_CALL, WITHHELD, str(missed.call)] = _missed(missed, None)
    for served in call.served_calls:
        found[SERVED_CALL, WITHHELD, str(served.call)] = _served(served)
    return found


def exact(seconds: float) -> Decimal:
    """Seconds as they are written (5.001, not 5.00099...), so that sums are exact."""
    return Decimal(repr(float(seconds)))


def _request(request: Request) -> Values:
    return (
        request.id,
        request.queue,
        request.type,
        request.called,
        request.source,
        request.account_code,
        request.opened_at,
        request.last_call,
        [call.at for call in request.calls],
        list(request.tried_at),
        request.closed_at,
        request.closed_by,
        None if request.closing_call is None else str(request.closing_call),
        None if request.talk_seconds is None else exact(request.talk_seconds),
    )


def _missed(call: MissedCall, request: str | None) -> Values:
    return (
        str(call.call),
        request,
        call.queue,
        call.type,
        call.called,
        call.source,
        call.account_code,
        call.at,
        None if call.waiting_seconds is None else exact(call.waiting_seconds),
    )


def _served(call: ServedCall) -> Values:
    return (
        str(call.call),
        call.queue,
        call.at,
        call.answered_at,
        exact(call.talk_seconds),
        call.operator,
        call.extension,
    )


def _recall(attempt: Attempt) -> Values:
    return (
        str(attempt.call),
        attempt.started_at,
        attempt.answered_at,
        attempt.ended_at,
        exact(attempt.talk_seconds),
        "reached" if attempt.outcome is None else str(attempt.outcome),
        attempt.operator,
        attempt.extension,
        list(attempt.tried),
        list(attempt.closed),
    )
