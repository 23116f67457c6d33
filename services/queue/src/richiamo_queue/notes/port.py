"""Where is the text of a note kept? Beside the log, so that it can be forgotten (`domain.md`, Privacy)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from richiamo_events.ids import CallerId, NoteId, Username

StillNewest = Callable[[], Awaitable[bool]]
"""Whether the log knows no newer version than this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The newest text about one caller; empty when its writer emptied it."""

    version: NoteId
    text: str
    by: Username
    at: datetime


class Notes(Protocol):
    """The newest note of each caller. Every method raises `Unavailable` when the store does not answer."""

    async def read(self, caller: CallerId) -> Note | None:
        """The note as it is kept now; None when there is none, or the caller was erased."""
        ...

    async def keep(self, caller: CallerId, note: Note, still_newest: StillNewest) -> None:
        """Keep this text and overwrite the older one; does nothing for an erased caller or an outdated version."""
        ...

    async def forget(self, caller: CallerId) -> None:
        """Overwrite every text about the caller, and take no further one; harmless when repeated."""
        ...
