"""What became due? Reservations forgotten, recalls without a record, cool-downs over, requests too old.

Nothing is scheduled: once a second the view is asked what is due, by an index, and each case is decided
again on the caller's state, under an id that makes it happen once however many instances think of it. What
fell due while everything was down is due at the first sweep. One instance sweeps at a time, by a lock of
PostgreSQL that its connection holds; the lock saves work, the log decides.
"""
# ruff: noqa: S608 - the names put into statements are constants of this package; values are parameters.

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from richiamo_events.caller import AGE_REASON
from richiamo_events.ids import CallerId, DialId, FlushId, ReservationId
from richiamo_events.language import RecallOutcome
from richiamo_events.settings import SiteSettings
from richiamo_kit import database, tracing
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Rejected, Unavailable
from richiamo_queue.caller.commands import Command, EndRecall, ExpireReservation, Flush
from richiamo_queue.carrying_out import CarryOut, Order
from richiamo_queue.changes import Changes
from richiamo_queue.dialling.living import Living
from richiamo_queue.notebook import Notebook
from richiamo_queue.ticket import Ticket, timer_ticket
from richiamo_queue.worklist.projection import SCHEMA
from richiamo_queue.worklist.query import view_position

_LOCK = 7_301_846_202
_AT_ONCE = 500
_EVERY = timedelta(seconds=1)
_LOOK_BACK = timedelta(minutes=2)
"""How far a sweeper that took over looks back for cool-downs that ended meanwhile."""
_LONGEST_CALL = timedelta(hours=8)
"""What lives longer on the PBX is a channel that hangs there, not a talk."""
_TIDY_EVERY = timedelta(hours=1)

_log = structlog.get_logger(__name__)

_FORGOTTEN = f"""
SELECT c.caller_id, c.reservation, greatest(a.last_command_at, e.ended_at)
FROM {SCHEMA}.caller c
LEFT JOIN queue.activity a ON a.username = c.operator
LEFT JOIN {SCHEMA}.recall_ended e ON e.operator = c.operator
WHERE c.expires_at <= %(now)s AND c.dial IS NULL
  AND (c.assigned OR coalesce(greatest(a.last_command_at, e.ended_at), '-infinity') <= %(idle_since)s)
ORDER BY c.expires_at LIMIT {_AT_ONCE}
"""

_SILENT = f"""
SELECT caller_id, dial, recall_since FROM {SCHEMA}.caller
WHERE dial IS NOT NULL AND recall_since <= %(since)s
ORDER BY recall_since LIMIT {_AT_ONCE}
"""

_COOLED = f"SELECT caller_id FROM {SCHEMA}.caller WHERE hidden_until > %(after)s AND hidden_until <= %(now)s"

_AGED = f"""
SELECT DISTINCT caller_id FROM {SCHEMA}.request WHERE recorded_to = 'infinity' AND first_call < %(before)s
LIMIT {_AT_ONCE}
"""


@dataclass(frozen=True, slots=True)
class _Due:
    """One thing that a timer does to one caller."""

    caller: CallerId
    ticket: Ticket
    command: Command


