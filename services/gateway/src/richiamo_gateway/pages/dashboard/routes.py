"""What became of the requests of these days? Totals, days and backlog, as `reports.md` defines them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.missed_calls.routes import known_queues
from richiamo_gateway.pages.periods import read_period
from richiamo_gateway.pages.rendering import formats_for, language_for, render

router = APIRouter()

OUTCOMES = ("served", "recalled", "flushed", "unanswered", "unhandled")
ON_BACKLOG = OUTCOMES[:-1]
_MEANINGS = [(name, "") for name in ("total", *OUTCOMES)]
_BIG_REPORT_SECONDS = 30.0


@router.get("/dashboard")
async def page(
    request: Request, gateway: GatewayOf, user: Supervisor, min_position: Annotated[int | None, Header(ge=0)] = None
) -> Response:
    """Six tiles, columns a day, and the two tables a day."""
    today = gateway.clock.now().astimezone(gateway.site.settings.zone).date()
    period = read_period("/dashboard", request.query_params, today)
    subject, within = "richiamo.reporting.dashboard", _BIG_REPORT_SECONDS
    report, before = await asyncio.gather(
        gateway.ask(subject, user, timeout=within, **period.question, min_position=min_position, as_of=as_of(request)),
        gateway.ask(subject, user, timeout=within, **period.before.question, as_of=as_of(request)),
    )
    return render(
        request,
        user,
        "dashboard/page.html",
        period=period,
        chips=period.chips(formats_for(request, language_for(request, user))),
        today=today,
        live=period.end >= today,
        totals=report["totals"],
        before=before["totals"],
        days=report["days"],
        backlog=report["backlog"],
        most=max((day["total"] for day in report["days"]), default=0),
        outcomes=OUTCOMES,
        on_backlog=ON_BACKLOG,
        meanings=_MEANINGS,
        restated=report["restated"],
        queues=known_queues(gateway, user, [{"queue": name} for name in period.values("queue")]),
    )
