"""Who did what, and when? The page of the audit trail: filters in the address, a hundred rows at a time."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from richiamo_gateway.api.audit import SECONDS
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.auth.user import Role
from richiamo_gateway.pages.audit.filters import PATH, read_filters
from richiamo_gateway.pages.audit.told import KINDS, line
from richiamo_gateway.pages.list_look.shown import look_shown
from richiamo_gateway.pages.rendering import formats_for, language_for, render

router = APIRouter()

_FOR_ADMINISTRATORS = {"operator_changed", "settings_changed"}


@router.get(PATH)
async def page(request: Request, gateway: GatewayOf, user: Supervisor) -> Response:
    """Decisions of people and timers, newest first; what cannot be read in the address is left out."""
    filters = read_filters(request.query_params)
    answer, look = await asyncio.gather(
        gateway.ask("richiamo.reporting.audit", user, timeout=SECONDS, **filters.question),
        gateway.looks.of(user.username),
    )
    language = language_for(request, user)
    return render(
        request,
        user,
        "audit/page.html",
        filters=filters,
        look=look_shown(look, PATH, request.query_params),
        lines=[line(item, language) for item in answer["items"]],
        total=answer["total"],
        people=[*answer["people"], "system"],
        kinds={name: text for name, text in KINDS.items() if user.may(Role.ADMIN) or name not in _FOR_ADMINISTRATORS},
        chips=filters.chips(formats_for(request, language)),
        next=filters.following(str(answer["next"])) if answer["next"] else None,
        workbook=f"/api/v1/audit.xlsx?{filters.query}" if filters.query else "/api/v1/audit.xlsx",
    )
