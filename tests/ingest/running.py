"""How does a test stand where the PBX stands? An ingest on a free port, its log read back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.language import SettingsChanged
from richiamo_ingest.app import Service, serving
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.clock import Clock
from richiamo_kit.store.jetstream import JetStreamEventStore

INSERT = "/voipToCall/kalliopeToCall/insert/"


@dataclass
class RunningIngest:
    """An ingest and the PBX's view of it."""

    service: Service
    store: JetStreamEventStore
    pbx: httpx.AsyncClient

    async def log(self) -> list[Recorded]:
        return [event async for event in self.store.read()]

    async def facts(self) -> list[Any]:
        return [event.data for event in await self.log()]

    async def connected(self) -> None:
        await until(lambda: self.service.link.writer is not None)

    async def set(self, **values: object) -> None:
        """Change settings of the site, and wait until ingest goes by them."""
        event = NewEvent(
            id=uuid4().hex,
            subject=subjects.SETTINGS,
            data=SettingsChanged(values=values),
            occurred_at=datetime.now(UTC),
            actor="test",
            correlation_id="",
        )
        await self.store.append([event])
        await until(lambda: values.items() <= self.service.site.settings.values().items())

    async def drained(self) -> None:
        await until(lambda: self.service.intake.spool.entries == 0)


@asynccontextmanager
async def running_ingest(
    settings: IngestSettings, store: JetStreamEventStore, *, connected: bool = True, clock: Clock | None = None
) -> AsyncIterator[RunningIngest]:
    async with (
        serving(settings, clock) as service,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=60) as pbx,
    ):
        running = RunningIngest(service, store, pbx)
        if connected:
            await running.connected()
        yield running


async def until(condition: Any, within: float = 60.0) -> None:
    """Wait for something that is bound to happen."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)
