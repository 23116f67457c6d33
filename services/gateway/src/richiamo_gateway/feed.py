"""Which callers changed, and at which position? The messages of the stream CHANGES, in order.

The stream lives in the server's memory for an hour: after a restart of NATS it is a new one, and what it
had not delivered is lost, which the feed tells as a resync.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from nats.aio.client import Client

from richiamo_kit import tracing
from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api
from richiamo_kit.store.messages import Stored
from richiamo_kit.store.reader import follow_stream, read_stream
from richiamo_kit.store.streams import CHANGES, ensure_streams

_NO_SUCH_STREAM = 10059
UNKNOWN = -1
"""The position of a notice that cannot be told; 0 is that of an empty log."""
_TICK = 0.5
"""Seconds between two looks whether the connection was renewed."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """One step of the worklist: these callers' rows may differ at `position` from what they were.

    With `resync` nothing is known but that something may have changed; its position may be `UNKNOWN`.
    """

    position: int
    callers: tuple[str, ...] = ()
    resync: bool = False
    traceparent: str = field(default="", compare=False)
    """The span that told it, of a queue service that traces."""


class ChangeFeed(Protocol):
    """Where notices come from."""

    def follow(self) -> AsyncGenerator[Sequence[Notice], None]:
        """The first batch is what the last hour left (it may be empty); then what comes, for ever."""
        ...


def read_notice(body: bytes, traceparent: str = "") -> Notice:
    """A message of the queue service; one that cannot be read is a reason to read everything again."""
    try:
        told = json.loads(body)
        callers = tuple(str(caller) for caller in told.get("callers", ()))
        return Notice(int(told["position"]), callers, bool(told.get("resync", False)), traceparent)
    except (ValueError, KeyError, TypeError, AttributeError):
        _log.exception("change_not_readable")
        return Notice(UNKNOWN, resync=True)


class JetStreamFeed:
    """Reads the stream CHANGES through restarts of the server."""

    def __init__(self, client: Client, *, replicas: int = 1) -> None:
        self._client = client
        self._replicas = replicas

    async def follow(self) -> AsyncGenerator[Sequence[Notice], None]:
        """As the port says; never ends, never raises while NATS is away."""
        known: str | None = None
        sequence = 0
        while True:
            reconnects = self._client.stats["reconnects"]
            try:
                created = await self._created()
                if created != known:
                    # A new stream: what the old one held back is lost, except at our own start.
                    history, sequence = await self._history()
                    yield history if known is None else [*history, Notice(UNKNOWN, resync=True)]
                    known = created
            except (Unavailable, JetStreamError) as error:
                _log.info("changes_not_there_yet", error=str(error))
                await asyncio.sleep(_TICK)
                continue
            async with aclosing(self._connected(sequence, reconnects)) as batches:
                async for batch in batches:
                    sequence = batch[-1].position
                    yield [read_notice(stored.body, tracing.of(stored.headers)) for stored in batch]

    async def _created(self) -> str:
        """What tells this stream from one that was made anew under the same name.

        A stream in memory is gone after a restart of a single server: then it is made again here.
        """
        try:
            info = await api(self._client, f"STREAM.INFO.{CHANGES}")
        except JetStreamError as error:
            if error.code != _NO_SUCH_STREAM:
                raise
            await ensure_streams(self._client, replicas=self._replicas)
            info = await api(self._client, f"STREAM.INFO.{CHANGES}")
        return str(info["created"])

    async def _history(self) -> tuple[list[Notice], int]:
        """What the stream still holds, and the number of its newest message.

        When older messages have expired, a resync at the first one left says where the memory begins.
        """
        info = await api(self._client, f"STREAM.INFO.{CHANGES}")
        state = info["state"]
        first, last = (int(state["first_seq"]), int(state["last_seq"])) if isinstance(state, dict) else (0, 0)
        notices: list[Notice] = []
        sequence = last if first > last else 0
        async for stored in read_stream(self._client, CHANGES):
            notices.append(read_notice(stored.body))
            sequence = stored.position
        if first > 1:
            notices.insert(0, Notice(notices[0].position if notices else UNKNOWN, resync=True))
        return notices, sequence

    async def _connected(self, sequence: int, reconnects: int) -> AsyncGenerator[list[Stored], None]:
        """What arrives until the connection is renewed: then somebody has to look which stream it is."""
        async with aclosing(follow_stream(self._client, CHANGES, sequence)) as batches:
            while self._client.stats["reconnects"] == reconnects:
                following = asyncio.ensure_future(anext(batches))
                try:
                    while not following.done():
                        await asyncio.wait({following}, timeout=_TICK)
                        if self._client.stats["reconnects"] != reconnects:
                            break
                finally:
                    if not following.done():
                        following.cancel()
                        await asyncio.wait({following})
                if following.cancelled():
                    return
                yield following.result()
