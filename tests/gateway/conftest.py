"""Which gateway do these tests talk to? A real one on a free port, with the real queue service behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
import uvicorn
from pydantic import SecretStr

from richiamo_gateway.app import gateway_app
from richiamo_gateway.context import Gateway
from richiamo_gateway.settings import GatewaySettings
from richiamo_kit.servers import free_port
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.together import ended
from richiamo_queue import app as queue_app
from richiamo_queue.settings import Settings as QueueSettings
from richiamo_reporting import app as reporting_app
from richiamo_reporting.settings import Settings as ReportingSettings

ADMIN_PASSWORD = "the-first-password"


@dataclass(frozen=True)
class House:
    """A gateway that listens, and who may come in."""

    url: str
    gateway: Gateway
    stack: AsyncExitStack

    async def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client of the JSON API; `token` is sent as Bearer."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        client = httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=60)
        return await self.stack.enter_async_context(client)

    async def login(self, username: str, password: str) -> httpx.AsyncClient:
        stranger = await self.client()
        answer = await stranger.post("/session", json={"username": username, "password": password})
        answer.raise_for_status()
        return await self.client(answer.json()["token"])

    async def admin(self) -> httpx.AsyncClient:
        return await self.login("admin", ADMIN_PASSWORD)

    async def person(self, username: str, role: str = "operator", **fields: Any) -> httpx.AsyncClient:
        """A new user, logged in."""
        admin = await self.admin()
        body = {"username": username, "password": f"pw-{username}", "name": username.title(), "role": role, **fields}
        answer = await admin.post("/users", json=body)
        assert answer.status_code == 201, answer.text
        return await self.login(username, f"pw-{username}")


@asynccontextmanager
async def listening(nats_url: str, database_url: str, **more: Any) -> AsyncIterator[House]:
    """A gateway on a free port, or that of `gateway_port` among the further settings."""
    port = more.setdefault("gateway_port", free_port())
    settings = GatewaySettings(
        nats_url=SecretStr(nats_url),
        database_url=SecretStr(database_url),
        admin_password=SecretStr(ADMIN_PASSWORD),
        **more,
    )
    async with gateway_app(settings) as running, AsyncExitStack() as stack:
        server = uvicorn.Server(uvicorn.Config(running.app, port=port, log_config=None, timeout_graceful_shutdown=2))
        serving = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield House(f"http://127.0.0.1:{port}", running.app.state.gateway, stack)
        finally:
            await stack.aclose()
            running.live.close()
            server.should_exit = True
            await serving


@pytest_asyncio.fixture
async def house(nats_url: str, database_url: str) -> AsyncIterator[House]:
    async with listening(nats_url, database_url) as house:
        yield house


@pytest_asyncio.fixture
async def queue_service(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[None]:
    """The real queue service, its view following the log."""
    settings = QueueSettings(nats_url=SecretStr(nats_url), database_url=SecretStr(database_url), data_dir=data_dir)
    async with queue_app.assembled(settings) as service, side_by_side(service.projector.run, service.answer):
        yield


@pytest_asyncio.fixture
async def reporting_service(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[None]:
    """The real reporting service, its view following the log."""
    settings = ReportingSettings(nats_url=SecretStr(nats_url), database_url=SecretStr(database_url), data_dir=data_dir)
    async with (
        reporting_app.assembled(settings) as service,
        side_by_side(service.projector.run, service.trail.run, service.answer),
    ):
        yield


@asynccontextmanager
async def side_by_side(*parts: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Runs the parts of a service while the context lasts."""
    tasks = [asyncio.create_task(part()) for part in parts]
    try:
        yield
    finally:
        await ended(tasks)
