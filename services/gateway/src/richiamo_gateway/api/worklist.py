"""Who has to be called back? The lists of requests and callers, and what one caller has been through."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import PROBLEMS, CallerPage, RequestPage, Summary, Timeline
from richiamo_gateway.api.parameters import AsOf, CallerIdOf, Day, Filters, GatewayOf, MinPosition
from richiamo_gateway.auth.access import CurrentUser, Supervisor
from richiamo_gateway.auth.user import Role

router = APIRouter(tags=["worklist"], responses=PROBLEMS)


@router.get("/requests", response_model=RequestPage)
async def list_requests(
    gateway: GatewayOf,
    user: CurrentUser,
    filters: Filters,
    view: Annotated[
        Literal["recall", "mine", "calling", "all"],
        Query(
            description="`recall`: open and free; `mine`: reserved by me; `calling`: reserved by me and being called;"
            " `all`: every open request (supervisors)"
        ),
    ] = "recall",
    min_position: MinPosition = None,
) -> JSONResponse:
    """Open requests, one item a request."""
    if view == "all" and not user.may(Role.SUPERVISOR):
        raise problem.forbidden("supervisor")
    return JSONResponse(
        await gateway.ask("richiamo.queue.requests", user, view=view, min_position=min_position, **filters)
    )


@router.get("/callers", response_model=CallerPage)
async def list_callers(
    gateway: GatewayOf,
    user: Supervisor,
    filters: Filters,
    view: Annotated[Literal["open"], Query(description="Callers with open requests")] = "open",
    min_position: MinPosition = None,
) -> JSONResponse:
    """Callers with open requests, one item a caller."""
    return JSONResponse(
        await gateway.ask("richiamo.queue.callers", user, view=view, min_position=min_position, **filters)
    )


@router.get("/callers/{caller_id}/timeline", response_model=Timeline)
async def caller_timeline(
    gateway: GatewayOf, user: CurrentUser, caller_id: CallerIdOf, as_of: AsOf = None, min_position: MinPosition = None
) -> JSONResponse:
    """Every call and every decision about this caller, in order."""
    answer: dict[str, Any] = await gateway.ask(
        "richiamo.queue.timeline", user, caller_id=caller_id, as_of=as_of, min_position=min_position
    )
    return JSONResponse(answer)


@router.get("/summary", response_model=Summary)
async def worklist_summary(
    gateway: GatewayOf, user: CurrentUser, day: Day | None = None, min_position: MinPosition = None
) -> JSONResponse:
    """How much there is to do, and how many calls of the day withheld their number."""
    return JSONResponse(await gateway.ask("richiamo.queue.summary", user, day=day, min_position=min_position))
