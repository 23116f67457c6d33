"""How far were the call records read? A bookmark in PostgreSQL, held by one tracker at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection

from richiamo_kit.database import connect
from richiamo_kit.errors import Unavailable

_LOCK = 0x5249_4348_5452
_TABLE = (
    "CREATE SCHEMA IF NOT EXISTS tracker",
    "CREATE TABLE IF NOT EXISTS tracker.bookmark (one boolean PRIMARY KEY CHECK (one), position bigint NOT NULL)",
    "INSERT INTO tracker.bookmark (one, position) VALUES (true, 0) ON CONFLICT DO NOTHING",
)


class Bookmark:
    """The position in the stream of call records up to which facts are in the log."""

    def __init__(self, connection: AsyncConnection, position: int) -> None:
        self._connection = connection
        self.position = position

    async def move(self, position: int) -> None:
        """Everything up to `position` is written. Raises `Unavailable`; another tracker may have taken over."""
        try:
            await self._connection.execute("UPDATE tracker.bookmark SET position = %s", (position,))
        except psycopg.Error as error:
            raise Unavailable(f"the bookmark cannot be moved: {type(error).__name__}") from error
        self.position = position


@asynccontextmanager
async def held(database_url: str) -> AsyncIterator[Bookmark | None]:
    """The bookmark, locked for this process; None when another tracker holds it. Raises `Unavailable`."""
    try:
        connection = await connect(database_url, autocommit=True, application="richiamo tracker")
    except (psycopg.Error, OSError) as error:
        raise Unavailable(f"PostgreSQL is not there: {type(error).__name__}") from error
    try:
        try:
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
            row = await cursor.fetchone()
            if row is None or not row[0]:
                yield None
                return
            for statement in _TABLE:
                await connection.execute(statement)
            cursor = await connection.execute("SELECT position FROM tracker.bookmark")
            row = await cursor.fetchone()
        except psycopg.Error as error:
            raise Unavailable(f"PostgreSQL does not answer: {type(error).__name__}") from error
        yield Bookmark(connection, int(row[0]) if row else 0)
    finally:
        await connection.close()
