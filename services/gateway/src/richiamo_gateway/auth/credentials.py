"""What is kept about a password and its failures? The PostgreSQL side of logging in."""

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from richiamo_gateway.auth.schema import credential, failed_login


class Credentials:
    """Password hashes by username, and the tries that failed."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def hash_of(self, username: str) -> str | None:
        async with self._engine.connect() as connection:
            kept: str | None = await connection.scalar(
                select(credential.c.password_hash).where(credential.c.username == username)
            )
        return kept

    async def set_hash(self, username: str, password_hash: str, at: datetime) -> None:
        new = {"password_hash": password_hash, "changed_at": at}
        statement = upsert(credential).values(username=username, **new)
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["username"], set_=new))

    async def failures_since(self, username: str, since: datetime) -> list[datetime]:
        """The instants of failed logins under that name after `since`, oldest first."""
        statement = (
            select(failed_login.c.at)
            .where(failed_login.c.username == username, failed_login.c.at > since)
            .order_by(failed_login.c.at)
        )
        async with self._engine.connect() as connection:
            return list(await connection.scalars(statement))

    async def note_failure(self, username: str, at: datetime, keep: timedelta) -> None:
        """Remembers one failed login, and forgets everybody's that are older than `keep`."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(failed_login).where(failed_login.c.at < at - keep))
            await connection.execute(insert(failed_login).values(username=username, at=at))

    async def forget_failures(self, username: str) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(failed_login).where(failed_login.c.username == username))
