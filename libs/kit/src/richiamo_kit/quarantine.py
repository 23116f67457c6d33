"""What could not be understood, and how is it kept for a person? Entries of the stream `QUARANTINE`, by position.

An entry holds the bytes as they came, with the reason and the instant they were first received. It forgets itself
with the stream's retention; what is removed is overwritten on the disk.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.raw_records import erase_message
from richiamo_kit.store.api import JetStreamError, api_patiently
from richiamo_kit.store.messages import MESSAGE_ID, NOT_FOUND, at_position
from richiamo_kit.store.publish import PATIENCE, Outgoing, send
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import QUARANTINE

LARGEST_KEPT = 256 * 1024
"""Bytes of a body that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was refused; `position` 0: not kept yet."""

    pbx: str
    source: str
    """The way in that refused it: `routing`, `event`, `cdr`, or `spool` for what was read but could not be written."""
    received_at: datetime
    reason: str
    body: bytes
    content_type: str = ""
    query: str = ""
    position: int = 0

    def edited(self, text: str) -> "Entry":
        """The entry with another body, in the code page of the first one if it can say it."""
        try:
            body = text.encode(self.encoding)
        except UnicodeEncodeError:
            body = text.encode()
        return replace(self, body=body, position=0)

    @property
    def encoding(self) -> str:
        try:
            self.body.decode()
        except UnicodeDecodeError:
            return "latin-1"  # Every byte is a sign there, so nothing changes on the way.
        return "utf-8"

    @property
    def text(self) -> str:
        return self.body.decode(self.encoding)


async def keep(client: Client, entry: Entry, *, patience: float = PATIENCE) -> int:
    """Store an entry and answer its position; the same one again is the same entry. Raises `Unavailable`."""
    shown = {
        "pbx": entry.pbx,
        "source": entry.source,
        "received_at": entry.received_at.isoformat(),
        "reason": entry.reason,
        "content_type": entry.content_type,
        "query": entry.query,
        "encoding": entry.encoding,
        "body": entry.body[:LARGEST_KEPT].decode(entry.encoding, "replace"),
    }
    body = json.dumps(shown).encode()
    known_by = hashlib.sha256(body).hexdigest()
    while True:
        message = Outgoing(f"richiamo.quarantine.{entry.pbx}", {MESSAGE_ID: known_by}, body)
        try:
            kept = await send(client, [message], patience=patience)
        except JetStreamError as error:
            raise Unavailable(str(error)) from error
        if not kept.duplicate or await entry_at(client, kept.position) is not None:
            return kept.position
        # The same was here and was removed, as when a repair is taken back: it is an entry of its own now.
        known_by = uuid4().hex


async def entries(client: Client) -> AsyncIterator[Entry]:
    """Every entry there is now, the oldest first."""
    async for stored in read_stream(client, QUARANTINE):
        yield _entry(stored.position, stored.body)


async def entry_at(client: Client, position: int) -> Entry | None:
    """The entry of this position; None when it was removed or forgotten. Raises `Unavailable`."""
    stored = await at_position(client, QUARANTINE, position)
    return _entry(stored.position, stored.body) if stored else None


async def remove(client: Client, position: int) -> bool:
    """Overwrite an entry; false when there was none. Raises `Unavailable`."""
    return await erase_message(client, QUARANTINE, position)


async def size(client: Client) -> int:
    """How many entries there are. Raises `Unavailable`."""
    try:
        answer = await api_patiently(client, f"STREAM.INFO.{QUARANTINE}")
    except JetStreamError as error:
        if error.code == NOT_FOUND:
            return 0
        raise Unavailable(str(error)) from error
    state = answer["state"]
    return int(state["messages"]) if isinstance(state, dict) else 0


def _entry(position: int, body: bytes) -> Entry:
    kept = json.loads(body)
    return Entry(
        position=position,
        pbx=kept["pbx"],
        source=kept["source"],
        received_at=datetime.fromisoformat(kept["received_at"]),
        reason=kept["reason"],
        body=kept["body"].encode(kept.get("encoding", "utf-8"), "replace"),
        content_type=kept["content_type"],
        query=kept["query"],
    )
