"""How does a message reach a log reader cheaply? A NATS client that hands it over as bytes.

nats-py parses the headers of every message, checks each character, and puts it through a queue and a task: at a dozen
headers that is most of the time a view needs to catch up, and all else on the connection waits behind it. What is
overridden here is private to nats-py, whose version is locked; `tests/kit/test_store.py` fails if it moves.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import NamedTuple

from nats.aio.client import Client


class Raw(NamedTuple):
    """One message as it came from the server."""

    subject: bytes
    reply: bytes
    headers: bytes
    body: bytes


class LogClient(Client):
    """A client some of whose subscriptions get their messages unparsed; see `take_raw`."""

    def __init__(self) -> None:
        super().__init__()
        self._takers: dict[int, Callable[[Raw], None]] = {}
        self._companions: list[asyncio.Task[None]] = []

    def accompany(self, companion: Coroutine[object, object, None]) -> None:
        """Run it beside the client, until this is closed."""
        self._companions.append(asyncio.create_task(companion))

    async def close(self) -> None:
        """End the connection; a server that has just died is no trouble then."""
        for companion in self._companions:
            companion.cancel()
        with suppress(OSError):
            await super().close()

    def take_raw(self, subscription: int, taker: Callable[[Raw], None]) -> None:
        """Give all messages of a subscription to `taker`, which must not block."""
        self._takers[subscription] = taker

    def leave(self, subscription: int) -> None:
        """The opposite of `take_raw`."""
        self._takers.pop(subscription, None)

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        taker = self._takers.get(sid)
        if taker is None:
            await super()._process_msg(sid, subject, reply, data, headers)  # type: ignore[arg-type]  # None is usual.
            return
        self.stats["in_msgs"] += 1
        self.stats["in_bytes"] += len(data)
        taker(Raw(bytes(subject), bytes(reply), bytes(headers or b""), bytes(data)))
