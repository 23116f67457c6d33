"""How many customers were lost on each day, and how many wait yet? Report Storico, as `reports.md` defines it."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.periods import read_period
from richiamo_gateway.pages.rendering import formats_for, language_for, render

router = APIRouter()

FIGURES = ("callers", "recalled", "not_yet", "missed_calls")
_SPLIT = ("called_back", "served", "closed")
_MEANINGS = [(name, "historical") for name in (*FIGURES, *_SPLIT)]
_BIG_REPORT_SECONDS = 30.0


@router.get("/historical")
async def page(
    request: Request, gateway: GatewayOf, user: Supervisor, min_position: Annotated[int | None, Header(ge=0)] = None
) -> Response:
    """Two charts on one axis of days, and the table of both."""
    today = gateway.clock.now().astimezone(gateway.site.settings.zone).date()
    period = read_period("/historical", request.query_params, today, takes=("min_callers", "max_callers"))
    report = await gateway.ask(
        "richiamo.reporting.historical",
        user,
        timeout=_BIG_REPORT_SECONDS,
        **period.question,
        min_position=min_position,
        as_of=as_of(request),
    )
    days = report["days"]
    return render(
        request,
        user,
        "historical/page.html",
        period=period,
        chips=period.chips(formats_for(request, language_for(request, user))),
        today=today,
        live=period.end >= today,
        days=days,
        figures=FIGURES,
        split=("recalled", "not_yet"),
        meanings=_MEANINGS,
        restated=report["restated"],
        most=max((day["callers"] for day in days), default=0),
        calls=sum(day["missed_calls"] for day in days),
    )
