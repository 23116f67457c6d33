"""Does the NATS server we are connected to still belong to its cluster? One that was cut off is left for another.

Such a server goes on serving: readers of its own copy of the log are told that all is well and that nothing new has
come, so that without this a view would stand still, and hold its lock, for as long as the node is away.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api
from richiamo_kit.store.streams import EVENTS

_log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
LOOKS = 5
"""So many looks in a row that find no majority, and a server is left: an election takes 4 to 7 seconds."""
_SILENT = 3.0
"""Seconds after which a leader does not count on a node that it has not heard: they speak every second."""


async def stay_with_majority(client: Client) -> None:
    """Watch a client of a cluster until it is closed, or this is cancelled."""
    alone = 0
    while not client.is_closed:
        await asyncio.sleep(LOOK_EVERY)
        alone = 0 if not client.is_connected or await _is_led(client) else alone + 1
        if alone == LOOKS:
            _log.warning("nats_server_left", reason="it knows no leader of the log whom a majority follows")
            await client.force_reconnect()
            alone = 0


async def _is_led(client: Client) -> bool:
    try:
        told: Any = await api(client, f"STREAM.INFO.{EVENTS}")
        return "cluster" not in told or _followed(told["cluster"])
    except JetStreamError as error:
        # Whoever refuses for good is led: the stream is not there yet.
        return not error.passing
    except Unavailable:
        return False
    except (KeyError, TypeError):
        # Of another version of NATS perhaps: no reason to leave, and none to watch no longer.
        _log.exception("cluster_not_understood")
        return True


def _followed(cluster: Mapping[str, Any]) -> bool:
    """Whether there is a leader who hears a majority; one that was cut off believes for 10 s that it leads."""
    others = cluster.get("replicas") or []
    heard = [one for one in others if one["active"] < _SILENT * 1e9 and not one.get("offline")]
    return bool(cluster.get("leader")) and 2 * (len(heard) + 1) > len(others) + 1
