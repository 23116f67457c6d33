# ruff: noqa: S608 - the names put into statements are constants of this service; values are parameters.
"""Which decisions match a question, and who may read them? Filters, one page, and the queues of the reader.

A reader bound to queues sees the decisions about customers who have, or had, a request in one of them; changes of
users and settings are for administrators alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BeforeValidator, Field

from richiamo_events.directory import CallerDirectory
from richiamo_events.ids import CallerId
from richiamo_events.numbers import Number, NumberRules, normalise
from richiamo_events.settings import SiteSettings
from richiamo_kit.errors import Problem
from richiamo_kit.logging import masked
from richiamo_kit.projector import wait_for
from richiamo_reporting.audit.projection import SCHEMA
from richiamo_reporting.questions import Count, Question, Texts, User
from richiamo_reporting.reports import Reports

Answer = dict[str, Any]

MOST = 100_000
"""Rows of one workbook."""
_PEOPLE = ("operator", "by", "previous")
_ADMIN = "admin"


class AuditQuestion(Question):
    """Who, what, when and about whom; newest first."""

    who: Texts = None
    """User names, `system`, or the name by which a reader knows somebody."""
    what: Texts = None
    """Kinds of decisions."""
    caller: Annotated[str | None, BeforeValidator(lambda value: value or None)] = None
    """A number in any spelling, or the id of a caller."""
    limit: Annotated[int, BeforeValidator(lambda value: value or 100), Field(ge=1, le=MOST)] = 100
    after: Count = None
    """The position below which the page begins."""


_ENTRIES = """
FROM {audit}.entry e
WHERE (%(as_of)s::timestamptz IS NULL OR e.recorded_at <= %(as_of)s)
  AND (%(begin)s::timestamptz IS NULL OR e.at >= %(begin)s) AND (%(end)s::timestamptz IS NULL OR e.at < %(end)s)
  AND (%(who)s::text[] IS NULL OR e.actor = ANY (%(who)s))
  AND (%(what)s::text[] IS NULL OR e.kind = ANY (%(what)s))
  AND (%(caller)s::text IS NULL OR e.caller = %(caller)s)
  AND (e.caller IS NOT NULL OR %(administers)s)
  AND (e.caller IS NULL OR %(seen)s::text[] = '{{}}' OR EXISTS (
      SELECT FROM {facts}.request r WHERE r.caller = e.caller AND r.queue = ANY (%(seen)s)))
"""
_PAGE = (
    """
SELECT e.*, (
    SELECT b.details FROM {audit}.entry b WHERE b.person = e.person AND b.position < e.position
    ORDER BY b.position DESC LIMIT 1
) AS before
"""
    + _ENTRIES
    + """
  AND (%(after)s::bigint IS NULL OR e.position < %(after)s)
ORDER BY e.position DESC LIMIT %(limit)s
"""
)
_COUNT = "SELECT count(*) AS total " + _ENTRIES


class Audit:
    """Answers who did what."""

    def __init__(
        self, pool: AsyncConnectionPool, directory: CallerDirectory, reports: Reports, schema: str = SCHEMA
    ) -> None:
        self._pool = pool
        self._directory = directory
        self._reports = reports
        self._schema = schema

    async def entries(self, asked: AuditQuestion) -> Answer:
        """`{"items", "total", "next", "position", "people"}`; `people` are those whom a reader can ask about."""
        if asked.user.role not in {"supervisor", _ADMIN}:
            raise Problem(403, "forbidden", "You may not do this", "Only a supervisor can do this.")
        if asked.min_position:
            await wait_for(self._pool, self._schema, asked.min_position)
        settings, names = await self._reports.people(asked)
        parameters = await self._parameters(asked, settings, names)
        schemas = {"audit": self._schema, "facts": self._reports.schema}
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            async with connection.cursor(row_factory=dict_row) as cursor:
                rows = await (await cursor.execute(_PAGE.format(**schemas).encode(), parameters)).fetchall()
                count = await (await cursor.execute(_COUNT.format(**schemas).encode(), parameters)).fetchone()
                reached = await (
                    await cursor.execute(f"SELECT position FROM {self._schema}.checkpoint".encode())
                ).fetchone()
        more = len(rows) > asked.limit
        rows = rows[: asked.limit]
        numbers = {
            one: await self._directory.number_of(CallerId(one)) or "" for one in {row["caller"] for row in rows} if one
        }
        return {
            "items": [_item(row, numbers, names, asked.user, settings) for row in rows],
            "total": count["total"] if count else 0,
            "next": str(rows[-1]["position"]) if more else None,
            "position": reached["position"] if reached else 0,
            "people": sorted(set(names.values()), key=str.casefold),
        }

    async def _parameters(
        self, asked: AuditQuestion, settings: SiteSettings, names: Mapping[str, str]
    ) -> dict[str, Any]:
        first, last = asked.first, asked.last or asked.first
        return {
            "as_of": asked.as_of,
            "begin": _midnight(first, settings.zone) if first else None,
            "end": _midnight(last + timedelta(days=1), settings.zone) if last else None,
            "who": None if asked.who is None else _meant(asked.who, asked.user, settings, names),
            "what": None if asked.what is None else list(asked.what),
            "caller": None if asked.caller is None else await self._caller(asked.caller, settings),
            "administers": asked.user.role == _ADMIN,
            "seen": list(asked.user.queues),
            "after": asked.after,
            "limit": asked.limit + 1,
        }

    async def _caller(self, text: str, settings: SiteSettings) -> str:
        """The caller whom a number or an id names; what names nobody finds nothing."""
        read = normalise(text, NumberRules(country=settings.country))
        found = await self._directory.find(read.text) if isinstance(read, Number) else None
        return found or text


def _midnight(day: Any, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _meant(who: Sequence[str], user: User, settings: SiteSettings, names: Mapping[str, str]) -> list[str]:
    """User names of those asked for; where people are numbers, nobody is found by another name than that."""
    shown = [username for username, name in names.items() if name in who]
    if settings.operators_as_numbers:
        return shown + [one for one in who if one in {user.username, "system"}]
    return [*shown, *who]


def _item(
    row: Mapping[str, Any], numbers: Mapping[str, str], names: Mapping[str, str], user: User, settings: SiteSettings
) -> dict[str, Any]:
    def known(username: str) -> str:
        return (
            names.get(username, username) if settings.operators_as_numbers and username != user.username else username
        )

    details = dict(row["details"])
    for role in _PEOPLE:
        if isinstance(name := details.get(role), str) and name:
            details |= {role: known(name), f"{role}_name": names.get(name, name)}
    number = numbers.get(row["caller"] or "", "")
    changed = None
    if row["person"]:
        before = row["before"] or {}
        changed = {name: value for name, value in row["details"].items() if before.get(name) != value}
        details = {"username": known(row["person"]), "person_name": names.get(row["person"], row["person"])}
        details |= {"changed": {name: value for name, value in changed.items() if name != "username"}}
        details["added"] = row["before"] is None
    return {
        "position": row["position"],
        "at": row["at"].astimezone(settings.zone).isoformat(),
        "recorded_at": row["recorded_at"].astimezone(settings.zone).isoformat(),
        "kind": row["kind"],
        "actor": known(row["actor"]),
        "actor_name": names.get(row["actor"], row["actor"]),
        "caller_id": row["caller"],
        "number": masked(number) if user.masked and number else number,
        **{name: value for name, value in details.items() if name not in {"kind", "at", "position"}},
    }
