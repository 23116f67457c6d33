"""Who is told that rows changed? Everybody who follows the stream CHANGES, after each commit of the view."""

import json
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

from richiamo_events.ids import CallerId

SUBJECT = "richiamo.changes"
_NAMED_AT_MOST = 2_000
"""More callers than this in one message are told as a resync: reading the list again costs less."""

Publish = Callable[[bytes], Awaitable[None]]


class Changes:
    """Tells which callers' rows changed, and up to which position the view holds the log."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    async def tell(self, position: int, callers: AbstractSet[CallerId] | None) -> None:
        """None, or too many to name: anything may have changed."""
        if callers is not None and not callers:
            return
        if callers is None or len(callers) > _NAMED_AT_MOST:
            await self._publish(json.dumps({"position": position, "resync": True}).encode())
            return
        await self._publish(json.dumps({"position": position, "callers": sorted(callers)}).encode())
