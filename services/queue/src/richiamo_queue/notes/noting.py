"""What does the note about a customer say, and who may write it? The subjects that read and write notes.

The log decides whose writing counts (`write_note`); the text follows it into its own place. Whoever reads
between the two waits for the text, so that nobody writes on top of what they have not seen.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from richiamo_events.caller import Caller
from richiamo_events.ids import CallerId, NoteId
from richiamo_kit.errors import Problem
from richiamo_queue import payloads
from richiamo_queue.caller.commands import WriteNote
from richiamo_queue.caller.errors import NoteChanged, UnknownCaller
from richiamo_queue.commanding import Commanding
from richiamo_queue.notes.port import Note, Notes
from richiamo_queue.ticket import Ticket
from richiamo_queue.users import User
from richiamo_queue.worklist.items import Site, shown_instant
from richiamo_queue.worklist.rows_query import Rows

Answer = dict[str, Any]

_LOOKS = 20
_LOOK_AGAIN = 0.1
"""So long a reader waits for a text whose writing is in the log: 2 s; after that its writer has died."""


class Noting:
    """Reads and writes notes; one method a subject."""

    def __init__(
        self,
        notes: Notes,
        rows: Rows,
        commanding: Commanding,
        site: Site,
        newest: Callable[[CallerId], Awaitable[int]],
    ) -> None:
        self._notes = notes
        self._rows = rows
        self._commanding = commanding
        self._site = site
        self._newest = newest
        """The position of the newest event of a caller, as the log knows it."""

    async def notes(self, payload: Answer) -> Answer:
        """The notes of some callers; those whom the user may not see are left out."""
        asked = payloads.read(payloads.ReadNotes, payload)
        if asked.min_position:
            await self._rows.wait_for(asked.min_position)
        items = []
        for caller_id in asked.caller_ids:
            found = await self._rows.caller(caller_id)
            if found is not None and asked.user.knows(found[0]):
                items.append(await self.shown(caller_id))
        return {"items": items}

    async def write_note(self, payload: Answer) -> Answer:
        """Write the note about a caller. Refused with what it says now when somebody else wrote meanwhile."""
        asked = payloads.read(payloads.WriteNote, payload)
        user = asked.user
        await self._known(user, asked.caller_id)

        async def run(ticket: Ticket, at: datetime) -> Answer:
            version = NoteId(ticket.derive("note"))
            command = WriteNote(by=user.username, note=version, base=asked.version, emptied=not asked.text)
            answer = await self._commanding.one(ticket, user, at, asked.caller_id, command)

            async def still_newest() -> bool:
                return (await self._known(user, asked.caller_id)).note == version

            note = Note(version=version, text=asked.text, by=user.username, at=at)
            await self._notes.keep(asked.caller_id, note, still_newest)
            return {**answer, "version": version}

        content = [asked.caller_id, asked.version, asked.text]
        try:
            return await self._commanding.once("write_note", user, asked.key, content, run)
        except Problem as problem:
            if problem.type == NoteChanged.type:
                # Added here, for an answer that is remembered must not hold a text about a customer.
                problem.extra["note"] = await self.shown(asked.caller_id)
            raise

    async def shown(self, caller_id: CallerId) -> Answer:
        """The note with the version to write on top of; an empty text when there is none."""
        version, note = await self._together(caller_id)
        zone = self._site.settings.zone
        return {
            "caller_id": caller_id,
            "text": note.text if note else "",
            "version": version,
            "by": note.by if note else None,
            "by_name": self._site.operators.name_of(note.by) if note else None,
            "at": shown_instant(note.at, zone) if note else None,
        }

    async def _together(self, caller_id: CallerId) -> tuple[NoteId, Note | None]:
        """The version that the log names last, and its text."""
        for _ in range(_LOOKS):
            version = await self._version(caller_id)
            note = await self._notes.read(caller_id)
            if (note.version if note is not None else "") == version:
                return version, note
            await asyncio.sleep(_LOOK_AGAIN)
        return await self._version(caller_id), await self._notes.read(caller_id)

    async def _version(self, caller_id: CallerId) -> NoteId:
        await self._rows.wait_for(await self._newest(caller_id))
        found = await self._rows.caller(caller_id)
        return found[0].note if found is not None and not found[0].erased else NoteId("")

    async def _known(self, user: User, caller_id: CallerId) -> Caller:
        await self._rows.wait_for(await self._newest(caller_id))
        found = await self._rows.caller(caller_id)
        if found is None or not user.knows(found[0]):
            raise UnknownCaller
        return found[0]
