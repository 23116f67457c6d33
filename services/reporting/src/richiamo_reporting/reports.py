"""Which answer belongs to which question? Frames each question by the site's days and asks the queries."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from psycopg_pool import AsyncConnectionPool

from richiamo_events.directory import CallerDirectory
from richiamo_events.ids import CallerId
from richiamo_events.settings import Rules, SiteSettings
from richiamo_kit.clock import Clock
from richiamo_kit.projector import wait_for
from richiamo_reporting.behind.items import item
from richiamo_reporting.behind.query import all_requests_behind, condition_of, how_many, requests_behind
from richiamo_reporting.check import breaches
from richiamo_reporting.code_caller.query import code_caller
from richiamo_reporting.daily.query import parts
from richiamo_reporting.dashboard.query import dashboard
from richiamo_reporting.day.query import day
from richiamo_reporting.facts.projection import SCHEMA
from richiamo_reporting.facts.site import read_rules
from richiamo_reporting.frame import AsOf, Filters, Frame, Period, snapshot
from richiamo_reporting.historical.query import historical
from richiamo_reporting.questions import BehindQuestion, Question, WorkbookQuestion, refused
from richiamo_reporting.restated.query import restated

Answer = dict[str, Any]

_PEOPLE = "SELECT username, name, number FROM operator"


class Reports:
    """Answers questions from the view; one method a question, each from one snapshot of the view."""

    def __init__(
        self,
        pool: AsyncConnectionPool,
        directory: CallerDirectory,
        initial: SiteSettings,
        clock: Clock,
        schema: str = SCHEMA,
    ) -> None:
        self._pool = pool
        self._directory = directory
        self._initial = initial
        self._clock = clock
        self.schema = schema

    def now(self) -> datetime:
        return self._clock.now()

    async def dashboard(self, asked: Question) -> Answer:
        frame, _ = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            return await dashboard(view, await parts(view, frame))

    async def day(self, asked: Question) -> Answer:
        frame, _ = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            return await day(view, frame, frame.period.last)

    async def days(self, asked: Question) -> list[tuple[date, Answer]]:
        """The report of each day of a range."""
        frame, _ = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            return [(on, await day(view, frame, on)) for on in frame.period.days]

    async def code_caller(self, asked: Question) -> Answer:
        frame, _ = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            return await code_caller(view, await parts(view, frame))

    async def historical(self, asked: Question) -> Answer:
        frame, _ = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            return await historical(
                view, await parts(view, frame), min_callers=asked.min_callers, max_callers=asked.max_callers
            )

    async def requests(self, asked: BehindQuestion) -> Answer:
        """The requests behind a figure: `items`, how many there are in all, and where the next page begins."""
        condition = self.condition(asked)
        frame, settings = await self.framed(asked)
        offset = int(asked.after) if asked.after and asked.after.isdigit() else 0
        async with snapshot(self._pool, self.schema) as view:
            rows, total = await requests_behind(view, frame, condition, limit=asked.limit, offset=offset)
            people = await view.all(_PEOPLE, {})
        end = offset + len(rows)
        return {
            "items": await self._items(rows, asked, frame, settings, people),
            "total": total,
            "next": str(end) if end < total else None,
        }

    async def all_requests(self, asked: BehindQuestion) -> AsyncIterator[tuple[list[dict[str, object]], int]]:
        """All requests behind a figure, a thousand items at a time, from one snapshot; and how many there are in all."""
        condition = self.condition(asked)
        frame, settings = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            people = await view.all(_PEOPLE, {})
            total = await how_many(view, frame, condition)
            async for rows in all_requests_behind(view, frame, condition, size=1000):
                yield await self._items(rows, asked, frame, settings, people), total

    def condition(self, asked: BehindQuestion) -> str:
        """What picks the requests behind a figure; `Problem` 422 when there is no such figure."""
        condition = condition_of(asked.report, asked.figure)
        if condition is None:
            raise refused(f"figure: the report {asked.report} has no figure {asked.figure} with requests behind it.")
        return condition

    async def _items(
        self,
        rows: Sequence[Mapping[str, Any]],
        asked: Question,
        frame: Frame,
        settings: SiteSettings,
        people: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, object]]:
        numbers = await self._numbers({row["caller"] for row in rows})
        names = _names(people, settings, asked.user.username)
        return [
            item(
                row,
                number=numbers[row["caller"]],
                user=asked.user,
                names=names,
                settings=settings,
                now=frame.period.as_of.instant,
            )
            for row in rows
        ]

    async def restated(self, asked: Question) -> list[dict[str, Any]]:
        """The restated days of the period, with the entries that restated each."""
        frame, _ = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            return await restated(view, frame)

    async def check(self, asked: Question) -> Answer:
        """Identities that do not hold over the days asked for, each in a sentence; none when all is well."""
        frame, _ = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            found = await breaches(view, frame)
        return {
            "breaches": [
                {
                    "identity": breach.identity,
                    "day": None if breach.day is None else breach.day.isoformat(),
                    "left": breach.left,
                    "right": breach.right,
                    "requests": list(breach.requests),
                    "sentence": str(breach),
                }
                for breach in found
            ]
        }

    async def framed(self, asked: Question) -> tuple[Frame, SiteSettings]:
        """The frame of a question and the settings in force at its instant; waits for `min_position`."""
        if asked.min_position:
            await wait_for(self._pool, self.schema, asked.min_position)
        async with self._pool.connection() as connection:
            rules, _ = await read_rules(connection, self._initial, self.schema)
        # Who reads today is bound by what holds today, whatever the report is as of.
        settings = replace(_in_force(rules, asked.as_of), operators_as_numbers=rules.current.operators_as_numbers)
        as_of = AsOf(asked.as_of.astimezone(UTC), False) if asked.as_of else AsOf(self._clock.now(), True)
        first, last = asked.span(as_of.instant.astimezone(settings.zone).date())
        frame = Frame(
            Period(first, last, settings.zone, as_of),
            Filters(asked.queue, asked.type).limited_to(asked.user.queues),
        )
        return frame, settings

    async def people(self, asked: Question) -> tuple[SiteSettings, Mapping[str, str]]:
        """The settings in force, and what each user is called by whoever asks."""
        _, settings = await self.framed(asked)
        async with snapshot(self._pool, self.schema) as view:
            people = await view.all(_PEOPLE, {})
        return settings, _names(people, settings, asked.user.username)

    async def answer(self, asked: WorkbookQuestion) -> Answer:
        """The report that a workbook shows."""
        match asked.report:
            case "dashboard":
                return await self.dashboard(asked)
            case "day":
                return {"days": [{"day": on.isoformat(), **figures} for on, figures in await self.days(asked)]}
            case "code-caller":
                return await self.code_caller(asked)
            case "historical":
                return await self.historical(asked)

    async def _numbers(self, callers: set[str]) -> Mapping[str, str]:
        return {caller: await self._directory.number_of(CallerId(caller)) or "" for caller in callers}


def _in_force(rules: Rules, as_of: datetime | None) -> SiteSettings:
    return rules.current if as_of is None else rules.at(as_of)


def _names(people: Sequence[Mapping[str, Any]], settings: SiteSettings, reader: str) -> Mapping[str, str]:
    """What each user is called in a report: by name, or as a number to all but themselves when the site wants that."""
    return {
        one["username"]: f"Op. {one['number']}"
        if settings.operators_as_numbers and one["username"] != reader
        else one["name"]
        for one in people
    }
