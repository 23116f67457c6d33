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

_SUBJECTS = (subjects.SETTINGS, subjects.OPERATORS)


class SiteView:
    """Follows the few events of users and settings; `start` returns when it knows all there are now.

    `defaults` are the settings before any change, from the environment (time zone, country).
    """

    def __init__(self, store: EventStore, defaults: SiteSettings | None = None) -> None:
        self._store = store
        self.rules = Rules.initial(defaults or SiteSettings())
        self.operators = Operators()
        self.history: list[Recorded] = []
        """Every change of settings, oldest first."""
        self._reached = dict.fromkeys(_SUBJECTS, 0)
        self._moved = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def settings(self) -> SiteSettings:
        """The settings in force now."""
        return self.rules.current

    @property
    def position(self) -> int:
        """The position of the newest event of users or settings that is in."""
        return max(self._reached.values())

    @property
    def settings_position(self) -> int:
        """The position of the newest change of settings that is in."""
        return self._reached[subjects.SETTINGS]

    @property
    def ready(self) -> bool:
        """Whether it follows; false before `start` and after an event that this version cannot read."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    async def start(self) -> None:
        """Read what the log holds, then follow in the background until `stop`."""
        for subject in _SUBJECTS:
            async for event in self._store.read(subject=subject):
                await self._take(subject, event)
        self._tasks = [asyncio.create_task(self._follow(subject), name=f"site_view {subject}") for subject in _SUBJECTS]

    async def stop(self) -> None:
        """Follow no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def wait_for(self, position: int, timeout: float = 5.0) -> None:
        """Wait until everything of users and settings up to `position` of the log is in; raises `Unavailable`."""
        if position <= min(self._reached.values()):
            return
        wanted = {subject: min(position, await self._store.last_on(subject)) for subject in _SUBJECTS}
        try:
            async with asyncio.timeout(timeout), self._moved:
                await self._moved.wait_for(lambda: all(self._reached[name] >= wanted[name] for name in wanted))
        except TimeoutError as error:
            raise Unavailable("the change is in the log but not seen yet") from error

    async def _follow(self, subject: str) -> None:
        try:
            async with aclosing(self._store.follow(self._reached[subject], subject=subject)) as batches:
                async for batch in batches:
                    for event in batch:
                        await self._take(subject, event)
        except Exception:
            _log.exception("site_view_stopped", subject=subject)
            raise

    async def _take(self, subject: str, event: Recorded) -> None:
        self.rules = self.rules.changed(event)
        self.operators = self.operators.changed(event)
        if subject == subjects.SETTINGS:
            self.history.append(event)
        async with self._moved:
            self._reached[subject] = event.position
            self._moved.notify_all()
