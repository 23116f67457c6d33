"""Who calls whom back? The table of customers in hand, with a chooser of operators in each row."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from richiamo_gateway.api.parameters import GatewayOf, IdempotencyKey
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.as_of import as_of
from richiamo_gateway.pages.assign.loads import choices
from richiamo_gateway.pages.caller_list.listing import listing
from richiamo_gateway.pages.rendering import render

router = APIRouter()

_BIG_COMMAND_SECONDS = 30.0


class Sharing(BaseModel):
    """Customers to share out among operators."""

    caller_ids: list[str] = Field(min_length=1, max_length=1000)
    operators: list[str] = Field(min_length=1, max_length=1000)


@router.get("/assign")
async def page(
    request: Request,
    gateway: GatewayOf,
    user: Supervisor,
    min_position: Annotated[int | None, Header(ge=0)] = None,
) -> Response:
    """One row a customer; the script assigns through the JSON API and reads the page again."""
    listed, operators = await asyncio.gather(
        listing(request, user, min_position), choices(gateway, user, min_position, as_of(request))
    )
    return render(request, user, "assign/page.html", operators=operators, **listed)


@router.post("/assign/shares")
async def share_out(
    gateway: GatewayOf, user: Supervisor, sharing: Sharing, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Shares customers out, each to whoever has the fewest: all of them or none."""
    return JSONResponse(
        await gateway.ask(
            "richiamo.queue.assign_many",
            user,
            caller_ids=sharing.caller_ids,
            operators=sharing.operators,
            key=idempotency_key,
            timeout=_BIG_COMMAND_SECONDS,
        )
    )
