"""Which customers and pages match a few letters or digits? A page of its own, and the dialog that `/` opens."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser
from richiamo_gateway.auth.user import Role, User
from richiamo_gateway.context import Gateway
from richiamo_gateway.pages.missed_calls.routes import by_caller
from richiamo_gateway.pages.navigation import places_for
from richiamo_gateway.pages.rendering import language_for, render
from richiamo_gateway.plain_text import is_plain

router = APIRouter()

Items = Sequence[Mapping[str, Any]]

_LISTED = 10
_DIGITS = 3
"""Fewer digits are in nearly every number."""


@router.get("/search")
async def page(
    request: Request, gateway: GatewayOf, user: CurrentUser, q: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Customers whose number holds the digits, those in hand and those closed, as far as one may see them, and pages by a part of their name."""
    wanted = q.strip() if is_plain(q) else ""
    language = language_for(request, user)
    places = [place for place in places_for(user) if wanted and wanted.casefold() in language(place.title).casefold()]
    found: Items = []
    closed: Items = []
    if _digits(wanted) >= _DIGITS:
        found, closed = await asyncio.gather(_customers(gateway, user, wanted), _closed(gateway, user, wanted))
    return render(request, user, "search/page.html", q=wanted, found=found, closed=closed, named=places, digits=_DIGITS)


def _digits(text: str) -> int:
    return sum(one.isascii() and one.isdigit() for one in text)


async def _closed(gateway: Gateway, user: User, wanted: str) -> Items:
    found = await gateway.ask("richiamo.queue.closed", user, caller=wanted, limit=_LISTED)
    items: Items = found["items"]
    return items


async def _customers(gateway: Gateway, user: User, wanted: str) -> Items:
    """The queue service matches what this user may see of a number: hidden digits are not searched."""
    if user.may(Role.SUPERVISOR):
        found = await gateway.ask("richiamo.queue.callers", user, view="open", caller=wanted, limit=_LISTED)
        items: Items = found["items"]
        return items
    views = ("calling", "mine", "recall")
    answers = await asyncio.gather(
        *(gateway.ask("richiamo.queue.requests", user, view=view, caller=wanted, limit=_LISTED) for view in views)
    )
    return by_caller([item for answer in answers for item in answer["items"]])[:_LISTED]
