"""Which customers need no recall? The table with check boxes; closing and undoing go through the JSON API."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.caller_list.listing import listing
from richiamo_gateway.pages.rendering import render

router = APIRouter()


@router.get("/flush")
async def page(
    request: Request, user: Supervisor, min_position: Annotated[int | None, Header(ge=0)] = None
) -> Response:
    """One row a customer still in hand, to be selected one by one, by page, or all that match."""
    return render(request, user, "flush/page.html", **await listing(request, user, min_position))
