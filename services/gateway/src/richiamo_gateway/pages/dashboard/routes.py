"""What became of the requests of these days? Totals, days and backlog, as `reports.md` defines them."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.missed_calls.routes import known_queues
from richiamo_gateway.pages.periods import read_period
from richiamo_gateway.pages.rendering import render

router = APIRouter()

OUTCOMES = {
    "served": (N_("Served"), N_("Closed because the customer rang again and was answered.")),
    "recalled": (N_("Called back"), N_("Closed by a successful recall.")),
    "flushed": (N_("Flushed"), N_("Closed by a supervisor without a recall, or by age or erasure.")),
    "unanswered": (N_("Unanswered"), N_("Still open at the end of the period; at least one recall was tried.")),
    "unhandled": (N_("Unhandled"), N_("Still open at the end of the period; no recall was tried.")),
}
TOTAL = (N_("Total"), N_("Requests opened in the period."))
_BIG_REPORT_SECONDS = 30.0


@router.get("/dashboard")
async def page(request: Request, gateway: GatewayOf, user: Supervisor) -> Response:
    """Six tiles, columns a day, and the two tables a day."""
    today = gateway.clock.now().astimezone(gateway.site.settings.zone).date()
    period = read_period(request.query_params, today)
    report, before = await asyncio.gather(
        gateway.ask("richiamo.reporting.dashboard", user, timeout=_BIG_REPORT_SECONDS, **period.question),
        gateway.ask("richiamo.reporting.dashboard", user, timeout=_BIG_REPORT_SECONDS, **period.before.question),
    )
    return render(
        request,
        user,
        "dashboard/page.html",
        period=period,
        today=today,
        totals=report["totals"],
        before=before["totals"],
        days=report["days"],
        backlog=report["backlog"],
        most=max((day["total"] for day in report["days"]), default=0),
        outcomes=OUTCOMES,
        total=TOTAL,
        queues=known_queues(gateway, user, []),
    )
