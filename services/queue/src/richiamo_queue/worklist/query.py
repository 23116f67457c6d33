"""Which requests, or callers, match a question? Filters, order, one page and the total, in SQL.

Everything of one answer is read in one snapshot, together with the position it shows.
"""
# ruff: noqa: S608 - the names put into statements are constants of this package; values are parameters.

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from richiamo_kit.clock import Clock
from richiamo_kit.projector import wait_for
from richiamo_queue.users import User
from richiamo_queue.worklist.availability import sort_parameters
from richiamo_queue.worklist.cursor import Mark, read_mark
from richiamo_queue.worklist.items import Site, caller_item, request_item
from richiamo_queue.worklist.ordering import order_of
from richiamo_queue.worklist.projection import SCHEMA
from richiamo_queue.worklist.questions import ListQuestion, edge
from richiamo_queue.worklist.schema import SHOWN

Answer = dict[str, object]
Item = Callable[[Mapping[str, Any], User, Site, datetime], dict[str, object]]

_RANGES = ("first_call", "last_call", "last_recall")

_REQUESTS = f"""
SELECT {SHOWN}, coalesce(n.number, '') AS number, coalesce(n.digits, '') AS digits
FROM {SCHEMA}.request r LEFT JOIN {SCHEMA}.number n USING (caller_id)
WHERE {{rows}} AND {{texts}}
"""

_RESERVED = f"""
SELECT {SHOWN}, coalesce(n.number, '') AS number, coalesce(n.digits, '') AS digits,
       CASE WHEN r.expires_at IS NULL OR r.assigned_by IS NOT NULL THEN r.expires_at
            ELSE greatest(r.expires_at, a.last_command_at + %(lease)s, e.ended_at + %(lease)s) END AS ends_at
FROM {SCHEMA}.request r LEFT JOIN {SCHEMA}.number n USING (caller_id)
LEFT JOIN queue.activity a ON a.username = r.reserved_by
LEFT JOIN {SCHEMA}.recall_ended e ON e.operator = r.reserved_by
WHERE {{rows}} AND {{texts}}
"""
"""With the instant at which each ends if its holder does nothing more (`domain.md` rule 8)."""

_CALLERS = f"""
SELECT c.*, coalesce(n.number, '') AS number, coalesce(n.digits, '') AS digits
FROM (
    SELECT caller_id, caller_id AS request_id, count(*) AS requests,
           array_agg(DISTINCT queue ORDER BY queue) AS queues, min(queue) AS queue, min(type) AS type,
           max(called) AS called, max(source) AS source, max(account_code) AS account_code,
           sum(calls)::integer AS calls, max(recalled) AS recalled,
           min(first_call) AS first_call, max(last_call) AS last_call, max(last_recall) AS last_recall,
           max(reserved_by) AS reserved_by, max(reserved_at) AS reserved_at, max(expires_at) AS expires_at,
           max(calling_by) AS calling_by, max(calling_since) AS calling_since, max(dial) AS dial,
           max(hidden_until) AS hidden_until, max(hidden_reason) AS hidden_reason
    FROM {SCHEMA}.request r WHERE {{rows}} GROUP BY caller_id HAVING bool_or({{texts}})
) c LEFT JOIN {SCHEMA}.number n USING (caller_id)
"""


@dataclass(frozen=True, slots=True)
class _List:
    """What differs between a list of requests and one of callers."""

    source: str
    item: Item


