"""How do these callers' rows look now? And how many are there? What live pages ask after each change."""
# ruff: noqa: S608 - the names put into statements are constants of this package; values are parameters.

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from richiamo_events.caller import Caller, load
from richiamo_events.ids import CallerId
from richiamo_kit.clock import Clock
from richiamo_kit.projector import wait_for
from richiamo_queue.caller.errors import Malformed
from richiamo_queue.users import User
from richiamo_queue.worklist.items import Site, request_item
from richiamo_queue.worklist.projection import SCHEMA
from richiamo_queue.worklist.query import Answer, digits_seen_by, parts_of, snapshot, view_position
from richiamo_queue.worklist.schema import SHOWN

_LOOKED_THROUGH = 200
"""Closed callers that match, before it is asked which of them the user may know."""

_ROWS = f"""
SELECT {SHOWN}, coalesce(n.number, '') AS number
FROM {SCHEMA}.request r LEFT JOIN {SCHEMA}.number n USING (caller_id)
WHERE r.caller_id = ANY (%(callers)s) AND {{then}}
  AND (%(seen)s::text[] = '{{{{}}}}' OR r.queue = ANY (%(seen)s))
ORDER BY r.caller_id, r.first_call
"""

_SUMMARY = f"""
SELECT count(*) FILTER (WHERE free) AS requests,
       count(DISTINCT caller_id) FILTER (WHERE free) AS callers,
       count(DISTINCT caller_id) FILTER (WHERE reserved_by = %(me)s) AS mine
FROM (
    SELECT r.*, reserved_by IS NULL AND dial IS NULL AND (hidden_until IS NULL OR hidden_until <= %(now)s) AS free
    FROM {SCHEMA}.request r
    WHERE {{then}} AND (%(seen)s::text[] = '{{{{}}}}' OR queue = ANY (%(seen)s))
) AS then_open
"""

_WITHHELD = f"""
SELECT count(*), EXISTS (SELECT FROM {SCHEMA}.caller) OR EXISTS (SELECT FROM {SCHEMA}.withheld) FROM {SCHEMA}.withheld
WHERE at >= %(begin)s AND at < %(end)s AND at <= %(until)s AND (%(seen)s::text[] = '{{}}' OR queue = ANY (%(seen)s))
"""

_CLOSED = f"""
SELECT c.caller_id, c.state, n.number
FROM {SCHEMA}.number n JOIN {SCHEMA}.caller c USING (caller_id)
WHERE NOT c.is_open AND {{digits}} LIKE ANY (%s)
ORDER BY c.position DESC LIMIT {_LOOKED_THROUGH}
"""

_NOW = "recorded_to = 'infinity'"
_THEN = "recorded_from <= %(now)s AND recorded_to > %(now)s"


class Rows:
    """Answers what a live page asks about callers it already knows."""

    def __init__(self, pool: AsyncConnectionPool, site: Site, clock: Clock) -> None:
        self._pool = pool
        self._site = site
        self._clock = clock

    async def rows(
        self, user: User, callers: Sequence[str], min_position: int | None = None, as_of: datetime | None = None
    ) -> Answer:
        """Every open request of these callers in whatever state, and which of them have none open; now, or `as_of`."""
        if min_position:
            await wait_for(self._pool, SCHEMA, min_position)
        now = as_of or self._clock.now()
        rows = _ROWS.format(then=_THEN if as_of else _NOW)
        parameters = {"callers": list(callers), "seen": list(user.queues), "now": now}
        async with snapshot(self._pool) as connection:
            position = await view_position(connection)
            async with connection.cursor(row_factory=dict_row) as cursor:
                listed = await (await cursor.execute(rows, parameters)).fetchall()
        present = {row["caller_id"] for row in listed}
        return {
            "items": [request_item(row, user, self._site, now) for row in listed],
            "callers": [one for one in callers if one not in present],
            "position": position,
        }

    async def summary(
        self, user: User, day: str | None = None, min_position: int | None = None, as_of: datetime | None = None
    ) -> Answer:
        """How many requests and callers wait, how many are mine, how many withheld calls the day has; or had `as_of`.

        `heard` says whether any call was ever reported: an empty list means something else before.
        """
        if min_position:
            await wait_for(self._pool, SCHEMA, min_position)
        now = as_of or self._clock.now()
        summary = _SUMMARY.format(then=_THEN if as_of else _NOW)
        zone = self._site.settings.zone
        asked = _day(day) if day else now.astimezone(zone).date()
        parameters = {
            "me": user.username,
            "now": now,
            "seen": list(user.queues),
            "until": as_of or datetime.max.replace(tzinfo=UTC),
            "begin": datetime.combine(asked, time(), zone),
            "end": datetime.combine(asked + timedelta(days=1), time(), zone),
        }
        async with snapshot(self._pool) as connection:
            position = await view_position(connection)
            async with connection.cursor(row_factory=dict_row) as cursor:
                counts = await (await cursor.execute(summary, parameters)).fetchone()
            withheld, heard = await (await connection.execute(_WITHHELD, parameters)).fetchone() or (0, False)
        return {**(counts or {}), "withheld_today": withheld, "heard": heard, "position": position}

    async def caller(self, caller_id: CallerId) -> tuple[Caller, bool] | None:
        """The state of one caller, and whether shared subjects hold facts about it; None when unknown."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                f"SELECT state, shared FROM {SCHEMA}.caller WHERE caller_id = %s", [caller_id]
            )
            row = await found.fetchone()
        return None if row is None else (load(row[0]), row[1])

    async def closed(self, user: User, text: str, limit: int) -> Answer:
        """Callers without an open request whose number holds these digits, the one touched last first, for a search."""
        async with self._pool.connection() as connection:
            found = await connection.execute(_CLOSED.format(digits=digits_seen_by(user)), [parts_of(text)])
            listed = [(row[0], load(row[1]), row[2]) for row in await found.fetchall()]
        items = [
            {
                "caller_id": caller_id,
                "number": user.shown(number),
                "queues": sorted({one.queue for one in caller.requests if one.queue and user.sees(one.queue)}),
            }
            for caller_id, caller, number in listed
            if any(user.sees(one.queue) for one in caller.requests)
        ]
        return {"items": items[:limit]}

    async def number(self, caller_id: CallerId) -> str:
        """The caller's number; empty when it was erased or never asked for."""
        async with self._pool.connection() as connection:
            found = await connection.execute(f"SELECT number FROM {SCHEMA}.number WHERE caller_id = %s", [caller_id])
            row = await found.fetchone()
        return row[0] if row else ""

    async def wait_for(self, position: int) -> None:
        """Wait until the view holds this position."""
        await wait_for(self._pool, SCHEMA, position)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Malformed("day: must be a day such as 2026-01-31.") from error
