"""What changed just now, for whom? One subscription to CHANGES per process, shared by all streams.

(The working parts are being written; these signatures stay.)
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from richiamo_gateway.auth.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one step of the worklist changed, as one user may see it.

    With `resync` the stream cannot tell what was missed: read the lists again.
    """

    position: int
    callers: tuple[str, ...] = ()
    items: tuple[dict[str, Any], ...] = field(default=())
    resync: bool = False


class Subscription(AsyncIterator[Change]):
    async def __anext__(self) -> Change:
        raise NotImplementedError

    async def next_within(self, seconds: float) -> Change | None:
        """The next change, or None when none came within `seconds`."""
        raise NotImplementedError

    def close(self) -> None: ...


class Live:
    def subscribe(self, user: User, last_event_id: int | None = None) -> Subscription:
        """Changes after log position `last_event_id` (None: from now on), filtered for `user`."""
        raise NotImplementedError
