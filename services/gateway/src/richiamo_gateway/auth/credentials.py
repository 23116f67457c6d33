"""What is kept about a password and its failures? The PostgreSQL side of logging in."""

from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]


class Credentials:
    """Password hashes by username, and the tries that failed."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def hash_of(self, username: str) -> str | None:
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "select password_hash from gateway.credential where username = %s", (username,)
            )
            row = await found.fetchone()
        return None if row is None else str(row[0])

    async def set_hash(self, username: str, password_hash: str, at: datetime) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                insert into gateway.credential (username, password_hash, changed_at)
                values (%s, %s, %s)
                on conflict (username) do update
                set password_hash = excluded.password_hash, changed_at = excluded.changed_at
                """,
                (username, password_hash, at),
            )

    async def failures_since(self, username: str, since: datetime) -> list[datetime]:
        """The instants of failed logins under that name after `since`, oldest first."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "select at from gateway.failed_login where username = %s and at > %s order by at",
                (username, since),
            )
            return [row[0] for row in await found.fetchall()]

    async def note_failure(self, username: str, at: datetime, keep: timedelta) -> None:
        """Remembers one failed login, and forgets everybody's that are older than `keep`."""
        async with self._pool.connection() as connection:
            await connection.execute("delete from gateway.failed_login where at < %s", (at - keep,))
            await connection.execute("insert into gateway.failed_login (username, at) values (%s, %s)", (username, at))

    async def forget_failures(self, username: str) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("delete from gateway.failed_login where username = %s", (username,))
