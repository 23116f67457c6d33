"""How is a day going? Its figures and what it leaves to handle, as `reports.md` defines them."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.periods import Period
from richiamo_gateway.pages.rendering import render

router = APIRouter()


@router.get("/report")
async def page(
    request: Request, gateway: GatewayOf, user: Supervisor, min_position: Annotated[int | None, Header(ge=0)] = None
) -> Response:
    """Two sections of figures of one site day; what cannot be read as a day is today."""
    today = gateway.clock.now().astimezone(gateway.site.settings.zone).date()
    day = _day(request.query_params.get("day"), today)
    report = await gateway.ask(
        "richiamo.reporting.day",
        user,
        timeout=15.0,
        day=day.isoformat(),
        min_position=min_position,
        as_of=as_of(request),
    )
    return render(
        request,
        user,
        "day/page.html",
        day=day,
        today=today,
        period=Period("/report", day, day),
        sections=[("today", report["today"]), ("backlog", report["backlog"])],
        restated=report["restated"],
        meanings=[(name, section) for section in ("today", "backlog") for name in report[section]],
    )


def _day(text: str | None, today: date) -> date:
    try:
        return date.fromisoformat(text) if text else today
    except ValueError:
        return today
