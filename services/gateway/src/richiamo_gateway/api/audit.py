"""Who did what, and when? The decisions of people and timers, for supervisors and administrators."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import PROBLEMS, AuditPage
from richiamo_gateway.api.parameters import AsOf, Day, GatewayOf, MinPosition, at_once
from richiamo_gateway.api.reports import XLSX, as_download
from richiamo_gateway.auth.access import Supervisor

router = APIRouter(tags=["audit"], responses=PROBLEMS)

SECONDS = 15.0
_WORKBOOK_SECONDS = 60.0

Kind = Literal[
    "call_reserved",
    "call_assigned",
    "reservation_released",
    "call_flushed",
    "flush_undone",
    "caller_shown",
    "recall_started",
    "recall_failed",
    "recall_disputed",
    "caller_erased",
    "note_written",
    "operator_changed",
    "settings_changed",
]


def audit_filters(
    *,
    who: Annotated[list[str] | None, Query(description="User names, or `system` for timers; repeatable")] = None,
    what: Annotated[list[Kind] | None, Query(description="Kinds of decisions; repeatable")] = None,
    start: Annotated[Day | None, Query(alias="from", description="First site day")] = None,
    end: Annotated[Day | None, Query(alias="to", description="Last site day, included")] = None,
    caller: Annotated[str | None, Query(max_length=64, description="A whole number, or a caller's id")] = None,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """The filters that were given."""
    if start and end and start > end:
        raise problem.invalid("The range is upside down.", {"from": "Must not be after `to`."})
    given = {"who": who, "what": what, "from": start or None, "to": end, "caller": caller, "as_of": as_of}
    return {name: value for name, value in given.items() if value}


AuditFilters = Annotated[dict[str, Any], Depends(at_once(audit_filters))]


@router.get("/audit", response_model=AuditPage)
async def audit(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    filters: AuditFilters,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[int | None, Query(ge=1, description="`next` of the page before")] = None,
    min_position: MinPosition = None,
) -> JSONResponse:
    """Every decision, newest first. Changes of users and settings are for administrators alone."""
    return JSONResponse(
        await gateway.ask(
            "richiamo.reporting.audit",
            user,
            timeout=SECONDS,
            limit=limit,
            after=after,
            min_position=min_position,
            **filters,
        )
    )


@router.get(
    "/audit.xlsx",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "An Excel workbook"}},
)
async def audit_workbook(
    *, gateway: GatewayOf, user: Supervisor, filters: AuditFilters, min_position: MinPosition = None
) -> Response:
    """The same as a workbook, all rows of it; 422 when they are more than 100,000."""
    answer = await gateway.ask(
        "richiamo.reporting.audit_workbook", user, timeout=_WORKBOOK_SECONDS, min_position=min_position, **filters
    )
    return as_download(answer)
