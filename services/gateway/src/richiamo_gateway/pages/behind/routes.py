"""Which requests are behind this figure? The list to which every figure of a report leads; each row, to its customer."""

import asyncio
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from richiamo_events import figures
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.api.reports import Report
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.list_look.columns import REPORTS
from richiamo_gateway.pages.list_look.shown import look_shown
from richiamo_gateway.pages.periods import Period, read_period
from richiamo_gateway.pages.rendering import formats_for, language_for, render
from richiamo_kit import further_languages

router = APIRouter()

_ROWS = 100
_SECONDS = 30.0
_TITLES = {
    "dashboard": N_("Dashboard"),
    "day": N_("Report"),
    "code-caller": N_("Report Code Caller"),
    "historical": N_("Report Historical"),
}
OUTCOMES = ("served", "recalled", "flushed", "unanswered", "unhandled")


@router.get("/reports/{report}/requests")
async def page(
    *,
    request: Request,
    gateway: GatewayOf,
    user: Supervisor,
    report: Report,
    figure: Annotated[str, Query(max_length=100)],
    after: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    """At most 100 requests at a time, in the order of their opening."""
    today = gateway.clock.now().astimezone(gateway.site.settings.zone).date()
    path = REPORTS[report]
    day = _day(request.query_params.get("day"))
    period = read_period(path, request.query_params, today)
    if day is not None:
        period = Period(path, day, day, period.filters)
    answer, look = await asyncio.gather(
        gateway.ask(
            "richiamo.reporting.requests",
            user,
            timeout=_SECONDS,
            report=report,
            figure=figure,
            limit=_ROWS,
            after=after,
            **period.question,
            as_of=as_of(request),
        ),
        gateway.looks.of(user.username),
    )
    section = "backlog" if figure.startswith("backlog") else report
    name = figure.removeprefix("backlog_").removeprefix("backlog.")
    language = language_for(request, user)
    here = period.behind(report, figure, day.isoformat() if day else "")
    first = int(after) if after and after.isdigit() else 0
    return render(
        request,
        user,
        "behind/page.html",
        period=period,
        chips=period.chips(formats_for(request, language)),
        words=further_languages.figure(name, language.code, section) if figures.known(name, section) else None,
        figure=figure,
        title=_TITLES[report],
        look=look_shown(look, request.url.path, request.query_params),
        back=f"{path}?day={day.isoformat()}" if report == "day" and day else f"{path}?{period.query}",
        items=answer["items"],
        wanted=_wanted(report, figure, period, as_of(request)),
        total=answer["total"],
        shown_from=first + 1,
        shown_to=first + len(answer["items"]),
        next=f"{here}&{urlencode({'after': answer['next']})}" if answer["next"] else None,
        start=here if first else None,
        section=section,
    )


def _wanted(report: str, figure: str, period: Period, instant: str | None) -> list[tuple[str, str]]:
    """What the workbook of all these requests is asked for with."""
    days = [("from", period.start.isoformat()), ("to", period.end.isoformat())]
    filters = [pair for pair in period.filters if pair[0] in {"queue", "type"}]
    return [("report", report), ("figure", figure), *days, *filters, *([("as_of", instant)] if instant else [])]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
