"""Is anything with numbers still on its way? Asked of every ingest at once, before a person is forgotten.

Each answers twice: that it heard, and, when nothing that it took before is in its memory or its spool any more, that
it is done. An ingest that does not run cannot answer; what its spool holds is read again with the register at hand.
"""

import asyncio
import json
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from richiamo_kit.errors import Unavailable

SETTLE = "richiamo.ingest.settle"
HEARD = b"heard"
_OTHERS_HEAR_WITHIN = 0.5
"""Seconds after the first that heard; all hear it at the same time."""


@dataclass(frozen=True, slots=True)
class Settled:
    """How many instances there are, and how many reports still wait in their spools."""

    instances: int
    waiting: int


async def settled(client: Client, *, first_within: float = 2.0, done_within: float = 30.0) -> Settled:
    """Ask all ingests and wait until all have answered. Raises `Unavailable` when NATS or one of them does not."""
    inbox = client.new_inbox()
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    try:
        subscription = await client.subscribe(inbox, cb=arrived.put)
        try:
            await client.publish(SETTLE, b"", reply=inbox)
            return await _collect(arrived, first_within, done_within)
        finally:
            await subscription.unsubscribe()
    except (nats.errors.Error, OSError) as error:
        raise Unavailable(f"ingest could not be asked: {error}") from error


async def _collect(arrived: asyncio.Queue[Msg], first_within: float, done_within: float) -> Settled:
    heard = done = waiting = 0
    loop = asyncio.get_running_loop()
    until = loop.time() + first_within
    all_heard = False
    while not (all_heard and done >= heard):
        try:
            async with asyncio.timeout_at(until):
                message = await arrived.get()
        except TimeoutError:
            if all_heard:
                raise Unavailable(f"{heard - done} of {heard} ingests did not finish what they hold") from None
            all_heard, until = True, loop.time() + done_within
            continue
        if (message.headers or {}).get("Status") == "503":
            return Settled(0, 0)
        if message.data == HEARD:
            heard += 1
            if heard == 1:
                until = loop.time() + _OTHERS_HEAR_WITHIN
        else:
            done += 1
            waiting += int(json.loads(message.data)["waiting"])
    return Settled(heard, waiting)
