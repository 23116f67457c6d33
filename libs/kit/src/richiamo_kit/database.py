"""How does a service talk to PostgreSQL? One pool, opened patiently, in UTC."""

from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

OPTIONS = "-c timezone=UTC -c idle_in_transaction_session_timeout=30000"


async def connect(database_url: str, *, autocommit: bool = False, application: str = "richiamo") -> AsyncConnection:
    """One connection of its own, with keepalives that notice a dead server within about 10 s."""
    return await AsyncConnection.connect(database_url, autocommit=autocommit, **_options(application))


def make_pool(database_url: str, *, most: int = 8, application: str = "richiamo") -> AsyncConnectionPool:
    """A pool of up to `most` connections, not opened yet; a broken connection is replaced when it is asked for."""
    return AsyncConnectionPool(
        database_url,
        kwargs=_options(application),
        min_size=1,
        max_size=most,
        open=False,
        timeout=5.0,
        reconnect_timeout=5.0,
        check=AsyncConnectionPool.check_connection,
    )


def make_engine(database_url: str, *, most: int = 8, application: str = "richiamo") -> AsyncEngine:
    """SQLAlchemy's side of the same, for what is kept beside the log and is no view; connects when it is asked."""
    return create_async_engine(
        make_url(database_url).set(drivername="postgresql+psycopg"),
        connect_args=_options(application),
        pool_size=most,
        max_overflow=0,
        pool_timeout=5.0,
        pool_pre_ping=True,
    )


def _options(application: str) -> dict[str, Any]:
    return {
        "application_name": application,
        "options": OPTIONS,
        "connect_timeout": 3,
        "keepalives_idle": 3,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }
