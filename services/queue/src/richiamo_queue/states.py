"""In which state are these callers, as the view knows it? And has this command been carried out already?"""
# ruff: noqa: S608 - the names put into statements are constants of this package; values are parameters.

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg_pool import AsyncConnectionPool

from richiamo_events.caller import Caller, load
from richiamo_events.ids import CallerId, FlushId, Username
from richiamo_kit.gathering import Gathering
from richiamo_queue.ticket import Ticket
from richiamo_queue.worklist.projection import SCHEMA


@dataclass(frozen=True, slots=True)
class Seen:
    """States and the command's own events, read as one: either both show an event or neither does."""

    callers: dict[CallerId, Caller]
    carried_out: int | None
    """The position of the command's last event, if the log holds it."""


class States:
    """Reads the fold's state from the worklist view."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._looks = Gathering(self._look_at_each)

    async def look_at(self, caller: CallerId, ticket: Ticket) -> Seen:
        """The same for one caller; commands that look at the same time share a statement."""
        return await self._looks.ask((caller, ticket.id))

    async def _look_at_each(self, asked: Sequence[tuple[CallerId, str]]) -> list[Seen]:
        async with self._pool.connection() as connection:
            found = await connection.execute(
                f"SELECT d.position, c.caller_id, c.state"
                f" FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS w (caller_id, ticket, number)"
                f" LEFT JOIN {SCHEMA}.decided d ON d.correlation_id = w.ticket"
                f" LEFT JOIN {SCHEMA}.caller c ON c.caller_id = w.caller_id ORDER BY w.number",
                [[caller for caller, _ in asked], [ticket for _, ticket in asked]],
            )
            rows = await found.fetchall()
        return [Seen({row[1]: load(row[2])} if row[1] is not None else {}, row[0]) for row in rows]

    async def look(self, callers: Sequence[CallerId], ticket: Ticket) -> Seen:
        """The states of these callers; those the view does not know are left out."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                f"SELECT d.position, c.caller_id, c.state"
                f" FROM (SELECT (SELECT position FROM {SCHEMA}.decided WHERE correlation_id = %s) AS position) AS d"
                f" LEFT JOIN {SCHEMA}.caller c ON c.caller_id = ANY (%s)",
                [ticket.id, list(callers)],
            )
            rows = await found.fetchall()
        return Seen({row[1]: load(row[2]) for row in rows if row[1] is not None}, rows[0][0] if rows else None)

    async def flushed_by(self, flush: FlushId) -> list[CallerId]:
        """The callers that a flush touched."""
        async with self._pool.connection() as connection:
            found = await connection.execute(f"SELECT caller_id FROM {SCHEMA}.flush WHERE flush_id = %s", [flush])
            return [CallerId(row[0]) for row in await found.fetchall()]

    async def held_by(self, username: str) -> list[CallerId]:
        """The callers that a user holds."""
        async with self._pool.connection() as connection:
            found = await connection.execute(f"SELECT caller_id FROM {SCHEMA}.caller WHERE operator = %s", [username])
            return [CallerId(row[0]) for row in await found.fetchall()]

    async def load_of(self, usernames: Sequence[Username]) -> dict[Username, int]:
        """How many callers each of these users holds."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                f"SELECT operator, count(*) FROM {SCHEMA}.caller WHERE operator = ANY (%s) GROUP BY operator",
                [list(usernames)],
            )
            return {Username(row[0]): row[1] for row in await found.fetchall()}
