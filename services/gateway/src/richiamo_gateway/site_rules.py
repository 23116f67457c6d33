"""Which settings does the site have, and how do they change? Every change is an event in the log."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import structlog

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.language import SettingsChanged
from richiamo_events.settings import SiteSettings, validate
from richiamo_gateway import problem
from richiamo_gateway.plain_text import all_plain
from richiamo_kit.clock import Clock
from richiamo_kit.errors import StreamMoved
from richiamo_kit.log_view import SiteView
from richiamo_kit.store.port import EventStore

_TRIES = 5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Changed:
    """The settings after a change, and the position that says so."""

    position: int
    settings: SiteSettings


class SiteRules:
    """Reads and changes the settings of the site."""

    def __init__(self, store: EventStore, site: SiteView, clock: Clock) -> None:
        self._store = store
        self._site = site
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    @property
    def current(self) -> SiteSettings:
        return self._site.settings

    async def caught_up(self, position: int) -> None:
        """Waits until the view holds every change of a setting up to `position`; raises `Unavailable`."""
        await self._site.wait_for(min(position, await self._store.last_on(subjects.SETTINGS)))

    async def change(self, values: Mapping[str, Any], *, by: str, key: str | None) -> Changed:
        """Changes the settings named in `values`; what already has that value is left out.

        Raises the problem `invalid` (422) with a sentence for each setting that cannot be taken.
        """
        wrong = validate(values)
        wrong |= {
            name: "Must not hold control characters." for name, value in values.items() if not all_plain([name, value])
        }
        if wrong:
            raise problem.invalid("These settings cannot be taken.", wrong)
        async with self._one_at_a_time:
            for _ in range(_TRIES):
                expected = await self._store.last_on(subjects.SETTINGS)
                await self._site.wait_for(expected)
                before = self.current.values()
                wanted = self.current.with_values(values).values()
                news = {name: wanted[name] for name in values if wanted[name] != before[name]}
                if not news:
                    return Changed(expected, self.current)
                try:
                    position = await self._append(news, expected, by, key)
                except StreamMoved:
                    continue
                await self._site.wait_for(position)
                _log.info("settings_changed", by=by, names=sorted(news))
                return Changed(position, self.current)
        raise StreamMoved([subjects.SETTINGS])

    async def _append(self, values: dict[str, object], expected: int, by: str, key: str | None) -> int:
        event_id = str(uuid4() if key is None else uuid5(NAMESPACE_URL, f"richiamo:{by}:{key}"))
        event = NewEvent(
            id=event_id,
            subject=subjects.SETTINGS,
            data=SettingsChanged(values=values),
            occurred_at=self._clock.now(),
            actor=f"user:{by}",
            correlation_id=event_id,
        )
        return await self._store.append([event], expected=expected)
