"""How is a whole stream put into a file and brought back, positions and instants as they were? By NATS' own snapshots."""

import asyncio
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api, ask_server

_CHUNK = 128 * 1024
_PATIENCE = 30.0
"""Seconds for the next chunk, or for the server to take one."""


async def save(client: Client, stream: str, file: Path) -> dict[str, Any]:
    """Write the stream as it is now into `file`; answers its configuration and state, which `bring_back` wants.

    Appends go on meanwhile and are not in it. Raises `Unavailable` when the server stops sending.
    """
    inbox = client.new_inbox()
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await client.subscribe(inbox, cb=arrived.put)
    try:
        answer = await api(
            client,
            f"STREAM.SNAPSHOT.{stream}",
            {"deliver_subject": inbox, "chunk_size": _CHUNK, "no_consumers": True},
            timeout=_PATIENCE,
        )
        with file.open("wb") as out:
            while True:
                try:
                    async with asyncio.timeout(_PATIENCE):
                        message = await arrived.get()
                except TimeoutError as error:
                    raise Unavailable(f"the snapshot of {stream} came to a halt") from error
                if not message.data:
                    break
                out.write(message.data)
                if message.reply:
                    await client.publish(message.reply)
    finally:
        await subscription.unsubscribe()
    if (message.headers or {}).get("Status", "").startswith(("4", "5")):
        raise Unavailable(f"the snapshot of {stream} failed: {message.headers}")
    return {"config": answer["config"], "state": answer["state"]}


async def bring_back(client: Client, stream: str, file: Path, saved: dict[str, Any]) -> None:
    """Make the stream from a snapshot; it must not exist. Raises `JetStreamError` when the server refuses."""
    answer = await api(client, f"STREAM.RESTORE.{stream}", dict(saved), timeout=_PATIENCE)
    target = str(answer["deliver_subject"])
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            try:
                taken = await client.request(target, chunk, timeout=_PATIENCE)
            except (nats.errors.Error, TimeoutError) as error:
                raise Unavailable(f"{stream} could not be brought back: {error}") from error
            if taken.data:
                raise JetStreamError(0, 500, f"{stream} was not taken: {taken.data.decode(errors='replace')}")
    await ask_server(client, target, b"", timeout=_PATIENCE)
