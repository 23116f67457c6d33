"""How does NATS keep the notes? The newest message of a caller's subject; what was there before is overwritten."""

import json
from datetime import datetime

from nats.aio.client import Client

from richiamo_events.ids import CallerId, NoteId, Username
from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api_patiently
from richiamo_kit.store.messages import Stored, newest_on, next_on
from richiamo_kit.store.publish import EXPECTED_POSITION, Outgoing, send
from richiamo_kit.store.streams import NOTES
from richiamo_queue.notes.port import Note, StillNewest

_WRONG_POSITION = {10071, 10164}
_TRIES = 8
_ERASED = b"{}"
"""Stands where the notes of an erased caller were: a writer who is late finds it and keeps nothing."""


class NatsNotes:
    """`Notes` on the stream that `ensure_streams` makes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, caller: CallerId) -> Note | None:
        """The note as it is kept now."""
        stored = await self._newest(caller)
        return _read(stored.body) if stored is not None else None

    async def keep(self, caller: CallerId, note: Note, still_newest: StillNewest) -> None:
        """Keep this text; of two writers the one whom the log names last has the last word."""
        body = json.dumps({"version": note.version, "text": note.text, "by": note.by, "at": note.at.isoformat()})
        for _ in range(_TRIES):
            stored = await self._newest(caller)
            there = _read(stored.body) if stored is not None else None
            erased = stored is not None and stored.body == _ERASED
            if erased or (there is not None and there.version == note.version) or not await still_newest():
                break
            if await self._put(caller, body.encode(), after=stored.position if stored else 0):
                break
        else:
            raise Unavailable("This note changes too fast; try again.")
        await self._overwrite_older(caller)

    async def forget(self, caller: CallerId) -> None:
        """Put a sign that says nothing in the place of the text."""
        for _ in range(_TRIES):
            stored = await self._newest(caller)
            done = stored is not None and stored.body == _ERASED
            if done or await self._put(caller, _ERASED, after=stored.position if stored else 0):
                break
        else:
            raise Unavailable("This note changes too fast; try again.")
        await self._overwrite_older(caller)

    async def _newest(self, caller: CallerId) -> Stored | None:
        try:
            return await newest_on(self._client, NOTES, _subject(caller))
        except JetStreamError as error:
            raise Unavailable(str(error)) from error

    async def _put(self, caller: CallerId, body: bytes, *, after: int) -> bool:
        """Whether it is stored; not when somebody else stored first, or a lost answer made us ask twice."""
        try:
            await send(self._client, [Outgoing(_subject(caller), {EXPECTED_POSITION: str(after)}, body)])
        except JetStreamError as error:
            if error.code in _WRONG_POSITION:
                return False
            raise Unavailable(str(error)) from error
        return True

    async def _overwrite_older(self, caller: CallerId) -> None:
        """Without `no_erase` the server overwrites the bytes; what a crash left behind goes with the next writing."""
        newest = await self._newest(caller)
        while newest is not None:
            try:
                first = await next_on(self._client, NOTES, _subject(caller), 1)
                if first is None or first.position >= newest.position:
                    return
                await api_patiently(
                    self._client, f"STREAM.MSG.DELETE.{NOTES}", {"seq": first.position, "no_erase": False}
                )
            except JetStreamError as error:
                if error.status != 404 and "no message found" not in error.description:
                    raise Unavailable(str(error)) from error


def _subject(caller: CallerId) -> str:
    return f"richiamo.note.{caller}"


def _read(body: bytes) -> Note | None:
    if body == _ERASED:
        return None
    told = json.loads(body)
    return Note(
        version=NoteId(told["version"]),
        text=told["text"],
        by=Username(told["by"]),
        at=datetime.fromisoformat(told["at"]),
    )
