"""Three NATS servers as one cluster: nodes that can be killed, and cut off from the others with their clients.

Every node reaches every other through a cable of its own, which can be pulled: then each side still runs, and serves
whoever is connected to it, as when a switch between two rooms dies.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.servers import NatsServer, free_port
from richiamo_kit.store import access
from richiamo_kit.store.api import JetStreamError, api
from richiamo_kit.store.connection import connect
from tests.kit.servers import Restartable, restartable

PASSWORD = "cluster"
NODES = 3


class Cable:
    """A TCP connection between two nodes: what comes in at `port` goes to `target`, unless the cable is pulled."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._pulled = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def pull(self) -> None:
        self._pulled = True
        for end in self._ends:
            end.transport.abort()

    def plug(self) -> None:
        self._pulled = False

    async def remove(self) -> None:
        self.pull()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._pulled:
                raise ConnectionRefusedError
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, far}
        try:
            await asyncio.gather(self._carry(reader, far), self._carry(far_reader, writer))
        finally:
            self._ends -= {writer, far}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection that broke ends both its halves; which error told so is no matter.
        with suppress(OSError):
            while some := await reader.read(65536):
                writer.write(some)
                await writer.drain()
        writer.transport.abort()


@dataclass(frozen=True)
class Node(NatsServer):
    """One server of three."""

    number: int = 0
    routed: int = 0
    """The port at which the cables from the others arrive."""
    cables: tuple[int, ...] = ()

    def config(self) -> str:
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.cables)
        alone = super().config().replace("server_name: richiamo", f"server_name: node{self.number}")
        # It tells nobody where it listens, for there no cable could be pulled.
        return (
            f'{alone}cluster {{ name: test, listen: "127.0.0.1:{self.routed}", advertise: "127.0.0.1:1",'
            f" routes: [{routes}] }}\n"
        )


@dataclass(frozen=True)
class Cluster:
    """The three nodes and the cables between each two, one a direction."""

    nodes: Sequence[Restartable]
    cables: dict[tuple[int, int], Cable]

    def url_of(self, user: str, first: int = 0) -> str:
        """All addresses for one user, as `RICHIAMO_NATS_URL` takes them; `first` leads."""
        servers = [one.server for one in (*self.nodes[first:], *self.nodes[:first])]
        return ",".join(one.url_of(user) for one in servers if isinstance(one, NatsServer))

    @property
    def url(self) -> str:
        return self.url_of(access.OPS)

    def cut_off(self, node: int) -> None:
        for ends, cable in self.cables.items():
            if node in ends:
                cable.pull()

    def heal(self) -> None:
        for cable in self.cables.values():
            cable.plug()


@asynccontextmanager
async def three_nodes(folder: Path) -> AsyncIterator[Cluster]:
    """A cluster whose JetStream has a leader."""
    routed = [free_port() for _ in range(NODES)]
    async with AsyncExitStack() as stack:
        cables = {
            (here, there): Cable(routed[there]) for here in range(NODES) for there in range(NODES) if here != there
        }
        for cable in cables.values():
            await cable.lay()
            stack.push_async_callback(cable.remove)
        servers = [
            Node(
                folder / str(number),
                password=PASSWORD,
                number=number,
                routed=routed[number],
                cables=tuple(cable.port for (here, _), cable in cables.items() if here == number),
            )
            for number in range(NODES)
        ]
        # A node of a cluster is ready only together with another.
        nodes = await asyncio.gather(*(stack.enter_async_context(restartable(server)) for server in servers))
        made = Cluster(nodes, cables)
        client = await connect(made.url, name="cluster-test")
        async with asyncio.timeout(60):
            while not await _has_leader_and_peers(client):
                await asyncio.sleep(0.1)
        await client.close()
        yield made


async def _has_leader_and_peers(client: Client) -> bool:
    try:
        await api(client, "STREAM.CREATE.PROBE", {"name": "PROBE", "subjects": ["probe"], "num_replicas": 3})
    except (Unavailable, JetStreamError):
        return False
    await api(client, "STREAM.DELETE.PROBE")
    return True
