"""Which users and settings are there now? A small view of the log in every service's memory."""

import asyncio
from contextlib import aclosing

import structlog

from richiamo_events import subjects
from richiamo_events.envelope import Recorded
from richiamo_events.operators import Operators
from richiamo_events.settings import Rules, SiteSettings
from richiamo_kit.errors import Unavailable
from richiamo_kit.store.port import EventStore

_log = structlog.get_logger(__name__)


class SiteView:
    """Follows the few events of users and settings; `start` returns when it knows all there are now.

    `defaults` are the settings before any change, from the environment (time zone, country).
    """

    def __init__(self, store: EventStore, defaults: SiteSettings | None = None) -> None:
        self._store = store
        self.rules = Rules.initial(defaults or SiteSettings())
        self.operators = Operators()
        self.position = 0
        self.settings_position = 0
        self.history: list[Recorded] = []
        """Every change of settings, oldest first."""
        self._moved = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def settings(self) -> SiteSettings:
        """The settings in force now."""
        return self.rules.current

    async def start(self) -> None:
        """Read what the log holds, then follow in the background until `stop`."""
        for subject in (subjects.SETTINGS, subjects.OPERATORS):
            after = 0
            async for event in self._store.read(subject=subject):
                await self._take(event)
                after = event.position
            self._tasks.append(asyncio.create_task(self._follow(subject, after), name=f"site_view {subject}"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def wait_for(self, position: int, timeout: float = 5.0) -> None:
        """Wait until the event at `position`, one of users or settings, is in; raises `Unavailable`."""
        try:
            async with asyncio.timeout(timeout), self._moved:
                await self._moved.wait_for(lambda: self.position >= position)
        except TimeoutError as error:
            raise Unavailable("the change is in the log but not seen yet") from error

    async def _follow(self, subject: str, after: int) -> None:
        async with aclosing(self._store.follow(after, subject=subject)) as batches:
            async for batch in batches:
                for event in batch:
                    await self._take(event)

    async def _take(self, event: Recorded) -> None:
        if event.subject == subjects.SETTINGS:
            self.rules = self.rules.changed(event)
            self.settings_position = event.position
            self.history.append(event)
        self.operators = self.operators.changed(event)
        async with self._moved:
            self.position = max(self.position, event.position)
            self._moved.notify_all()
