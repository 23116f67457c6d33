"""How does one get a workbook that takes its time? As a job: begin it, ask how far it is, fetch it, within an hour."""

import base64
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, StreamingResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import PROBLEMS, Shape
from richiamo_gateway.api.parameters import GatewayOf, at_once
from richiamo_gateway.api.reports import XLSX, Report
from richiamo_gateway.auth.access import Supervisor
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway
from richiamo_kit.errors import Unavailable

router = APIRouter(prefix="/workbooks", tags=["reports"], responses=PROBLEMS)

_SECONDS = 15.0


class NewWorkbook(BaseModel):
    """A report over a range of days, or with `figure` all requests behind it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    report: Report
    figure: Annotated[str | None, Field(max_length=100)] = None
    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None
    queue: list[Annotated[str, Field(max_length=100)]] = []
    type: list[Annotated[str, Field(max_length=100)]] = []
    min_callers: Annotated[int | None, Field(ge=0)] = None
    max_callers: Annotated[int | None, Field(ge=0)] = None
    as_of: AwareDatetime | None = None


class WorkbookJob(Shape):
    """How a workbook stands."""

    workbook_id: str
    state: Literal["waiting", "making", "ready", "failed"]
    report: Report
    figure: str | None
    rows: int | None = Field(description="How many there will be; null until that is known")
    done: int = Field(description="Rows written so far")
    name: str | None
    size: int | None = Field(description="Bytes, once it is ready")
    problem: str | None = Field(description="Why it failed")
    expires_at: AwareDatetime


async def begin(gateway: Gateway, user: User, wanted: NewWorkbook) -> dict[str, Any]:
    """Begin a workbook in the name of `user`; how it stands."""
    asked = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
    return await gateway.ask("richiamo.reporting.begin_workbook", user, timeout=_SECONDS, **asked)


async def ask_of(gateway: Gateway, user: User, workbook_id: str, what: str, **more: Any) -> dict[str, Any]:
    """Ask the instance that makes the workbook; when it has gone, so has the workbook (404)."""
    subject = f"richiamo.reporting.workbooks.{workbook_id.partition('-')[0]}.{what}"
    try:
        return await gateway.ask(subject, user, workbook_id=workbook_id, **more)
    except Unavailable as error:
        raise problem.not_found("The workbook is not there any more: make it again.") from error


def _id(workbook_id: Annotated[str, Path(pattern=r"^[0-9a-f]{8}-[0-9a-f]{32}$")]) -> str:
    return workbook_id


WorkbookId = Annotated[str, Depends(at_once(_id))]


@router.post("", status_code=202, response_model=WorkbookJob)
async def begin_workbook(gateway: GatewayOf, user: Supervisor, wanted: NewWorkbook) -> JSONResponse:
    """Begins a workbook. One user has at most five at a time (429)."""
    job = await begin(gateway, user, wanted)
    return JSONResponse(job, 202, headers={"Location": f"/api/v1/workbooks/{job['workbook_id']}"})


@router.get("/{workbook_id}", response_model=WorkbookJob)
async def workbook(gateway: GatewayOf, user: Supervisor, workbook_id: WorkbookId) -> JSONResponse:
    """How one's own workbook stands."""
    job = await ask_of(gateway, user, workbook_id, "state")
    return JSONResponse(job, headers={"Cache-Control": "no-store"})


@router.get(
    "/{workbook_id}/content",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "An Excel workbook"}},
)
async def workbook_content(gateway: GatewayOf, user: Supervisor, workbook_id: WorkbookId) -> Response:
    """The file, once it is ready (409 before); 403 for who may see less by now than when it was begun."""
    first = await ask_of(gateway, user, workbook_id, "part")

    async def content() -> AsyncIterator[bytes]:
        part = first
        while True:
            yield base64.b64decode(part["content"])
            if part["next"] is None:
                return
            part = await ask_of(gateway, user, workbook_id, "part", offset=part["next"])

    return StreamingResponse(
        content(),
        media_type=XLSX,
        headers={
            "Content-Disposition": f'attachment; filename="{first["name"]}"',
            "Content-Length": str(first["size"]),
            "Cache-Control": "no-store",
        },
    )


@router.delete("/{workbook_id}", status_code=204)
async def remove_workbook(gateway: GatewayOf, user: Supervisor, workbook_id: WorkbookId) -> Response:
    """Ends the work, if it still goes on, and removes the file."""
    await ask_of(gateway, user, workbook_id, "remove")
    return Response(status_code=204)
