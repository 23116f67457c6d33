"""What can one do about a caller? The commands; the queue service decides, the gateway passes on."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.api.models import (
    PROBLEMS,
    Assignment,
    Dialled,
    Dispute,
    Flushed,
    NewFlush,
    NoteShown,
    NoteWriting,
    NoteWritten,
    Position,
    ProblemDetail,
)
from richiamo_gateway.api.parameters import CallerIdOf, FlushIdOf, GatewayOf, IdempotencyKey, MinPosition
from richiamo_gateway.auth.access import Admin, CurrentUser, Supervisor

_REFUSALS: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    404: {"model": ProblemDetail, "description": "No such caller"},
    409: {
        "model": ProblemDetail,
        "description": "Not possible now; `already-reserved` says by whom (`reserved_by`) and since when (`since`)",
    },
}
_BIG_COMMAND_SECONDS = 30.0
"""A flush of 20,000 callers is one transaction of the log."""

router = APIRouter(tags=["callers"], responses=_REFUSALS)


@router.put("/callers/{caller_id}/reservation", response_model=Position)
async def reserve(
    gateway: GatewayOf, user: CurrentUser, caller_id: CallerIdOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Reserves the caller, with all their requests, for oneself. Doing so twice is no error."""
    return JSONResponse(await gateway.ask("richiamo.queue.reserve", user, caller_id=caller_id, key=idempotency_key))


@router.delete("/callers/{caller_id}/reservation", response_model=Position)
async def release(
    gateway: GatewayOf, user: CurrentUser, caller_id: CallerIdOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Puts the caller back for everybody."""
    return JSONResponse(await gateway.ask("richiamo.queue.release", user, caller_id=caller_id, key=idempotency_key))


@router.put("/callers/{caller_id}/assignment", response_model=Position)
async def assign(
    gateway: GatewayOf,
    user: Supervisor,
    caller_id: CallerIdOf,
    assignment: Assignment,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Gives the caller to an operator, whoever held it before."""
    return JSONResponse(
        await gateway.ask(
            "richiamo.queue.assign", user, caller_id=caller_id, operator=assignment.operator, key=idempotency_key
        )
    )


@router.delete("/callers/{caller_id}/assignment", response_model=Position)
async def unassign(
    gateway: GatewayOf, user: Supervisor, caller_id: CallerIdOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Takes the caller away from whoever holds it."""
    return JSONResponse(await gateway.ask("richiamo.queue.unassign", user, caller_id=caller_id, key=idempotency_key))


@router.post("/callers/{caller_id}/recalls", status_code=202, response_model=Dialled)
async def start_recall(
    gateway: GatewayOf, user: CurrentUser, caller_id: CallerIdOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Calls the customer now. With `how` = `link`, the caller of this API opens `link` itself."""
    answer = await gateway.ask(
        "richiamo.queue.start_recall", user, caller_id=caller_id, key=idempotency_key, timeout=15.0
    )
    return JSONResponse(answer, 202)


@router.delete("/callers/{caller_id}/hiding", response_model=Position)
async def show(
    gateway: GatewayOf, user: CurrentUser, caller_id: CallerIdOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Shows a hidden caller again. Operators may end the hiding of their own running call."""
    return JSONResponse(await gateway.ask("richiamo.queue.show", user, caller_id=caller_id, key=idempotency_key))


@router.post("/callers/{caller_id}/disputes", response_model=Position)
async def dispute(
    gateway: GatewayOf,
    user: CurrentUser,
    caller_id: CallerIdOf,
    disputed: Dispute,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """It was an answering machine: that recall reached nobody."""
    return JSONResponse(
        await gateway.ask("richiamo.queue.dispute", user, caller_id=caller_id, call=disputed.call, key=idempotency_key)
    )


@router.post("/flushes", status_code=201, response_model=Flushed)
async def flush(
    gateway: GatewayOf, user: Supervisor, new: NewFlush, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Closes what is open of these callers without a recall: all of them or none."""
    answer = await gateway.ask(
        "richiamo.queue.flush",
        user,
        caller_ids=list(dict.fromkeys(new.caller_ids)),
        reason=new.reason,
        key=idempotency_key,
        timeout=_BIG_COMMAND_SECONDS,
    )
    return JSONResponse(answer, 201)


@router.delete("/flushes/{flush_id}", response_model=Position)
async def undo_flush(
    gateway: GatewayOf, user: Supervisor, flush_id: FlushIdOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Makes the flush as if it had never been."""
    answer = await gateway.ask(
        "richiamo.queue.undo_flush", user, flush_id=flush_id, key=idempotency_key, timeout=_BIG_COMMAND_SECONDS
    )
    return JSONResponse(answer)


@router.get("/callers/{caller_id}/note", response_model=NoteShown)
async def read_note(
    gateway: GatewayOf, user: CurrentUser, caller_id: CallerIdOf, min_position: MinPosition = None
) -> JSONResponse:
    """What people wrote about this caller; an empty text when nobody did."""
    found = await gateway.ask("richiamo.queue.notes", user, caller_ids=[caller_id], min_position=min_position)
    if not found["items"]:
        raise problem.not_found("There is no caller with this id in the lists that you may see.")
    return JSONResponse(found["items"][0])


@router.put("/callers/{caller_id}/note", response_model=NoteWritten)
async def write_note(
    gateway: GatewayOf,
    user: CurrentUser,
    caller_id: CallerIdOf,
    note: NoteWriting,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Writes the note; 409 `note-changed` with the other text (`note`) when somebody wrote since it was read."""
    return JSONResponse(
        await gateway.ask(
            "richiamo.queue.write_note",
            user,
            caller_id=caller_id,
            text=note.text,
            version=note.version,
            key=idempotency_key,
        )
    )


@router.delete("/callers/{caller_id}", response_model=Position)
async def erase(
    gateway: GatewayOf, user: Admin, caller_id: CallerIdOf, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Forgets the caller's number everywhere; figures of the past stay as they are."""
    answer = await gateway.ask(
        "richiamo.queue.erase", user, caller_id=caller_id, key=idempotency_key, timeout=_BIG_COMMAND_SECONDS
    )
    return JSONResponse(answer)
