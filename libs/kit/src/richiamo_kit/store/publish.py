"""How does a message get into a stream for certain? Repeated with the same id until the stream says where it is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import nats.errors
from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, ask_server
from richiamo_kit.store.messages import MESSAGE_ID

EXPECTED_POSITION = "Nats-Expected-Last-Subject-Sequence"
ANSWER_WITHIN = 1.0
"""Seconds for one answer. A publish at the moment of a loss may be stored nowhere: better soon again."""
PATIENCE = 8.0
"""Seconds for all tries of one append: longer than a new leader needs (4 to 7 s)."""

_ID_IN_PROCESS = 10158
_BATCH_INCOMPLETE = 10176
_TOO_MANY_OPEN_BATCHES = 10210
_TOO_LARGE = 10199
_PASSING = {_ID_IN_PROCESS, _BATCH_INCOMPLETE, _TOO_MANY_OPEN_BATCHES}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way into a stream."""

    subject: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Where the (last) message is; `duplicate` if its id was there before."""

    position: int
    duplicate: bool


async def publish(
    client: Client, subject: str, body: bytes, *, message_id: str, headers: Mapping[str, str] | None = None
) -> Acknowledged:
    """Store one message in the stream that listens to this subject; returns when it is on disk there.

    An id known to the stream (within its window) is not stored again. Raises `Unavailable` after 8 s.
    """
    return await send(client, [Outgoing(subject, {**(headers or {}), MESSAGE_ID: message_id}, body)])


async def send(client: Client, messages: Sequence[Outgoing], *, patience: float = PATIENCE) -> Acknowledged:
    """Store the messages, all or none when there are several, and repeat while the outcome is unknown.

    Raises `JetStreamError` for a lasting refusal (a wrong position, a known id in a batch), `ValueError` for more
    messages than the server takes at once, and `Unavailable` after `patience` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            if len(messages) == 1:
                return await _send_one(client, messages[0])
            return await _send_batch(client, messages)
        except Unavailable:
            if loop.time() >= deadline:
                raise
        except JetStreamError as error:
            if error.code == _TOO_LARGE:
                raise ValueError(f"{len(messages)} messages are more than the log takes at once") from error
            if not error.passing and error.code not in _PASSING:
                raise
            if loop.time() >= deadline:
                raise Unavailable(str(error)) from error
        await asyncio.sleep(0.05)


async def _send_one(client: Client, message: Outgoing) -> Acknowledged:
    answer = await ask_server(client, message.subject, message.body, headers=message.headers, timeout=ANSWER_WITHIN)
    return Acknowledged(int(str(answer["seq"])), bool(answer.get("duplicate", False)))


async def _send_batch(client: Client, messages: Sequence[Outgoing]) -> Acknowledged:
    """One atomic batch. A repeated batch has a new batch id; the message ids keep it from being stored twice."""
    batch = uuid4().hex
    for number, message in enumerate(messages[:-1], start=1):
        headers = {**message.headers, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        try:
            await client.publish(message.subject, message.body, headers=headers)
        except (nats.errors.Error, OSError) as error:
            raise Unavailable(f"NATS takes no message now: {error}") from error
    last = messages[-1]
    headers = {
        **last.headers,
        "Nats-Batch-Id": batch,
        "Nats-Batch-Sequence": str(len(messages)),
        "Nats-Batch-Commit": "1",
    }
    # A large batch takes its time to arrive and to be written: 20,000 messages about 0.5 s.
    timeout = ANSWER_WITHIN + len(messages) / 5_000
    answer = await ask_server(client, last.subject, last.body, headers=headers, timeout=timeout)
    return Acknowledged(int(str(answer["seq"])), False)
