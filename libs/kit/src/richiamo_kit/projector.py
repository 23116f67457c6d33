"""How does a view follow the log? Batch by batch, each written with its checkpoint in one transaction.

Delivery: each event reaches the tables exactly once, whatever dies in between, because the checkpoint moves
by compare-and-set in the transaction that writes the rows. `apply` may still be called twice with one batch
(when the first transaction was rolled back), so what it keeps in memory is reloaded by `start` after every
failure.
"""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId

from richiamo_kit.store.port import EventStore

OnCommit = Callable[[int, AbstractSet[CallerId] | None], Awaitable[None]]
"""Called after each commit with the view's position and the callers whose rows changed.

None instead of a set: anything may have changed (after a restart, or when an earlier call failed); send `resync`.
"""


class Projection(Protocol):
    """One view: tables in a schema of its own, folded from the log."""

    schema: str
    """The PostgreSQL schema; every statement names it, so that a rebuild can fill `<schema>_next` beside."""

    def ddl(self) -> Sequence[str]:
        """The statements that make the tables in `schema` (the schema itself exists). When they change, the
        projector drops the schema and rebuilds the view from the start of the log."""
        ...

    async def start(self, connection: AsyncConnection) -> None:
        """Forget what is in memory and load what the fold needs from the tables."""
        ...

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        """Fold the batch and write the changed rows; answer the callers whose rows changed.

        Runs inside a transaction that the projector commits; must not commit itself.
        """
        ...


class Projector:
    """Keeps one projection up to date; at most one projector a schema writes, others stand by.

    Restarts by itself when PostgreSQL or NATS went away; `ready` tells whether it is following now.
    """

    def __init__(
        self,
        store: EventStore,
        projection: Projection,
        database_url: str,
        on_commit: OnCommit | None = None,
    ) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Follow the log until cancelled. Raises `Unreadable` at an event of a future version."""
        raise NotImplementedError

    async def catch_up(self) -> int:
        """Apply what the log holds now, stop, and answer the position reached (rebuilds and tests)."""
        raise NotImplementedError

    @property
    def position(self) -> int:
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        raise NotImplementedError


async def wait_for(pool: AsyncConnectionPool, schema: str, position: int, timeout: float = 5.0) -> int:
    """Wait until the view holds everything up to `position`; answers the view's position.

    This is `Min-Position` of the API: read your own writes. Raises `Unavailable` after `timeout` seconds.
    """
    raise NotImplementedError
