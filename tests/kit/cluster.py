"""Three NATS servers as one cluster, for the contract of the log: a cluster checks the id before the position."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.servers import NatsServer, free_port, running
from richiamo_kit.store.connection import JetStreamError, api, connect

PASSWORD = "cluster"


@dataclass(frozen=True)
class Node(NatsServer):
    """One server of three."""

    number: int = 0
    routes: tuple[int, ...] = ()

    def config(self) -> str:
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.routes)
        alone = super().config().replace("server_name: richiamo", f"server_name: node{self.number}")
        listen = self.routes[self.number]
        return f'{alone}cluster {{ name: test, listen: "127.0.0.1:{listen}", routes: [{routes}] }}\n'


@asynccontextmanager
async def three_nodes(folder: Path) -> AsyncIterator[str]:
    """The URL of a cluster whose JetStream has a leader."""
    routes = tuple(free_port() for _ in range(3))
    nodes = [Node(folder / str(n), password=PASSWORD, number=n, routes=routes) for n in range(3)]
    async with AsyncExitStack() as stack:
        # A node of a cluster is ready only together with another.
        await asyncio.gather(*(stack.enter_async_context(running(node)) for node in nodes))
        client = await connect(nodes[0].url, name="cluster-test")
        async with asyncio.timeout(60):
            while not await _has_leader_and_peers(client):
                await asyncio.sleep(0.1)
        await client.close()
        yield nodes[0].url


async def _has_leader_and_peers(client: Client) -> bool:
    try:
        await api(client, "STREAM.CREATE.PROBE", {"name": "PROBE", "subjects": ["probe"], "num_replicas": 3})
    except (Unavailable, JetStreamError):
        return False
    await api(client, "STREAM.DELETE.PROBE")
    return True
