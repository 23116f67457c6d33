"""How did it go? The reports, each also as a workbook, and the requests behind every figure."""

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import PROBLEMS, CodeCaller, Dashboard, DayReport, FigurePage, Historical
from richiamo_gateway.api.parameters import AsOf, Day, Days, GatewayOf, MinPosition, days, today
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORKBOOK_SECONDS = 60.0
_REPORT_SECONDS = 15.0

Report = Literal["dashboard", "day", "code-caller", "historical"]
Type = Annotated[list[str] | None, Query(alias="type", description="Only requests of these types; repeatable")]
Queue = Annotated[list[str] | None, Query(description="Only these queues; repeatable")]
Count = Annotated[int | None, Query(ge=0)]

router = APIRouter(prefix="/reports", tags=["reports"], responses=PROBLEMS)
_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: {}}, "description": "An Excel workbook"}}


async def _ask(gateway: Gateway, user: User, question: str, /, **parameters: Any) -> JSONResponse:
    answer = await gateway.ask(f"richiamo.reporting.{question}", user, timeout=_REPORT_SECONDS, **parameters)
    return JSONResponse(answer)


async def _workbook(gateway: Gateway, user: User, report: str, **parameters: Any) -> Response:
    answer = await gateway.ask(
        "richiamo.reporting.workbook", user, report=report, timeout=_WORKBOOK_SECONDS, **parameters
    )
    name = str(answer["name"]).replace('"', "").encode("ascii", "replace").decode()
    return Response(
        base64.b64decode(str(answer["content"])),
        media_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@router.get("/dashboard", response_model=Dashboard)
async def dashboard(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    days: Days,
    kind: Type = None,
    queue: Queue = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> JSONResponse:
    """Requests by outcome: of the period, of each day, and of each day's backlog."""
    return await _ask(
        gateway, user, "dashboard", **days, type=kind, queue=queue, as_of=as_of, min_position=min_position
    )


@router.get("/dashboard.xlsx", response_class=Response, responses=_WORKBOOK)
async def dashboard_workbook(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    days: Days,
    kind: Type = None,
    queue: Queue = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> Response:
    """The dashboard as a workbook."""
    return await _workbook(
        gateway, user, "dashboard", **days, type=kind, queue=queue, as_of=as_of, min_position=min_position
    )


@router.get("/day", response_model=DayReport)
async def day_report(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    day: Annotated[Day | None, Query(description="A site day; today when left out")] = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> JSONResponse:
    """The figures of one day, and what it has left to handle."""
    return await _ask(gateway, user, "day", day=day or today(gateway), as_of=as_of, min_position=min_position)


@router.get("/day.xlsx", response_class=Response, responses=_WORKBOOK)
async def day_workbook(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    day: Annotated[Day | None, Query(description="One site day ...")] = None,
    start: Annotated[Day | None, Query(alias="from", description="... or a range, a row a day")] = None,
    end: Annotated[Day | None, Query(alias="to")] = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> Response:
    """The report of a day, or of each day of a range, as a workbook."""
    one = day or today(gateway)
    span = days(gateway, start, end) if start or end else {"day": one, "from": one, "to": one}
    return await _workbook(gateway, user, "day", **span, as_of=as_of, min_position=min_position)


@router.get("/code-caller", response_model=CodeCaller)
async def code_caller(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    days: Days,
    queue: Queue = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> JSONResponse:
    """Calls and numbers of each queue and day."""
    return await _ask(gateway, user, "code_caller", **days, queue=queue, as_of=as_of, min_position=min_position)


@router.get("/code-caller.xlsx", response_class=Response, responses=_WORKBOOK)
async def code_caller_workbook(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    days: Days,
    queue: Queue = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> Response:
    """The report Code Caller as a workbook."""
    return await _workbook(gateway, user, "code-caller", **days, queue=queue, as_of=as_of, min_position=min_position)


@router.get("/historical", response_model=Historical)
async def historical(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    days: Days,
    min_callers: Count = None,
    max_callers: Count = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> JSONResponse:
    """Callers and missed calls of each day, and how many callers are still waiting."""
    return await _ask(
        gateway,
        user,
        "historical",
        **days,
        min_callers=min_callers,
        max_callers=max_callers,
        as_of=as_of,
        min_position=min_position,
    )


@router.get("/historical.xlsx", response_class=Response, responses=_WORKBOOK)
async def historical_workbook(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    days: Days,
    min_callers: Count = None,
    max_callers: Count = None,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> Response:
    """The report Storico as a workbook."""
    return await _workbook(
        gateway,
        user,
        "historical",
        **days,
        min_callers=min_callers,
        max_callers=max_callers,
        as_of=as_of,
        min_position=min_position,
    )


@router.get("/{report}/requests", response_model=FigurePage)
async def requests_behind(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    report: Report,
    figure: Annotated[str, Query(max_length=100, description="The name of the figure in the report")],
    day: Day | None = None,
    start: Annotated[Day | None, Query(alias="from")] = None,
    end: Annotated[Day | None, Query(alias="to")] = None,
    kind: Type = None,
    queue: Queue = None,
    as_of: AsOf = None,
    limit: Annotated[int | None, Query(ge=1, le=1000)] = None,
    after: Annotated[str | None, Query(max_length=2000)] = None,
    min_position: MinPosition = None,
) -> JSONResponse:
    """The requests behind a figure: as many as it says."""
    if day is not None and (start is not None or end is not None):
        raise problem.invalid("Choose one.", {"day": "Give a day, or `from` and `to`, not both."})
    span = days(gateway, start, end) if start or end else {"day": day or today(gateway)}
    return await _ask(
        gateway,
        user,
        "requests",
        report=report,
        figure=figure,
        **span,
        type=kind,
        queue=queue,
        as_of=as_of,
        limit=limit,
        after=after,
        min_position=min_position,
    )
