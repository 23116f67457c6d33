"""What has just changed? The stream for programs; the pages have one of their own from the same source."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse

from richiamo_gateway import sse
from richiamo_gateway.api.models import PROBLEMS
from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import CurrentUser, optional_user
from richiamo_gateway.auth.user import User
from richiamo_gateway.live import as_json

router = APIRouter(tags=["changes"], responses=PROBLEMS)


@router.get(
    "/changes",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}},
)
async def changes(
    request: Request,
    gateway: GatewayOf,
    user: CurrentUser,
    last_event_id: Annotated[str | None, Header(description="The last position seen: resumes right after it")] = None,
    after: Annotated[int | None, Query(ge=0, description="The same for a first connection")] = None,
) -> StreamingResponse:
    """Every change of the worklist, as it happens.

    `id` is the log position; `data` is `{"position", "callers": [...], "items": [...]}`: the callers touched, and the
    open requests which they have now, as far as you may see them. An event named `resync` says that not everything
    is known that was missed: read the lists again. A comment comes every 10 s when nothing else does.
    """

    async def still_there() -> User | None:
        return await optional_user(request)

    subscription = gateway.live.subscribe(user, sse.last_event_id(last_event_id, after))
    return sse.stream(subscription, lambda change: change.once("json", as_json), still_there)
