"""How did it go? The reports, each also as a workbook, and the requests behind every figure."""

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import PROBLEMS
from richiamo_gateway.api.parameters import AsOf, Day, Days, GatewayOf, MinPosition, at_once, days, today
from richiamo_gateway.api.report_models import CodeCaller, Dashboard, DayReport, FigurePage, Historical
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


def _moment(as_of: AsOf = None, min_position: MinPosition = None) -> dict[str, Any]:
    """As of when every report can be asked, and how new its data has to be."""
    return {"as_of": as_of, "min_position": min_position}


def _queues(queue: Queue = None) -> dict[str, Any]:
    return {"queue": queue}


def _queues_and_types(kind: Type = None, queue: Queue = None) -> dict[str, Any]:
    return {"type": kind, "queue": queue}


def _limits(min_callers: Count = None, max_callers: Count = None) -> dict[str, Any]:
    """Days are kept whose number of callers lies within."""
    return {"min_callers": min_callers, "max_callers": max_callers}


Moment = Annotated[dict[str, Any], Depends(at_once(_moment))]
Queues = Annotated[dict[str, Any], Depends(at_once(_queues))]
QueuesAndTypes = Annotated[dict[str, Any], Depends(at_once(_queues_and_types))]
Limits = Annotated[dict[str, Any], Depends(at_once(_limits))]

router = APIRouter(prefix="/reports", tags=["reports"], responses=PROBLEMS)
_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: {}}, "description": "An Excel workbook"}}


async def _ask(gateway: Gateway, user: User, question: str, /, **parameters: Any) -> JSONResponse:
    answer = await gateway.ask(f"richiamo.reporting.{question}", user, timeout=_REPORT_SECONDS, **parameters)
    return JSONResponse(answer)


async def _workbook(gateway: Gateway, user: User, report: str, **parameters: Any) -> Response:
    answer = await gateway.ask(
        "richiamo.reporting.workbook", user, report=report, timeout=_WORKBOOK_SECONDS, **parameters
    )
    return as_download(answer)


def as_download(answer: dict[str, Any]) -> Response:
    """A workbook that the reporting service made, as a file to keep."""
    name = str(answer["name"]).replace('"', "").encode("ascii", "replace").decode()
    return Response(
        base64.b64decode(str(answer["content"])),
        media_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@router.get("/dashboard", response_model=Dashboard)
async def dashboard(
    gateway: GatewayOf, user: Supervisor, days: Days, filters: QueuesAndTypes, moment: Moment
) -> JSONResponse:
    """Requests by outcome: of the period, of each day, and of each day's backlog."""
    return await _ask(gateway, user, "dashboard", **days, **filters, **moment)


@router.get("/dashboard.xlsx", response_class=Response, responses=_WORKBOOK)
async def dashboard_workbook(
    gateway: GatewayOf, user: Supervisor, days: Days, filters: QueuesAndTypes, moment: Moment
) -> Response:
    """The dashboard as a workbook."""
    return await _workbook(gateway, user, "dashboard", **days, **filters, **moment)


@router.get("/day", response_model=DayReport)
async def day_report(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    day: Annotated[Day | None, Query(description="A site day; today when left out")] = None,
    moment: Moment,
) -> JSONResponse:
    """The figures of one day, and what it has left to handle."""
    return await _ask(gateway, user, "day", day=day or today(gateway), **moment)


@router.get("/day.xlsx", response_class=Response, responses=_WORKBOOK)
async def day_workbook(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    day: Annotated[Day | None, Query(description="One site day ...")] = None,
    start: Annotated[Day | None, Query(alias="from", description="... or a range, a row a day")] = None,
    end: Annotated[Day | None, Query(alias="to")] = None,
    moment: Moment,
) -> Response:
    """The report of a day, or of each day of a range, as a workbook."""
    one = day or today(gateway)
    span = days(gateway, start, end) if start or end else {"day": one, "from": one, "to": one}
    return await _workbook(gateway, user, "day", **span, **moment)


@router.get("/code-caller", response_model=CodeCaller)
async def code_caller(
    gateway: GatewayOf, user: Supervisor, days: Days, filters: Queues, moment: Moment
) -> JSONResponse:
    """Calls and numbers of each queue and day."""
    return await _ask(gateway, user, "code_caller", **days, **filters, **moment)


@router.get("/code-caller.xlsx", response_class=Response, responses=_WORKBOOK)
async def code_caller_workbook(
    gateway: GatewayOf, user: Supervisor, days: Days, filters: Queues, moment: Moment
) -> Response:
    """The report Code Caller as a workbook."""
    return await _workbook(gateway, user, "code-caller", **days, **filters, **moment)


@router.get("/historical", response_model=Historical)
async def historical(gateway: GatewayOf, user: Supervisor, days: Days, limits: Limits, moment: Moment) -> JSONResponse:
    """Callers and missed calls of each day, and how many callers are still waiting."""
    return await _ask(gateway, user, "historical", **days, **limits, **moment)


@router.get("/historical.xlsx", response_class=Response, responses=_WORKBOOK)
async def historical_workbook(
    gateway: GatewayOf, user: Supervisor, days: Days, limits: Limits, moment: Moment
) -> Response:
    """The report Storico as a workbook."""
    return await _workbook(gateway, user, "historical", **days, **limits, **moment)


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
    filters: QueuesAndTypes,
    limit: Annotated[int | None, Query(ge=1, le=1000)] = None,
    after: Annotated[str | None, Query(max_length=2000)] = None,
    moment: Moment,
) -> JSONResponse:
    """The requests behind a figure: as many as it says."""
    if day is not None and (start is not None or end is not None):
        raise problem.invalid("Choose one.", {"day": "Give a day, or `from` and `to`, not both."})
    span = days(gateway, start, end) if start or end else {"day": day or today(gateway)}
    return await _ask(
        gateway, user, "requests", report=report, figure=figure, **span, limit=limit, after=after, **filters, **moment
    )
