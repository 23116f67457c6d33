"""What does a test need? Real servers on free ports, a fresh log and a fresh database (pytest fixtures).

Use it with `pytest_plugins = ["richiamo_kit.testing"]` in `tests/conftest.py`. Fixtures:

- `nats_server` (session): a running `NatsServer` of this test run; `nats_url` (function): its URL, all streams deleted.
- `event_store` (function, async): a `JetStreamEventStore` on empty streams; `memory_store`: its in-memory twin.
- `postgres_url` (session): the server's URL; `database_url` (function): a fresh database;
  `module_database_url` (module): one database a module.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from richiamo_kit.servers import NatsServer, PostgresServer, free_port, running
from richiamo_kit.store.api import api
from richiamo_kit.store.jetstream import JetStreamEventStore, connect, ensure_streams
from richiamo_kit.store.memory import MemoryEventStore

_T = TypeVar("_T")
_PATIENCE = 60.0


class Background:
    """A loop of its own on which servers live while tests come and go."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-servers", daemon=True)
        self._thread.start()
        self._entered: list[AbstractAsyncContextManager[Any]] = []

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def enter(self, manager: AbstractAsyncContextManager[_T]) -> _T:
        entered = self.run(manager.__aenter__())
        self._entered.append(manager)
        return entered

    def close(self) -> None:
        while self._entered:
            self.run(self._entered.pop().__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()


@pytest.fixture(scope="session")
def background_servers() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


@pytest.fixture(scope="session")
def nats_server(background_servers: Background, tmp_path_factory: pytest.TempPathFactory) -> NatsServer:
    """A running server; its `url` holds the password."""
    server = NatsServer(tmp_path_factory.mktemp("nats"), free_port(), uuid4().hex)
    background_servers.enter(running(server))
    return server


@pytest.fixture(scope="session")
def postgres_url(background_servers: Background, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a running server's own database."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), free_port(), uuid4().hex, durable=False)
    background_servers.enter(running(server))
    return server.url


@pytest_asyncio.fixture
async def nats_url(nats_server: NatsServer) -> str:
    """The server's URL, all streams of earlier tests deleted."""
    client = await connect(nats_server.url, name="test-sweeper")
    try:
        names = await api(client, "STREAM.NAMES")
        for name in names.get("streams") or []:  # type: ignore[attr-defined]
            await api(client, f"STREAM.DELETE.{name}")
    finally:
        await client.close()
    return nats_server.url


@pytest_asyncio.fixture
async def event_store(nats_url: str) -> AsyncIterator[JetStreamEventStore]:
    """The log on empty streams; `event_store.client` is its connection."""
    client = await connect(nats_url, name="test")
    await ensure_streams(client)
    yield JetStreamEventStore(client)
    await client.close()


@pytest.fixture
def memory_store() -> MemoryEventStore:
    return MemoryEventStore()


def _fresh_database(server_url: str) -> str:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """A database that nobody has used."""
    return _fresh_database(postgres_url)


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str) -> str:
    """A database for all tests of one module."""
    return _fresh_database(postgres_url)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder for spool and secrets."""
    return tmp_path
