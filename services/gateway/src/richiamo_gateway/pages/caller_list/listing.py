"""What does a list of customers hold? One page of it, ready for the template."""

import asyncio
from typing import Any

from starlette.requests import Request

from richiamo_gateway.auth.user import User
from richiamo_gateway.context import gateway_of
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.caller_list.filters import COUNTS, DAYS, read_filters
from richiamo_gateway.pages.list_address import PAGE_ROWS
from richiamo_gateway.pages.list_look.shown import look_shown
from richiamo_gateway.pages.missed_calls.history import OUTCOMES
from richiamo_gateway.pages.rendering import formats_for, language_for


async def listing(request: Request, user: User, min_position: int | None) -> dict[str, Any]:
    """The values that `caller_list/list.html` shows, for the filters of this address."""
    filters = read_filters(request.url.path, request.query_params)
    gateway = gateway_of(request)
    found, look = await asyncio.gather(
        gateway.ask(
            "richiamo.queue.callers",
            user,
            view="open",
            **filters.question,
            as_of=as_of(request),
            min_position=min_position,
        ),
        gateway.looks.of(user.username),
    )
    # Only of an empty list it matters whether the PBX has ever reported a call.
    heard = bool(found["items"]) or (await gateway.ask("richiamo.queue.summary", user))["heard"]
    start = (filters.page - 1) * PAGE_ROWS
    return {
        "filters": filters,
        "look": look_shown(look, filters.path, request.query_params),
        "chips": filters.chips(formats_for(request, language_for(request, user))),
        "counts": COUNTS,
        "days": DAYS,
        "reasons": OUTCOMES,
        "heard": heard,
        "items": found["items"],
        "total": found["total"],
        "position": found["position"],
        "shown_from": start + 1,
        "shown_to": start + len(found["items"]),
        "next": filters.following(found["next"]) if found["next"] else None,
    }