class Worklist:
    """Answers questions about the open requests, now and at past instants."""

    def __init__(self, pool: AsyncConnectionPool, site: Site, clock: Clock) -> None:
        self._pool = pool
        self._site = site
        self._clock = clock

    async def requests(self, question: ListQuestion) -> Answer:
        """One item a request: `{"items", "total", "next", "position"}` of `api.md`."""
        if question.view in ("all", "open"):
            question.user.require("supervisor")
        mine = question.view == "mine" and question.as_of is None
        return await self._page(question, _List(_RESERVED if mine else _REQUESTS, request_item))

    async def callers(self, question: ListQuestion) -> Answer:
        """One item a caller, whatever its queues."""
        question.user.require("supervisor")
        return await self._page(question, _List(_CALLERS, caller_item))

    async def _page(self, question: ListQuestion, shape: _List) -> Answer:
        order = order_of(question.sort or "-last_call")
        mark = read_mark(question.after, order.name) if question.after else None
        now = question.as_of or self._clock.now()
        pinned = datetime.fromisoformat(mark.now) if mark else now
        settings = self._site.settings
        parameters = _parameters(question, now)
        parameters["lease"] = timedelta(minutes=settings.reservation_minutes)
        parameters |= sort_parameters(pinned, settings.zone, settings.availability_minutes)
        outer = self._outer(question, parameters)
        source = shape.source.format(rows=_rows(question), texts=_texts(question))
        beyond = ""
        if mark:
            parameters |= {"key": mark.key, "after_request": mark.request_id, "after_caller": mark.caller_id}
            beyond = (
                f'WHERE (sort_key, request_id COLLATE "C", caller_id COLLATE "C") {order.beyond}'
                f" (%(key)s::{order.cast}, %(after_request)s, %(after_caller)s)"
            )
        page = (
            f"SELECT *, sort_key::text AS sort_text FROM"
            f" (SELECT matching.*, {order.key} AS sort_key FROM ({source}) AS matching WHERE {outer}) AS keyed {beyond}"
            f' ORDER BY sort_key {order.direction}, request_id COLLATE "C" {order.direction},'
            f' caller_id COLLATE "C" {order.direction} LIMIT %(limit)s'
        )
        count = f"SELECT count(*) AS total FROM ({source}) AS matching WHERE {outer}"
        if question.min_position:
            await wait_for(self._pool, SCHEMA, question.min_position)
        async with snapshot(self._pool) as connection:
            position = await view_position(connection)
            async with connection.cursor(row_factory=dict_row) as cursor:
                rows = await (await cursor.execute(page, parameters)).fetchall()
                total = await (await cursor.execute(count, parameters)).fetchone()
        more = len(rows) > question.limit
        rows = rows[: question.limit]
        return {
            "items": [shape.item(row, question.user, self._site, now) for row in rows],
            "total": total["total"] if total else 0,
            "next": _mark(rows[-1], order.name, pinned) if more else None,
            "position": position,
        }

    def _outer(self, question: ListQuestion, parameters: dict[str, Any]) -> str:
        """The filters on what a list shows, and their parameters."""
        wanted = ["true"]
        zone = self._site.settings.zone
        for column in _RANGES:
            for suffix, upper in (("from", False), ("to", True)):
                name = f"{column}_{suffix}"
                text = getattr(question, name)
                if text is not None:
                    instant, included = edge(text, zone, name=name, upper=upper)
                    parameters[name] = instant
                    sign = ("<=" if included else "<") if upper else ">="
                    wanted.append(f"{column} {sign} %({name})s")
        if question.recalled_min is not None:
            wanted.append("recalled >= %(recalled_min)s")
        if question.recalled_max is not None:
            wanted.append("recalled <= %(recalled_max)s")
        if question.caller is not None:
            wanted.append(f"{digits_seen_by(question.user)} LIKE ANY (%(parts)s)")
        return " AND ".join(wanted)


def _parameters(question: ListQuestion, now: datetime) -> dict[str, Any]:
    parameters = {
        "now": now,
        "me": question.user.username,
        "limit": question.limit + 1,
        "seen": list(question.user.queues),
        "parts": parts_of(question.caller or ""),
    }
    for name in ("queue", "type", "source", "account_code"):
        parameters[name] = list(getattr(question, name))
    for name in ("recalled_min", "recalled_max", "as_of"):
        parameters[name] = getattr(question, name)
    return parameters


def digits_seen_by(user: User) -> str:
    """The digits of `number` that this user may search: what is hidden from them is not looked through."""
    return "left(digits, greatest(length(digits) - 3, 0))" if user.masked else "digits"


def parts_of(text: str) -> list[str]:
    """The patterns that a part of a number matches: its digits, also without the 00 of an international call."""
    digits = "".join(one for one in text if one.isascii() and one.isdigit())
    if not digits:
        return []
    return [f"%{digits}%", f"{digits.removeprefix('00')}%"] if digits.startswith("00") else [f"%{digits}%"]


def _rows(question: ListQuestion) -> str:
    """Which rows are looked at: those of now or of then, that the user may see, in this view."""
    wanted = [
        "r.recorded_to = 'infinity'"
        if question.as_of is None
        else "r.recorded_from <= %(as_of)s AND r.recorded_to > %(as_of)s"
    ]
    if question.user.queues:
        wanted.append("r.queue = ANY (%(seen)s)")
    match question.view:
        case "recall":
            wanted.append("r.reserved_by IS NULL AND r.dial IS NULL")
            wanted.append("(r.hidden_until IS NULL OR r.hidden_until <= %(now)s)")
        case "mine":
            wanted.append("r.reserved_by = %(me)s AND r.dial IS NULL")
        case "calling":
            wanted.append("r.dial IS NOT NULL AND (r.reserved_by = %(me)s OR r.calling_by = %(me)s)")
        case "all" | "open":
            pass
    return " AND ".join(wanted)


def _texts(question: ListQuestion) -> str:
    given = [
        f"r.{name} = ANY (%({name})s)"
        for name in ("queue", "type", "source", "account_code")
        if getattr(question, name)
    ]
    return " AND ".join(given) or "true"


def _mark(row: Mapping[str, Any], sort: str, now: datetime) -> str:
    return Mark(sort, row["sort_text"], row["request_id"], row["caller_id"], now.isoformat()).as_text()


@asynccontextmanager
async def snapshot(pool: AsyncConnectionPool) -> AsyncIterator[AsyncConnection]:
    """A connection on which everything that is read belongs to one state of the view."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


async def view_position(connection: AsyncConnection) -> int:
    """Up to where the view holds the log."""
    row = await (await connection.execute(f"SELECT position FROM {SCHEMA}.checkpoint")).fetchone()
    return int(row[0]) if row else 0


async def view_is_there(pool: AsyncConnectionPool) -> bool:
    """Whether the view's tables have been made; false while the database does not answer."""
    try:
        async with pool.connection() as connection:
            found = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{SCHEMA}.checkpoint"])
            row = await found.fetchone()
    except (psycopg.OperationalError, PoolTimeout):
        return False
    return row is not None and bool(row[0])