class Sweep:
    """Looks once a second for what is due, while it holds the lock."""

    def __init__(
        self,
        database_url: str,
        *,
        carry_out: CarryOut,
        notebook: Notebook,
        changes: Changes,
        settings: Callable[[], SiteSettings],
        living: Living,
        clock: Clock,
    ) -> None:
        self._database_url = database_url
        self._carry_out = carry_out
        self._notebook = notebook
        self._changes = changes
        self._settings = settings
        self._living = living
        self._clock = clock
        self._announced: datetime | None = None
        self._tidied: datetime | None = None

    async def run(self) -> None:
        """Sweep until cancelled; whatever fails is tried again a second later."""
        while True:
            try:
                connection = await database.connect(self._database_url, autocommit=True, application="queue-sweep")
                async with connection:
                    await self._sweep_with(connection)
            except (psycopg.Error, PoolTimeout, OSError, Unavailable) as error:
                # Also while the view is still to be made.
                _log.warning("sweep_interrupted", error=str(error))
            await asyncio.sleep(_EVERY.total_seconds())

    async def _sweep_with(self, connection: AsyncConnection) -> None:
        self._announced = None
        while True:
            await self.write_activity()
            locked = await connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            row = await locked.fetchone()
            if row is not None and row[0]:
                try:
                    await self.once(connection)
                finally:
                    await connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
            await asyncio.sleep(_EVERY.total_seconds())

    async def write_activity(self) -> None:
        """Let every instance know who sent this one a command."""
        await self._notebook.write_activity()

    async def once(self, connection: AsyncConnection) -> int:
        """One sweep; answers how many callers it changed."""
        now = self._clock.now()
        settings = self._settings()
        changed = 0
        for due in [
            *await self._forgotten(connection, now, settings),
            *await self._silent(connection, now, settings),
            *await self._aged(connection, now, settings),
        ]:
            changed += await self._do(due, now)
        await self._announce_cooled(connection, now)
        if self._tidied is None or now - self._tidied >= _TIDY_EVERY:
            self._tidied = now
            await self._notebook.tidy()
        return changed

    async def _do(self, due: _Due, now: datetime) -> int:
        order = Order(ticket=due.ticket, actor="system", at=now)
        try:
            with tracing.entrance(f"due {type(due.command).__name__}"):
                return (await self._carry_out.one(order, due.caller, due.command)).changed
        except Rejected as refusal:
            _log.info("timer_had_nothing_to_do", caller_id=due.caller, refusal=refusal.type)
            return 0

    async def _forgotten(self, connection: AsyncConnection, now: datetime, settings: SiteSettings) -> list[_Due]:
        """Rule 8: reservations whose holder was idle for `reservation_minutes`; assigned ones at their instant."""
        lease = timedelta(minutes=settings.reservation_minutes)
        found = await connection.execute(_FORGOTTEN, {"now": now, "idle_since": now - lease})
        return [
            _Due(
                CallerId(caller_id),
                timer_ticket("expire", reservation),
                ExpireReservation(reservation=ReservationId(reservation), at=now, active_at=active_at, lease=lease),
            )
            for caller_id, reservation, active_at in await found.fetchall()
        ]

    async def _silent(self, connection: AsyncConnection, now: datetime, settings: SiteSettings) -> list[_Due]:
        """Rule 7: recalls of which no record came within `record_minutes`, but for those whose call lives."""
        found = await connection.execute(_SILENT, {"since": now - timedelta(minutes=settings.record_minutes)})
        rows = await found.fetchall()
        asked = [DialId(dial) for _, dial, since in rows if now - since < _LONGEST_CALL]
        living = await self._living.among(asked, now)
        return [
            _Due(
                CallerId(caller_id),
                timer_ticket("silent", dial),
                EndRecall(dial=DialId(dial), outcome=RecallOutcome.UNKNOWN, at=now),
            )
            for caller_id, dial, _ in rows
            if dial not in living
        ]

    async def _aged(self, connection: AsyncConnection, now: datetime, settings: SiteSettings) -> list[_Due]:
        """Rule 13: requests opened more than `close_after_days` site days ago, in the night after."""
        if not settings.close_after_days:
            return []
        today = now.astimezone(settings.zone).date()
        before = datetime.combine(today - timedelta(days=settings.close_after_days), time(), settings.zone)
        found = await connection.execute(_AGED, {"before": before})
        due = []
        for (caller_id,) in await found.fetchall():
            ticket = timer_ticket("age", f"{caller_id} {before.isoformat()}")
            flush = Flush(
                flush=FlushId(ticket.derive("flush")), by="system", reason=AGE_REASON, at=now, opened_before=before
            )
            due.append(_Due(CallerId(caller_id), ticket, flush))
        return due

    async def _announce_cooled(self, connection: AsyncConnection, now: datetime) -> None:
        """Rows come back by themselves when their cool-down ends; only the browsers must be told."""
        after = self._announced or now - _LOOK_BACK
        found = await connection.execute(_COOLED, {"after": after, "now": now})
        cooled = {CallerId(row[0]) for row in await found.fetchall()}
        if cooled:
            await self._changes.tell(await view_position(connection), cooled)
        self._announced = now
