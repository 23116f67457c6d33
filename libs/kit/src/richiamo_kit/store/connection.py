"""How does one connect to the log's NATS server, or to a cluster of them?"""

import asyncio
import random
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.client import LogClient
from richiamo_kit.store.majority import stay_with_majority

_log = structlog.get_logger(__name__)

OUTBOUND_BYTES = 64 * 1024 * 1024
"""What may wait for a reconnect: more than an atomic batch of 20,000 events."""


async def connect(nats_url: str, *, name: str = "richiamo", wait: float = 30.0) -> LogClient:
    """A client that reconnects for ever and notices a hung server within about 10 s.

    Waits up to `wait` seconds for the server to appear, then raises `Unavailable`. End it with `close()`: `drain()`
    does not end when the server is gone.
    """
    client = LogClient()
    address = Address.of(nats_url)
    try:
        # Told to reconnect for ever, the client also waits for its first connection by itself.
        async with asyncio.timeout(wait):
            await client.connect(
                address.servers,
                name=name,
                # Said outright, so that it is shown to the servers too of which the cluster tells.
                user=address.user or None,
                password=address.password or None,
                connect_timeout=2,
                ping_interval=5,
                max_outstanding_pings=2,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.2,  # type: ignore[arg-type]  # Seconds; fractions work.
                pending_size=OUTBOUND_BYTES,
                allow_reconnect=True,
                # The servers are shuffled already: whoever leaves one tries all others first.
                dont_randomize=True,
                inbox_prefix=inbox_of(address.user),
                error_cb=_on_error,
                disconnected_cb=partial(_on_disconnected, client),
                reconnected_cb=_on_reconnected,
            )
    except (OSError, nats.errors.Error, TimeoutError) as error:
        await client.close()
        raise Unavailable(f"no NATS server answers: {error}") from error
    if address.cluster:
        client.accompany(stay_with_majority(client))
    return client


class Address(NamedTuple):
    """What `RICHIAMO_NATS_URL` says: where the servers of the log are, and who connects (empty: whoever comes)."""

    servers: list[str]
    user: str
    password: str

    @property
    def cluster(self) -> bool:
        return len(self.servers) > 1

    @staticmethod
    def of(nats_url: str) -> "Address":
        """Take apart one address, or several with commas between, all for the same user; these in any order."""
        parts = [urlsplit(one.strip()) for one in nats_url.split(",")]
        servers = [one._replace(netloc=one.netloc.rpartition("@")[2]).geturl() for one in parts]
        return Address(random.sample(servers, len(servers)), parts[0].username or "", parts[0].password or "")


def inbox_of(user: str) -> str:
    """Where the answers to this user's questions come; without a user, where everybody's do."""
    return f"_INBOX_{user}" if user else "_INBOX"


async def _on_error(error: Exception) -> None:
    _log.warning("nats_error", error=str(error) or type(error).__name__)


async def _on_disconnected(client: Client) -> None:
    if not client.is_closed:
        _log.warning("nats_disconnected")


async def _on_reconnected() -> None:
    _log.info("nats_reconnected")
