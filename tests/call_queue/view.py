"""How does a test get a worklist? From events in a log of memory, projected into a real PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg_pool import AsyncConnectionPool

from richiamo_events.directory import MemoryDirectory
from richiamo_events.ids import CallerId, Username
from richiamo_events.language import Event, SettingsChanged
from richiamo_events.operators import Operators
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.clock import FixedClock
from richiamo_kit.projector import Projector
from richiamo_kit.store.memory import MemoryEventStore
from richiamo_queue.notebook import Notebook
from richiamo_queue.users import User
from richiamo_queue.worklist.projection import WorklistProjection
from richiamo_queue.worklist.query import Worklist
from richiamo_queue.worklist.questions import read_question
from richiamo_queue.worklist.rows_query import Rows
from tests.call_queue import log


class Twice(WorklistProjection):
    """Applies every batch twice, as after a crash between the commit and its memory of it."""

    async def apply(self, connection: Any, batch: Any) -> Any:
        touched = await super().apply(connection, batch)
        again = await super().apply(connection, batch)
        assert not again
        return touched


@dataclass
class KnownSite:
    """What the log says about the site, told by the test."""

    settings: SiteSettings = field(default_factory=SiteSettings)
    operators: Operators = field(default_factory=Operators)


class View:
    """A worklist in the making."""

    def __init__(self, database_url: str, pool: AsyncConnectionPool) -> None:
        self.clock = FixedClock(log.minutes(60))
        self.store = MemoryEventStore(self.clock)
        self.directory = MemoryDirectory()
        self.site = KnownSite()
        self.pool = pool
        self.worklist = Worklist(pool, self.site, self.clock)
        self.rows = Rows(pool, self.site, self.clock)
        self.projector = Projector(self.store, Twice(self.directory, SiteSettings()), database_url)

    async def caller(self, number: str) -> CallerId:
        return await self.directory.resolve(number)

    async def happens(self, *events: Event, at: float = 0, subject: str | None = None) -> None:
        """Append and project these events; the log takes them at `at` minutes."""
        now = self.clock.now()
        self.clock.set(log.minutes(at))
        for event in events:
            await self.store.append([log.new(event, at, subject=subject)])
            self.site.operators = self.site.operators.changed(log.recorded(1, event))
            if isinstance(event, SettingsChanged):
                self.site.settings = self.site.settings.with_values(event.values)
        self.clock.set(now)
        await self.projector.catch_up()

    async def ask(self, username: str = "sara", role: str = "supervisor", **asked: Any) -> dict[str, Any]:
        user = {"username": username, "role": role, **asked.pop("user", {})}
        question = read_question({"user": user, **asked}, view="all")
        return await self.worklist.requests(question)

    async def ask_callers(self, **asked: Any) -> dict[str, Any]:
        user = {"username": "sara", "role": "supervisor", **asked.pop("user", {})}
        return await self.worklist.callers(read_question({"user": user, **asked}, view="open"))

    async def numbers(self, **asked: Any) -> list[str]:
        """The last digits of the numbers listed, in order."""
        return [item["number"][-1] for item in (await self.ask(**asked))["items"]]


@asynccontextmanager
async def made(database_url: str) -> AsyncIterator[View]:
    pool = database.make_pool(database_url, most=4)
    await pool.open(wait=True)
    await Notebook(pool).prepare()
    try:
        yield View(database_url, pool)
    finally:
        await pool.close()


def user(name: str = "anna", role: str = "operator", **more: Any) -> User:
    return User(username=Username(name), role=role, **more)
