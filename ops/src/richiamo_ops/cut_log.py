"""How is a log brought back as it was at an instant? Written anew, event by event, up to it; the rest was never there.

Positions stay as they were, for nothing is left out in between, and each event keeps the instant at which it was first
recorded (`ce-recordedtime`).
"""

import base64
import json
import tempfile
from contextlib import aclosing
from datetime import datetime
from typing import IO

from nats.aio.client import Client

from richiamo_kit.errors import Problem
from richiamo_kit.store.api import api
from richiamo_kit.store.publish import Outgoing, send
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import EVENTS

_AT_ONCE = 1000
_RECORDED = "ce-recordedtime"


async def cut(client: Client, until: datetime) -> int:
    """Make the log anew with the events recorded before `until`; how many. Raises `Problem` for a log with gaps."""
    info = await api(client, f"STREAM.INFO.{EVENTS}")
    with tempfile.TemporaryFile("w+") as kept:
        count = await _keep(client, until, kept)
        await api(client, f"STREAM.DELETE.{EVENTS}", timeout=30.0)
        await api(client, f"STREAM.CREATE.{EVENTS}", _configuration(info), timeout=30.0)
        kept.seek(0)
        await _write(client, kept)
    return count


def _configuration(info: dict[str, object]) -> dict[str, object]:
    config = info["config"]
    assert isinstance(config, dict)
    return config


async def _keep(client: Client, until: datetime, kept: IO[str]) -> int:
    count = 0
    async with aclosing(read_stream(client, EVENTS)) as messages:
        async for stored in messages:
            recorded = stored.headers.get(_RECORDED) or stored.stored_at.isoformat()
            if datetime.fromisoformat(recorded) >= until:
                break
            count += 1
            if stored.position != count:
                raise Problem(409, "gap", f"The log has a gap before position {stored.position}: bring back all of it.")
            headers = {**stored.headers, _RECORDED: recorded}
            kept.write(json.dumps([stored.subject, headers, base64.b64encode(stored.body).decode()]) + "\n")
    return count


async def _write(client: Client, kept: IO[str]) -> None:
    batch: list[Outgoing] = []
    for line in kept:
        subject, headers, body = json.loads(line)
        batch.append(Outgoing(subject, headers, base64.b64decode(body)))
        if len(batch) == _AT_ONCE:
            await send(client, batch)
            batch = []
    if batch:
        await send(client, batch)
