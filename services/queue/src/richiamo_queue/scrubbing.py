"""Are the digits gone from PostgreSQL's files too? A deleted row stays in its page, and in the log of what was written.

Rows are deleted by whoever owns them; here their tables are written anew without the dead rows, and the write-ahead
log is begun anew and the old one removed, which `wal_recycle = off` makes certain.
"""

import asyncio

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from richiamo_kit import database
from richiamo_kit.errors import Unavailable
from richiamo_kit.raw_records import digits_of
from richiamo_queue.worklist.projection import SCHEMA

_log = structlog.get_logger(__name__)
_TABLES = (sql.Identifier(SCHEMA, "number"), sql.Identifier("queue", "answer"))
"""Every table in which a number may stand: the worklist's, and answers that hold a link to dial."""
_PATIENCE = 30.0
_LOOK_AGAIN = 0.05
_BESIDE = (f"rebuild {SCHEMA}", f"check {SCHEMA}")
"""The locks of those who fold the worklist a second time, numbers and all, into tables of their own."""

_OLDER = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND age(backend_xmin) > age(%s::text::xid)
"""
"""How many transactions may still see what was deleted before."""


async def scrub(database_url: str, number: str, *, patience: float = _PATIENCE) -> bool:
    """Remove what is left of the number in PostgreSQL's files; false when the role may not touch the log of writes.

    Needs no exclusive access for longer than the tables take to be written: seconds for a million callers. Raises
    `Unavailable` when somebody keeps the tables, or a copy of them, for longer than `patience` seconds; harmless when
    repeated.
    """
    try:
        async with await database.connect(database_url, autocommit=True, application="richiamo-erase") as connection:
            await connection.execute("SET lock_timeout = '30s'")
            await _nobody_copies(connection, patience)
            await connection.execute(
                "DELETE FROM queue.answer WHERE position(%s IN answer::text) > 0", (digits_of(number),)
            )
            await _nobody_sees_the_past(connection, patience)
            for table in _TABLES:
                await connection.execute(sql.SQL("VACUUM (FULL) {}").format(table))
            return await _begin_the_log_anew(connection)
    except psycopg.Error as error:
        raise Unavailable(f"PostgreSQL did not forget: {str(error).strip()}") from error


async def _nobody_copies(connection: AsyncConnection, patience: float) -> None:
    """Keep rebuilds and checks of the worklist away until the connection ends; wait for those at work."""
    for name in _BESIDE:
        try:
            async with asyncio.timeout(patience):
                while not await database.try_lock(connection, name):
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError:
            raise Unavailable("the worklist is being rebuilt or checked: erase again when that has ended") from None


async def _nobody_sees_the_past(connection: AsyncConnection, patience: float) -> None:
    """A row that some transaction can still see is copied by VACUUM: wait until there is none."""
    found = await (await connection.execute("SELECT pg_current_xact_id()::xid::text")).fetchone()
    assert found is not None
    try:
        async with asyncio.timeout(patience):
            while True:
                older = await (await connection.execute(_OLDER, found)).fetchone()
                if older is None or not older[0]:
                    return
                await asyncio.sleep(_LOOK_AGAIN)
    except TimeoutError:
        raise Unavailable("a transaction of PostgreSQL has been open for long: a backup or a rebuild?") from None


async def _begin_the_log_anew(connection: AsyncConnection) -> bool:
    try:
        await connection.execute("SELECT pg_switch_wal()")
        await connection.execute("CHECKPOINT")
    except psycopg.errors.InsufficientPrivilege:
        _log.warning("postgresql_log_kept", remedy="GRANT EXECUTE ON FUNCTION pg_switch_wal(), GRANT pg_checkpoint")
        return False
    return True
