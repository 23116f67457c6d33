"""How does Richiamo run on several machines, on this one? Three NATS nodes, PostgreSQL, two processes of each service."""

import asyncio
import os
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from richiamo_kit import children
from richiamo_kit.children import Child, Program
from richiamo_kit.servers import PostgresServer, free_port
from tests.kit.cluster import Cluster, three_nodes
from tests.kit.servers import Restartable, restartable
from tests.platform.waiting import until

SERVICES = ("ingest", "queue", "callback-tracker", "reporting", "gateway")
PAIR = 2
ADMIN_PASSWORD = "una-password-lunga-7"


class Instance:
    """One process of a service: its environment stays, the process may be another."""

    def __init__(self, name: str, program: Program, port: int, said: Path) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self._program = program
        self._said = said
        self._child: Child | None = None

    async def start(self) -> None:
        self._child = await children.start(self._program, self._hear)

    async def ready(self) -> None:
        """Wait until it says that it can do its work."""
        async with httpx.AsyncClient(timeout=5) as client:

            async def answers() -> bool:
                assert self._child is not None
                assert self._child.alive, f"{self.name} ended, see {self._said}"
                try:
                    return (await client.get(f"{self.url}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(f"{self.name} is ready", answers)

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._child is not None
        return await self._child.stop(patience=30)

    def _hear(self, line: str) -> None:
        with self._said.open("a") as file:
            file.write(line + "\n")


@dataclass
class Site:
    """Everything that runs; `troubles` counts what was done to it."""

    nodes: Cluster
    postgres: Restartable
    instances: dict[str, list[Instance]]
    troubles: Counter[str] = field(default_factory=Counter)

    def urls(self, service: str) -> Sequence[str]:
        return [one.url for one in self.instances[service]]

    async def all_ready(self) -> None:
        await asyncio.gather(*(one.ready() for pair in self.instances.values() for one in pair))


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """A site that is ready; what its processes print lies in `folder`."""
    key = folder / "directory.key"
    key.write_text(secrets.token_hex(32))
    async with AsyncExitStack() as stack:
        nodes = await stack.enter_async_context(three_nodes(folder))
        postgres = await stack.enter_async_context(restartable(PostgresServer(folder / "postgres")))
        made = Site(nodes, postgres, {})
        for name in SERVICES:
            made.instances[name] = [_instance(name, index, made, folder, key) for index in range(PAIR)]
        for index in range(PAIR):
            for name in SERVICES:
                await made.instances[name][index].start()
                stack.push_async_callback(made.instances[name][index].stop)
            # The first of each makes what is missing, streams and tables; nothing is said of two that make it at once.
            await asyncio.gather(*(made.instances[name][index].ready() for name in SERVICES))
        yield made


def _instance(name: str, index: int, site: Site, folder: Path, key: Path) -> Instance:
    port = free_port()
    postgres = site.postgres.server
    assert isinstance(postgres, PostgresServer)
    own = {"gateway": "RICHIAMO_GATEWAY_PORT", "ingest": "RICHIAMO_INGEST_PORT"}.get(name, "RICHIAMO_OBSERVE_PORT")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("RICHIAMO_")},
        # Each begins with another node, so that a node that is cut off has clients.
        "RICHIAMO_NATS_URL": site.nodes.url_of(name, first=index),
        "RICHIAMO_NATS_REPLICAS": "3",
        "RICHIAMO_DATABASE_URL": postgres.url_as(name),
        "RICHIAMO_DATA_DIR": str(folder / f"{name}-{index}"),
        "RICHIAMO_DIRECTORY_KEY_FILE": str(key),
        "RICHIAMO_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "RICHIAMO_LOG_LEVEL": "warning",
        own: str(port),
    }
    program = Program((sys.executable, "-m", f"richiamo_{name.replace('-', '_')}"), environment, cwd=folder)
    return Instance(f"{name} {index}", program, port, folder / f"{name}-{index}.log")
