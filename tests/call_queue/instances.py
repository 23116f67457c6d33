"""How does a test run the queue service? Instances in this process, on the test's own servers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from faststream.nats import NatsBroker
from pydantic import SecretStr

from richiamo_events.envelope import NewEvent
from richiamo_events.language import Event
from richiamo_kit import database
from richiamo_kit.clock import Clock
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.messaging import ask, make_broker
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.together import ended
from richiamo_queue.app import Service, assembled
from richiamo_queue.settings import Settings
from tests.call_queue import log


class Site:
    """A site with its log, its directory, and somebody who asks the service."""

    def __init__(self, store: JetStreamEventStore, directory: NatsDirectory, broker: NatsBroker) -> None:
        self.store = store
        self.directory = directory
        self.broker = broker
        self.position = 0
        self.services: list[Service] = []
        self.database_url = ""

    async def sweeps(self) -> int:
        """Let the first instance sweep once; answers how many callers that changed."""
        async with await database.connect(self.database_url, autocommit=True) as connection:
            return await self.services[0].sweep.once(connection)

    async def happens(self, *events: Event | NewEvent, at: float = 0) -> int:
        """Append these events one after another."""
        for event in events:
            one = event if isinstance(event, NewEvent) else log.new(event, at)
            self.position = await self.store.append([one])
        return self.position

    async def ask(self, subject: str, asker: str = "anna", /, **payload: Any) -> dict[str, Any]:
        """Ask the service as this user; it answers from at least what was asked and told so far."""
        user = {"username": asker, **USERS.get(asker, {}), **payload.pop("user", {})}
        message = {"user": user, "key": None, "min_position": self.position, **payload}
        answer = await ask(self.broker, f"richiamo.queue.{subject}", message, timeout=60)
        if isinstance(position := answer.get("position"), int):
            self.position = max(self.position, position)
        return answer


USERS: dict[str, dict[str, Any]] = {
    "anna": {"role": "operator", "extension": "201"},
    "bruno": {"role": "operator", "extension": "202"},
    "sara": {"role": "supervisor", "extension": "300"},
    "root": {"role": "admin"},
}


@asynccontextmanager
async def running(
    store: JetStreamEventStore,
    nats_url: str,
    database_url: str,
    data_dir: Path,
    *,
    instances: int = 1,
    clock: Clock | None = None,
    sweeping: bool = True,
    **environment: Any,
) -> AsyncIterator[Site]:
    """So many instances of the service, with their views and timers."""
    settings = Settings(
        nats_url=SecretStr(nats_url), database_url=SecretStr(database_url), data_dir=data_dir, **environment
    )
    async with AsyncExitStack() as stack:
        tasks: list[asyncio.Task[None]] = []
        services: list[Service] = []
        for _ in range(instances):
            service = await stack.enter_async_context(assembled(settings, clock))
            services.append(service)
            tasks += [asyncio.create_task(part()) for part in (service.projector.run, service.answer)]
            if sweeping:
                tasks.append(asyncio.create_task(service.sweep.run()))
        stack.push_async_callback(_ended_well, tasks)
        broker = make_broker(nats_url, name="test")
        await broker.start()
        stack.push_async_callback(broker.stop)
        directory = NatsDirectory(store.client, read_key(data_dir / "secrets" / "directory.key"))
        site = Site(store, directory, broker)
        site.services = services
        site.database_url = database_url
        yield site


async def _ended_well(tasks: Sequence[asyncio.Task[None]]) -> None:
    """End the parts, also one that was cancelled while it connected; raises what a part failed with before."""
    await ended(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
