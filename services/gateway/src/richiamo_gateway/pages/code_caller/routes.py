"""How did each queue do, day by day: calls answered and missed, and the numbers behind them (`reports.md`)?"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.missed_calls.routes import known_queues
from richiamo_gateway.pages.periods import read_period
from richiamo_gateway.pages.rendering import formats_for, language_for, render

router = APIRouter()

CALLS = ("answered_calls", "missed_calls")
NUMBERS = (
    "numbers",
    "numbers_answered",
    "numbers_not_answered",
    "recalled_reached",
    "recalled_not_reached",
    "not_recalled",
)
_MEANINGS = [(name, "") for name in (*CALLS, *NUMBERS)]
_BIG_REPORT_SECONDS = 30.0


@router.get("/code-caller")
async def page(
    request: Request, gateway: GatewayOf, user: Supervisor, min_position: Annotated[int | None, Header(ge=0)] = None
) -> Response:
    """A ring and columns of answered and missed calls, and a table a queue."""
    today = gateway.clock.now().astimezone(gateway.site.settings.zone).date()
    period = read_period("/code-caller", request.query_params, today, takes=("queue",))
    report = await gateway.ask(
        "richiamo.reporting.code_caller",
        user,
        timeout=_BIG_REPORT_SECONDS,
        **period.question,
        min_position=min_position,
        as_of=as_of(request),
    )
    tables = [with_totals(queue) for queue in report["queues"]]
    return render(
        request,
        user,
        "code_caller/page.html",
        period=period,
        chips=period.chips(formats_for(request, language_for(request, user))),
        today=today,
        live=period.end >= today,
        tables=tables,
        days=per_day(report["queues"]),
        totals={name: sum(table["totals"][name] for table in tables) for name in CALLS},
        calls=CALLS,
        figures=(*CALLS, *NUMBERS),
        meanings=_MEANINGS,
        restated=report["restated"],
        queues=known_queues(gateway, user, report["queues"]),
    )


def with_totals(queue: dict[str, Any]) -> dict[str, Any]:
    """A queue with the sums of its days. A number that called on two days is counted on both: so its label says."""
    return {**queue, "totals": {name: sum(day[name] for day in queue["days"]) for name in (*CALLS, *NUMBERS)}}


def per_day(queues: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls of all queues together, day by day; numbers cannot be added up over queues."""
    return [
        {"day": days[0]["day"], **{name: sum(day[name] for day in days) for name in CALLS}}
        for days in zip(*(queue["days"] for queue in queues), strict=True)
    ]
