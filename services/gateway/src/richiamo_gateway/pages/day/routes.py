"""How is a day going? Its figures and what it leaves to handle, as `reports.md` defines them."""

from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.rendering import render

router = APIRouter()

Figures = dict[str, tuple[str, str]]

TODAY: Figures = {
    "total_calls": (
        N_("Total calls"),
        N_("Missed calls of the day, withheld ones included; answered calls are not in it."),
    ),
    "total_callers": (N_("Total callers"), N_("Distinct callers of the missed calls, withheld ones left out.")),
    "handled_callers": (N_("Handled callers"), N_("Of the callers, those with no request open.")),
    "not_handled_callers": (N_("Callers not handled"), N_("Total callers less the handled ones.")),
    "total_requests": (N_("Total requests"), N_("Requests opened on the day.")),
    "requests_recalled": (
        N_("Requests recalled + backlog"),
        N_("Requests, opened on the day or before, closed on the day by a successful recall."),
    ),
    "mean_bill_seconds": (
        N_("Mean bill seconds"),
        N_("Mean talk time of the recalls answered on the day that closed at least one request, each recall once."),
    ),
    "mean_seconds_to_recall": (
        N_("Mean time to recall"),
        N_(
            "Mean time from the first missed call to the answer of the successful recall, of the requests recalled on the day."
        ),
    ),
    "requests_to_handle": (N_("Requests to handle"), N_("Requests opened on the day and still open.")),
    "requests_to_handle_pct": (N_("%% requests to handle"), N_("Requests to handle as a share of the total requests.")),
    "unreserved_to_handle": (
        N_("Unreserved to handle"),
        N_("Requests to handle whose caller has no reservation."),
    ),
    "unreserved_to_handle_pct": (
        N_("%% unreserved"),
        N_("Unreserved requests to handle as a share of the total requests."),
    ),
    "callers_not_contacted": (
        N_("Callers not contacted"),
        N_(
            "Of the callers, those with a request open, none of whose open requests has had a recall tried, on whatever day."
        ),
    ),
}
BACKLOG: Figures = {
    "calls": (
        N_("Calls"),
        N_("All missed calls of the requests of the backlog still open, those of the day included."),
    ),
    "requests": (N_("Requests"), N_("Requests opened before the day and still open.")),
    "callers": (N_("Callers"), N_("Callers of the requests of the backlog still open.")),
    "recalled_today": (N_("Recalled on the day"), N_("Requests opened before the day and recalled on it.")),
    "unreserved": (N_("Unreserved"), N_("Requests of the backlog still open whose caller has no reservation.")),
    "unreserved_pct": (
        N_("%% unreserved of the backlog"),
        N_("Unreserved requests as a share of the backlog still open."),
    ),
}


@router.get("/report")
async def page(request: Request, gateway: GatewayOf, user: Supervisor) -> Response:
    """Two sections of figures of one site day; what cannot be read as a day is today."""
    today = gateway.clock.now().astimezone(gateway.site.settings.zone).date()
    day = _day(request.query_params.get("day"), today)
    report = await gateway.ask("richiamo.reporting.day", user, timeout=15.0, day=day.isoformat())
    return render(
        request,
        user,
        "day/page.html",
        day=day,
        today=today,
        sections=[("today", TODAY, report["today"]), ("backlog", BACKLOG, report["backlog"])],
    )


def _day(text: str | None, today: date) -> date:
    try:
        return date.fromisoformat(text) if text else today
    except ValueError:
        return today
