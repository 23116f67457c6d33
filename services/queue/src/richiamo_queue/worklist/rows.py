"""Which rows does a caller's state put on the list? One a request that is open, pure."""

from datetime import datetime
from typing import NamedTuple

from richiamo_events.caller import Caller
from richiamo_events.language import Rank


class RequestRow(NamedTuple):
    """One open request with what holds for its caller; columns of the table `request`, in its order."""

    request_id: str
    caller_id: str
    queue: str
    type: str
    called: str
    source: str
    account_code: str
    calls: int
    recalled: int
    first_call: datetime
    last_call: datetime
    last_recall: datetime | None
    routing_only: bool
    """Only the routing reported the newest call: the customer may still be on the line."""
    reserved_by: str | None
    reserved_at: datetime | None
    expires_at: datetime | None
    assigned_by: str | None
    calling_by: str | None
    calling_since: datetime | None
    dial: str | None
    hidden_until: datetime | None
    hidden_reason: str | None


def rows_of(caller: Caller) -> tuple[RequestRow, ...]:
    """The rows of the caller's open requests, in the order of their opening."""
    held, recall, hidden = caller.reservation, caller.recall, caller.hidden
    return tuple(
        RequestRow(
            request_id=request.id,
            caller_id=caller.id,
            queue=request.queue,
            type=request.type,
            called=request.called,
            source=request.source,
            account_code=request.account_code,
            calls=len(request.calls),
            recalled=len(request.tried_at),
            first_call=request.opened_at,
            last_call=request.last_call,
            last_recall=request.last_recall,
            routing_only=request.calls[-1].rank is Rank.ROUTING,
            reserved_by=held.operator if held else None,
            reserved_at=held.since if held else None,
            expires_at=held.expires_at if held else None,
            assigned_by=held.assigned_by if held else None,
            calling_by=recall.operator if recall else None,
            calling_since=recall.since if recall else None,
            dial=recall.dial if recall else None,
            hidden_until=hidden.until if hidden else None,
            hidden_reason=hidden.reason if hidden else None,
        )
        for request in caller.open_requests
    )
