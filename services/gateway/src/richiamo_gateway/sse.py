"""How does a change reach a browser? Server-sent events, with a heartbeat, until somebody has enough."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import StreamingResponse

from richiamo_gateway.auth.user import User
from richiamo_gateway.live import Change, Subscription

HEARTBEAT_SECONDS = 10.0
_HEADERS = {
    "Cache-Control": "no-store",
    # Proxies of the nginx family would hold events back.
    "X-Accel-Buffering": "no",
}

StillThere = Callable[[], Awaitable[User | None]]
"""Asks who stands behind the stream now; None when the session has ended."""


def last_event_id(header: str | None, after: int | None) -> int | None:
    """Where a stream resumes: the browser's `Last-Event-ID`, else the position its page was made at.

    A header that is no position (0 is none either) means that everything has to be read again.
    """
    if header is None or not header.strip():
        return after
    text = header.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


async def _events(
    subscription: Subscription, encode: Callable[[Change], bytes], still_there: StillThere, heartbeat: bytes
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    checked = loop.time()
    try:
        yield b"retry: 1000\n: connected\n\n"
        while not subscription.closed:
            change = await subscription.next_within(HEARTBEAT_SECONDS)
            if loop.time() - checked >= HEARTBEAT_SECONDS:
                user = await still_there()
                if user is None:
                    return
                # Rights may have changed since the stream began.
                subscription.user, checked = user, loop.time()
            if change is not None:
                yield encode(change)
            elif not subscription.closed:
                yield heartbeat
    finally:
        subscription.close()


def stream(
    subscription: Subscription,
    encode: Callable[[Change], bytes],
    still_there: StillThere,
    heartbeat: bytes = b": heartbeat\n\n",
) -> StreamingResponse:
    """The answer of `/changes` (JSON) and of the pages' own stream (HTML): `encode` differs, and the heartbeat.

    Scripts of a page never see a comment: a page that tells the age of its data needs a heartbeat that is an event.
    """
    return StreamingResponse(
        _events(subscription, encode, still_there, heartbeat), media_type="text/event-stream", headers=_HEADERS
    )
