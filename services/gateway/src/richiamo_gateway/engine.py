"""How does the gateway reach its own tables? Through SQLAlchemy, on psycopg."""

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from richiamo_kit.database import options


def make_engine(database_url: str, *, most: int, role: str | None = None) -> AsyncEngine:
    """An engine of up to `most` connections; connects when it is asked, replaces a connection that broke.

    With `role` what it makes belongs to that role, of which the user is a member. Its statements are small: one that
    takes 5 s waits for a lock that somebody keeps, and fails.
    """
    arguments = options("richiamo-gateway", role)
    return create_async_engine(
        make_url(database_url).set(drivername="postgresql+psycopg"),
        connect_args={**arguments, "options": f"{arguments['options']} -c statement_timeout=5000"},
        pool_size=most,
        max_overflow=0,
        pool_timeout=5.0,
        pool_pre_ping=True,
    )
