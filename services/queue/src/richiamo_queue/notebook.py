"""What does the service remember beside the log? Answers by key, its operators' activity, and dials begun.

None of it is truth about calls: an answer lost is rebuilt from the log, activity lost within the last second
ends a reservation that second earlier. It is therefore written without waiting for the disk.
"""

from collections.abc import Mapping
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.types.json import Json
from psycopg_pool import AsyncConnectionPool

from richiamo_queue.ticket import Ticket

_LOCK = 7_301_846_201

_DDL = (
    "CREATE SCHEMA IF NOT EXISTS queue",
    """CREATE TABLE IF NOT EXISTS queue.answer (
        ticket text PRIMARY KEY,
        answer json NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )""",
    "CREATE INDEX IF NOT EXISTS answer_created_at ON queue.answer (created_at)",
    """CREATE TABLE IF NOT EXISTS queue.activity (
        username text PRIMARY KEY,
        last_command_at timestamptz NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS queue.dialled (
        dial text PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now()
    )""",
)


class Notebook:
    """The schema `queue` in PostgreSQL."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._active: dict[str, datetime] = {}

    async def prepare(self) -> None:
        """Make the tables; several instances may start at once."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            for statement in _DDL:
                await connection.execute(statement)

    async def answer(self, ticket: Ticket) -> dict[str, object] | None:
        """What this command was answered before, if it was."""
        if not ticket.keyed:
            return None
        async with self._pool.connection() as connection:
            found = await connection.execute("SELECT answer FROM queue.answer WHERE ticket = %s", [ticket.id])
            row = await found.fetchone()
        return None if row is None else row[0]

    async def keep(self, ticket: Ticket, answer: Mapping[str, object]) -> dict[str, object]:
        """Keep the answer of a command with a key; of two that race the first one stands for both."""
        if not ticket.keyed:
            return dict(answer)
        async with self._pool.connection() as connection, connection.transaction():
            await _without_waiting(connection)
            kept = await connection.execute(
                "INSERT INTO queue.answer (ticket, answer) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING answer",
                [ticket.id, Json(dict(answer))],
            )
            if await kept.fetchone() is not None:
                return dict(answer)
        return await self.answer(ticket) or dict(answer)

    def active(self, username: str, at: datetime) -> None:
        """This user has sent a command; written with the next `write_activity`."""
        self._active[username] = at

    async def write_activity(self) -> None:
        """Write who was active since the last time."""
        if not self._active:
            return
        news, self._active = self._active, {}
        async with self._pool.connection() as connection, connection.transaction():
            await _without_waiting(connection)
            async with connection.cursor() as cursor:
                await cursor.executemany(
                    "INSERT INTO queue.activity AS old (username, last_command_at) VALUES (%s, %s) ON CONFLICT (username)"
                    " DO UPDATE SET last_command_at = greatest(old.last_command_at, EXCLUDED.last_command_at)",
                    sorted(news.items()),
                )

    async def claim_dial(self, dial: str) -> bool:
        """Whether this dial is still to be made; true once, for whoever asks first, also after a crash."""
        async with self._pool.connection() as connection:
            claimed = await connection.execute(
                "INSERT INTO queue.dialled (dial) VALUES (%s) ON CONFLICT DO NOTHING RETURNING dial", [dial]
            )
            return await claimed.fetchone() is not None

    async def tidy(self) -> None:
        """Forget answers and dials older than a week: no client repeats a command after that."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM queue.answer WHERE created_at < now() - interval '7 days'")
            await connection.execute("DELETE FROM queue.dialled WHERE at < now() - interval '7 days'")


async def _without_waiting(connection: AsyncConnection) -> None:
    await connection.execute("SET LOCAL synchronous_commit = off")
