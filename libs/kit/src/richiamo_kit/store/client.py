"""How do we stay connected to NATS, and how does a message reach a log reader cheaply? nats-py's client, but for two things.

`SteadyClient`: on uvloop a connection that was reset raises `RuntimeError` where asyncio's raises an `OSError`. nats-py
expects only the latter: the error came out of whatever was just sent, and at the wrong moment it ended the task that
connects again, so that the process stayed deaf for ever.

`LogClient`: nats-py parses the headers of every message, checks each character, and puts it through a queue and a task:
at a dozen headers that is most of the time a view needs to catch up, and all else on the connection waits behind it.

What is overridden here is private to nats-py, whose version is locked; `tests/kit/test_client.py` and `test_store.py`
fail if it moves.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.transport import TcpTransport


class Raw(NamedTuple):
    """One message as it came from the server."""

    subject: bytes
    reply: bytes
    headers: bytes
    body: bytes


class SteadyClient(Client):
    """A client to which a closed connection is always an `OSError`."""

    async def _connect_to_server(self, s: object) -> None:
        await super()._connect_to_server(s)  # type: ignore[arg-type]  # Its type has no public name.
        if isinstance(self._transport, TcpTransport):
            self._transport = _TcpTransport(self._transport)


class _TcpTransport(TcpTransport):
    """nats-py's own, taken over once it is open."""

    def __init__(self, opened: TcpTransport) -> None:
        vars(self).update(vars(opened))

    def write(self, payload: bytes) -> None:
        with _closed_is_reset():
            super().write(payload)  # type: ignore[no-untyped-call]

    def writelines(self, payload: list[bytes]) -> None:
        with _closed_is_reset():
            super().writelines(payload)  # type: ignore[no-untyped-call]


@contextmanager
def _closed_is_reset() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ConnectionResetError(str(error)) from error


class LogClient(SteadyClient):
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
