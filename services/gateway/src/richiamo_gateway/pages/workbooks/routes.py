"""How far is the workbook, and where is it fetched? Begun by a button, followed on a page of its own."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import AwareDatetime
from starlette.responses import RedirectResponse, Response

from richiamo_gateway.api.parameters import Day, GatewayOf
from richiamo_gateway.api.reports import Report
from richiamo_gateway.api.workbooks import NewWorkbook, WorkbookId, ask_of, begin
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.pages.rendering import render

router = APIRouter(prefix="/workbooks")


@router.post("")
async def begun(
    *,
    gateway: GatewayOf,
    user: Supervisor,
    report: Annotated[Report, Form()],
    figure: Annotated[str, Form(max_length=100)],
    first: Annotated[Day, Form(alias="from")],
    last: Annotated[Day, Form(alias="to")],
    queue: Annotated[list[str] | None, Form()] = None,
    kind: Annotated[list[str] | None, Form(alias="type")] = None,
    as_of: Annotated[AwareDatetime | None, Form()] = None,
) -> Response:
    """Begins the workbook of all requests behind a figure and leads to its page."""
    wanted = {"report": report, "figure": figure, "from": first, "to": last, "queue": queue or [], "type": kind or []}
    job = await begin(gateway, user, NewWorkbook.model_validate({**wanted, "as_of": as_of}))
    return RedirectResponse(f"/workbooks/{job['workbook_id']}", 303)


@router.get("/{workbook_id}")
async def page(request: Request, gateway: GatewayOf, user: Supervisor, workbook_id: WorkbookId) -> Response:
    """How it stands; the script of the page asks on."""
    return render(request, user, "workbooks/page.html", job=await ask_of(gateway, user, workbook_id, "state"))
