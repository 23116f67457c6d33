"""Does a client leave a NATS server that was cut off from its cluster?"""

from pathlib import Path
from typing import cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore, ensure_streams
from richiamo_kit.store.majority import stay_with_majority
from tests.kit.cluster import three_nodes
from tests.kit.events import many
from tests.platform.waiting import until


class OddServer:
    """A client of a server that answers what no NATS of today does; closed after two looks."""

    is_connected = True
    left = 0
    asked = 0

    @property
    def is_closed(self) -> bool:
        return self.asked == 2

    async def request(self, subject: str, _body: bytes, **_options: object) -> Msg:
        self.asked += 1
        return Msg(cast("Client", self), subject, data=b'{"cluster": {"replicas": [{"name": "b"}, 7]}}')

    async def force_reconnect(self) -> None:
        self.left += 1


async def test_an_answer_that_is_not_understood_ends_no_watch() -> None:
    server = OddServer()
    await stay_with_majority(cast("Client", server))
    assert (server.asked, server.left) == (2, 0)


@pytest.mark.servers
async def test_who_is_connected_to_a_node_that_was_cut_off_goes_on_with_the_others(tmp_path: Path) -> None:
    async with three_nodes(tmp_path) as cluster:
        client = await connect(cluster.url, name="test")
        await ensure_streams(client, replicas=3)
        store = JetStreamEventStore(client)
        assert await store.append(many("a", 2)) == 2
        assert client.connected_url is not None
        left = client.connected_url.port
        (node,) = [number for number, one in enumerate(cluster.nodes) if one.url.endswith(f":{left}")]
        cluster.cut_off(node)

        async def elsewhere() -> bool:
            return client.is_connected and client.connected_url is not None and client.connected_url.port != left

        await until("the client is connected to another node", elsewhere)
        # The login is shown there too, and the log goes on where it was.
        assert await store.append(many("b", 1)) == 3
        assert [event.position async for event in store.read()] == [1, 2, 3]
        await client.close()
