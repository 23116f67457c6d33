"""How does a service talk to PostgreSQL? One pool, opened patiently, in UTC."""

import hashlib
import re
import time
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

_TRUSTED_SECONDS = 1.0
_BREAKS = re.compile(r"[\s\\]")
"""What would end an option."""
OPTIONS = "-c timezone=UTC -c idle_in_transaction_session_timeout=30000"


async def connect(
    database_url: str, *, autocommit: bool = False, application: str = "richiamo", role: str | None = None
) -> AsyncConnection:
    """One connection of its own, with keepalives that notice a dead server within about 10 s.

    With `role` what it makes belongs to that role, of which the user is a member.
    """
    return await AsyncConnection.connect(database_url, autocommit=autocommit, **options(application, role))


async def try_lock(connection: AsyncConnection, name: str) -> bool:
    """Take the lock of this name for as long as the connection lives; false while another connection holds it."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    got = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (number,))).fetchone()
    return got is not None and bool(got[0])


def make_pool(
    database_url: str, *, most: int = 8, application: str = "richiamo", autocommit: bool = False
) -> AsyncConnectionPool:
    """A pool of up to `most` connections, not opened yet; a broken connection is replaced when it is asked for.

    With `autocommit` a single statement is one question to the server and not three; several that belong together
    say so with `connection.transaction()`.

    One that worked within the last second is not asked first whether it still does: that would double the questions.
    """
    used: WeakKeyDictionary[AsyncConnection, float] = WeakKeyDictionary()

    async def returned(connection: AsyncConnection) -> None:
        used[connection] = time.monotonic()

    async def check(connection: AsyncConnection) -> None:
        if time.monotonic() - used.get(connection, -_TRUSTED_SECONDS) >= _TRUSTED_SECONDS:
            await AsyncConnectionPool.check_connection(connection)

    return AsyncConnectionPool(
        database_url,
        kwargs={**options(application), "autocommit": autocommit},
        min_size=1,
        max_size=most,
        open=False,
        timeout=5.0,
        reconnect_timeout=5.0,
        check=check,
        reset=returned,
    )


def options(application: str, role: str | None = None) -> dict[str, Any]:
    """What every connection is opened with: UTC, keepalives that notice a dead server within about 10 s."""
    as_role = "" if role is None else " -c role=" + _BREAKS.sub(r"\\\g<0>", role)
    return {
        "application_name": application,
        "options": OPTIONS + as_role,
        "connect_timeout": 3,
        "keepalives_idle": 3,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }
