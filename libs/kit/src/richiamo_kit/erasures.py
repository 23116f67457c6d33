"""Who was forgotten, and when? The erasure register: it holds no number, only the keyed hash of one.

It is read whenever a number could come back: by ingest before it stores a late report, and by a restore before an old
directory is used again (`domain.md`, Privacy).
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.aio.client import Client

from richiamo_events.ids import CallerId
from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError
from richiamo_kit.store.publish import publish
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import ERASURES, ERASURES_PREFIX


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person forgotten: the keyed hash of the number, the caller it led to, and the instant."""

    digest: str
    caller: CallerId
    at: datetime

    def as_json(self) -> str:
        """One line of JSON, as it is stored and backed up."""
        return json.dumps({"digest": self.digest, "caller": self.caller, "at": self.at.astimezone(UTC).isoformat()})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Erasure":
        """What `as_json` wrote. Raises `ValueError`, or `KeyError`, for anything else."""
        found = json.loads(text)
        return cls(found["digest"], CallerId(found["caller"]), datetime.fromisoformat(found["at"]))


async def register(client: Client, erasure: Erasure) -> None:
    """Add to the register; a repeat does no harm. Raises `Unavailable`."""
    try:
        await publish(
            client,
            f"{ERASURES_PREFIX}.{erasure.digest}",
            erasure.as_json().encode(),
            message_id=f"{erasure.digest}|{erasure.caller}",
        )
    except JetStreamError as error:
        raise Unavailable(str(error)) from error


async def registered(client: Client, after: int = 0) -> AsyncGenerator[tuple[int, Erasure], None]:
    """The register in order, each entry with its position, from behind a position to the end of now."""
    async with aclosing(read_stream(client, ERASURES, after)) as entries:
        async for stored in entries:
            yield stored.position, Erasure.from_json(stored.body)
