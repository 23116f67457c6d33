"""How does a view follow the log? Batch by batch, each written with its checkpoint in one transaction.

Delivery: each event reaches the tables exactly once, whatever dies in between, because the checkpoint moves
by compare-and-set in the transaction that writes the rows. `apply` may still be called twice with one batch
(when the first transaction was rolled back), so what it keeps in memory is reloaded by `start` after every
failure.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from typing import LiteralString, Protocol
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_kit import database, metrics, tracing
from richiamo_kit.errors import Unavailable
from richiamo_kit.store.port import EventStore

_log = structlog.get_logger(__name__)

_AGAIN = 0.3
"""Seconds before a projector that lost its database or log tries again."""
_STAND_BY = 1.0
"""Seconds between two attempts at the lock that another projector holds."""
_BATCH = 1000
UNWATCHED_PAUSE = 0.025
"""Seconds, for views that nobody watches live: 40 transactions a second at most."""
_CHECKPOINT: LiteralString = (
    "CREATE TABLE {}.checkpoint (one boolean PRIMARY KEY DEFAULT true CHECK (one), position bigint NOT NULL, "
    "recorded_at timestamptz, shape text NOT NULL, made uuid NOT NULL DEFAULT gen_random_uuid())"
)

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
        projector drops the schema and rebuilds the view from the start of the log.
        """
        ...

    async def start(self, connection: AsyncConnection) -> None:
        """Forget what is in memory and load what the fold needs from the tables."""
        ...

    async def apply(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        """Fold the batch and write the changed rows; answer the callers whose rows changed.

        Runs inside a transaction that the projector commits; must not commit itself.
        """
        ...


def shape_of(projection: Projection) -> str:
    """What tells tables of one shape from those of another, the same whatever the schema is called."""
    statements = "\n".join([_CHECKPOINT, *projection.ddl()]).replace(projection.schema, "view")
    return hashlib.sha256(statements.encode()).hexdigest()


class _Overtaken(Exception):
    """Another projector moved the checkpoint, or a rebuild switched the tables: load anew."""


class Projector:
    """Keeps one projection up to date; at most one projector a schema writes, others stand by.

    Restarts by itself when PostgreSQL or NATS went away; `ready` tells whether it is following now. `pause` seconds
    pass between two batches: a view that nobody watches live costs less for being written in larger ones. Tables
    belong to `role` where one is given.
    """

    def __init__(
        self,
        store: EventStore,
        projection: Projection,
        database_url: str,
        on_commit: OnCommit | None = None,
        *,
        pause: float = 0.0,
        role: str | None = None,
    ) -> None:
        self._store = store
        self._projection = projection
        self._database_url = database_url
        self._on_commit = on_commit
        self._pause = pause
        self._role = role
        self._position = 0
        self._made: UUID | None = None
        self._ready = False
        self._owed_resync = True

    async def run(self) -> None:
        """Follow the log until cancelled. Raises `Unreadable` at an event of a future version."""
        said = ""
        while True:
            try:
                await self._follow()
            except (_Overtaken, psycopg.Error, Unavailable, OSError) as error:
                if said != str(error):  # Once, not at every try of a long absence.
                    said = str(error)
                    _log.warning("projector_restarts", view=self._projection.schema, reason=said.strip())
            finally:
                self._ready = False
                self._owed_resync = True
            await asyncio.sleep(_AGAIN)

    async def catch_up(self, until: int | None = None) -> int:
        """Apply what the log holds now, at most up to `until`, stop, and answer the position reached.

        For rebuilds and tests.
        """
        async with await self._connected() as connection:
            await self._lock(connection)
            await self._load(connection)
            batch: list[Recorded] = []
            async for event in self._store.read(self._position, until=until):
                batch.append(event)
                if len(batch) == _BATCH:
                    await self._write(connection, batch)
                    batch = []
            if batch:
                await self._write(connection, batch)
        return self._position

    @property
    def position(self) -> int:
        """The position up to which the view is written."""
        return self._position

    @property
    def ready(self) -> bool:
        return self._ready

    async def _follow(self) -> None:
        async with await self._connected() as connection:
            await self._lock(connection)
            await self._load(connection)
            self._ready = True
            await self._announce(frozenset())
            async with aclosing(self._store.follow(self._position)) as batches:
                async for batch in batches:
                    causes = (event.traceparent for event in batch)
                    with tracing.consequence(f"project {self._projection.schema}", causes) as span:
                        span.set_attributes({"richiamo.events": len(batch), "richiamo.position": batch[-1].position})
                        touched = await self._write(connection, batch)
                        await self._announce(touched)
                    # What arrives meanwhile is written together.
                    await asyncio.sleep(self._pause)

    async def _connected(self) -> AsyncConnection:
        return await database.connect(self._database_url, application=self._projection.schema, role=self._role)

    async def _lock(self, connection: AsyncConnection) -> None:
        while True:
            got = await database.try_lock(connection, self._projection.schema)
            await connection.commit()
            if got:
                return
            await asyncio.sleep(_STAND_BY)

    async def _load(self, connection: AsyncConnection) -> None:
        """Make the tables if they are not there or of another shape, then load position and memory."""
        schema = sql.Identifier(self._projection.schema)
        statements = self._projection.ddl()
        shape = shape_of(self._projection)
        async with connection.transaction():
            found = await (
                await connection.execute(
                    "SELECT to_regclass(%s) IS NOT NULL", (f"{self._projection.schema}.checkpoint",)
                )
            ).fetchone()
            known = None
            if found is not None and found[0]:
                known = await (
                    await connection.execute(sql.SQL("SELECT shape FROM {}.checkpoint").format(schema))
                ).fetchone()
            if known is None or known[0] != shape:
                _log.info("view_is_made", view=self._projection.schema, again=known is not None)
                await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
                await connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
                await connection.execute(sql.SQL(_CHECKPOINT).format(schema))
                await connection.execute(
                    sql.SQL("INSERT INTO {}.checkpoint (position, shape) VALUES (0, %s)").format(schema), (shape,)
                )
                for statement in statements:
                    await connection.execute(statement.encode())
            row = await (
                await connection.execute(sql.SQL("SELECT position, made FROM {}.checkpoint").format(schema))
            ).fetchone()
            assert row is not None
            # `made` tells these tables from those that a rebuild may put in their place at the same position.
            self._position, self._made = row
            await self._projection.start(connection)

    async def _write(self, connection: AsyncConnection, batch: Sequence[Recorded]) -> AbstractSet[CallerId]:
        async with connection.transaction():
            touched = await self._projection.apply(connection, batch)
            moved = await connection.execute(
                sql.SQL(
                    "UPDATE {}.checkpoint SET position = %s, recorded_at = %s WHERE position = %s AND made = %s"
                ).format(sql.Identifier(self._projection.schema)),
                (batch[-1].position, batch[-1].recorded_at, self._position, self._made),
            )
            if moved.rowcount != 1:
                raise _Overtaken("the checkpoint is not the one that this projector left")
        self._position = batch[-1].position
        metrics.VIEW_POSITION.labels(view=self._projection.schema).set(self._position)
        return touched

    async def _announce(self, touched: AbstractSet[CallerId]) -> None:
        """Tell what changed; what could not be told is owed as a resync."""
        if self._on_commit is None:
            return
        try:
            await self._on_commit(self._position, None if self._owed_resync else touched)
        except Exception as error:
            # The rows are written: whoever missed this is told later to read everything again.
            self._owed_resync = True
            _log.warning("change_not_announced", view=self._projection.schema, reason=repr(error))
        else:
            self._owed_resync = False


async def wait_for(pool: AsyncConnectionPool, schema: str, position: int, timeout: float = 5.0) -> int:
    """Wait until the view holds everything up to `position`; answers the view's position.

    This is `Min-Position` of the API: read your own writes. Raises `Unavailable` after `timeout` seconds.
    """
    statement = sql.SQL("SELECT position FROM {}.checkpoint").format(sql.Identifier(schema))
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        try:
            async with pool.connection(timeout=max(timeout, 0.1)) as connection:
                row = await (await connection.execute(statement)).fetchone()
        except psycopg.Error as error:
            # The server restarts, or the projector has not made the tables yet: that passes.
            row, trouble = None, str(error)
        else:
            trouble = ""
        reached: int = row[0] if row else 0
        if row is not None and reached >= position:
            return reached
        if asyncio.get_running_loop().time() >= deadline:
            raise Unavailable(f"{schema} is at {reached}, not yet at {position} {trouble}".strip())
        await asyncio.sleep(0.005)
