"""How is a stream read in order, without gaps, through restarts of the server? By kit's own push consumer.

`ordered_consumer` of nats-py stays silent for over 7 s after a server restart. This reader makes a consumer in the
server's memory with flow control and a heartbeat of 1 s, and makes a new one from its position when the connection
was renewed, when two heartbeats are missing, or when the delivery has a gap.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api, api_patiently
from richiamo_kit.store.client import LogClient, Raw
from richiamo_kit.store.messages import Delivery, Stored, instant_of, newest_on, parse_headers

_log = structlog.get_logger(__name__)

BATCH = 1000
_TICK = 0.2
"""Seconds between two looks at the connection while nothing arrives."""
_SILENCE = 9
"""Looks in a row without message or heartbeat after which the consumer counts as lost (1.8 s)."""
_FROM_SERVER = b"NATS/1.0 "
"""Headers of a message of the server's own begin with a status, those of a stored one with a line end."""
_IDLE_OR_FLOW = b"NATS/1.0 100"
_SECOND = 1_000_000_000


class _Lost(Exception):
    """This consumer delivers no more: make another one."""


@dataclass(slots=True)
class _Consumer:
    """One push consumer at work: what has arrived and was not taken yet."""

    subscription: Subscription | None = None
    arrived: deque[Raw] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    signs_of_life: int = 0
    number: int = 0
    reconnects: int = 0

    def take(self, message: Raw) -> None:
        self.arrived.append(message)
        self.signs_of_life += 1
        self.wake.set()


async def follow_stream(
    client: Client, stream: str, after: int = 0, *, subject: str | None = None
) -> AsyncGenerator[list[Stored], None]:
    """All messages after a position in order, live, for ever: each list holds what had arrived, at most `BATCH`."""
    if not isinstance(client, LogClient):
        raise TypeError("a stream is followed on a client made by richiamo_kit.store.connection.connect")
    position = after
    said = ""
    while True:
        consumer = _Consumer(reconnects=client.stats["reconnects"])
        try:
            await _create(client, consumer, stream, position, subject)
            said = ""
            while True:
                batch = await _drain(client, consumer)
                if batch:
                    position = batch[-1].position
                    yield batch
                else:
                    await _wait(client, consumer)
        except (_Lost, Unavailable) as lost:
            if said != str(lost):  # Once, not at every try of a long absence.
                said = str(lost)
                _log.info("stream_reader_restarts", stream=stream, position=position, reason=said)
        finally:
            await _discard(client, consumer)
        await asyncio.sleep(_TICK)


async def read_stream(
    client: Client, stream: str, after: int = 0, *, subject: str | None = None, until: int | None = None
) -> AsyncGenerator[Stored, None]:
    """The messages after a position in order, up to and with `until`, or to the stream's end of now."""
    end = await _end(client, stream, subject)
    if end <= after or (until is not None and until <= after):
        return
    async with aclosing(follow_stream(client, stream, after, subject=subject)) as batches:
        async for batch in batches:
            for stored in batch:
                if until is not None and stored.position > until:
                    return
                yield stored
                if stored.position >= end:
                    return


async def _end(client: Client, stream: str, subject: str | None) -> int:
    """The position of the newest message there is; 0 when there is none.

    The server answers "none" for the subject `>` when the newest message of all was removed, though older ones are
    there: so each subject that the stream listens to is asked for.
    """
    subjects: list[str] = [subject] if subject else []
    if not subject:
        answer = await api_patiently(client, f"STREAM.INFO.{stream}")
        configuration = answer["config"]
        subjects = list(configuration.get("subjects", ())) if isinstance(configuration, dict) else []
    return max([newest.position for one in subjects if (newest := await newest_on(client, stream, one))], default=0)


async def _create(client: LogClient, consumer: _Consumer, stream: str, position: int, subject: str | None) -> None:
    inbox = client.new_inbox()
    try:
        # Flow control bounds what the server sends ahead.
        consumer.subscription = await client.subscribe(inbox, cb=_never)
        client.take_raw(consumer.subscription._id, consumer.take)  # noqa: SLF001 -- It has no public name.
    except (nats.errors.Error, OSError) as error:
        raise _Lost(f"cannot subscribe: {error}") from error
    config: dict[str, object] = {
        "deliver_subject": inbox,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": position + 1,
        "ack_policy": "none",
        "max_deliver": 1,
        "replay_policy": "instant",
        "flow_control": True,
        "idle_heartbeat": _SECOND,
        "inactive_threshold": 5 * _SECOND,
        "mem_storage": True,
        "num_replicas": 1,
    }
    if subject is not None:
        config["filter_subject"] = subject
    try:
        await api(client, f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config}, timeout=2.0)
    except JetStreamError as error:
        # A restarting server answers for a while that it knows neither stream nor consumer: come again.
        raise _Lost(str(error)) from error


async def _never(message: Msg) -> None:
    raise AssertionError(f"{message.subject} should have come unparsed")


async def _drain(client: Client, consumer: _Consumer) -> list[Stored]:
    """Take what has arrived, answer flow control, and check that no message is missing."""
    batch: list[Stored] = []
    arrived = consumer.arrived
    while arrived and len(batch) < BATCH:
        message = arrived.popleft()
        if message.headers.startswith(_FROM_SERVER):
            if await _is_lost(client, consumer, message):
                if batch:
                    arrived.appendleft(message)
                    return batch
                raise _Lost(message.headers.decode().strip())
            continue
        delivery = Delivery.of(message.reply)
        if delivery.number != consumer.number + 1:
            if batch:
                arrived.appendleft(message)
                return batch
            raise _Lost("a message is missing")
        consumer.number = delivery.number
        batch.append(
            Stored(
                delivery.position,
                instant_of(delivery.nanoseconds),
                message.subject.decode(),
                parse_headers(message.headers),
                message.body,
            )
        )
    return batch


async def _is_lost(client: Client, consumer: _Consumer, message: Raw) -> bool:
    """Handle a message of the server's own; true if the consumer is of no use any more."""
    if not message.headers.startswith(_IDLE_OR_FLOW):
        return True
    headers = parse_headers(message.headers)
    stalled = message.reply.decode() or headers.get("Nats-Consumer-Stalled", "")
    if stalled:
        await client.publish(stalled)
    last = headers.get("Nats-Last-Consumer")
    return last is not None and int(last) > consumer.number


async def _wait(client: Client, consumer: _Consumer) -> None:
    """Wait for something to arrive; raises `_Lost` when the connection changed or the server fell silent."""
    seen = consumer.signs_of_life
    for _ in range(_SILENCE):
        consumer.wake.clear()
        if consumer.arrived:
            return
        try:
            async with asyncio.timeout(_TICK):
                await consumer.wake.wait()
        except TimeoutError:
            if client.is_closed:
                raise Unavailable("the connection to NATS is closed") from None
            if client.stats["reconnects"] != consumer.reconnects:
                raise _Lost("the connection was renewed") from None
            continue
    if consumer.signs_of_life == seen:
        raise _Lost("the server is silent")


async def _discard(client: LogClient, consumer: _Consumer) -> None:
    # Without an interested subscriber the server removes the consumer itself within 5 s.
    if consumer.subscription is not None:
        client.leave(consumer.subscription._id)  # noqa: SLF001 -- It has no public name.
        try:
            await consumer.subscription.unsubscribe()
        except nats.errors.Error as error:
            _log.debug("unsubscribe_failed", error=str(error))
