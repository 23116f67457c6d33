"""Who is behind a number? The one place that maps numbers and callers (`domain.md`, Privacy)."""

from typing import Protocol
from uuid import uuid4

from richiamo_events.ids import CallerId


class CallerDirectory(Protocol):
    """Maps a normalised number (`numbers.Number.text`) and the caller's opaque id, in both directions.

    Entries are created once and never changed. Every method raises the kit's `Unavailable` when the
    directory does not answer.
    """

    async def resolve(self, number: str) -> CallerId:
        """The caller of this number; a new one when it has none. Racing calls get one answer."""
        ...

    async def find(self, number: str) -> CallerId | None:
        """The caller of this number, or None; never creates one."""
        ...

    async def number_of(self, caller: CallerId) -> str | None:
        """The number of this caller; None when there is none, or when the caller was erased."""
        ...

    async def forget(self, caller: CallerId) -> None:
        """Remove the entry, so that nothing leads from the caller to a number; harmless when repeated."""
        ...


class MemoryDirectory:
    """The twin of the directory that keeps everything in this process, for tests."""

    def __init__(self) -> None:
        self._by_number: dict[str, CallerId] = {}

    async def resolve(self, number: str) -> CallerId:
        return self._by_number.setdefault(number, CallerId(uuid4().hex))

    async def find(self, number: str) -> CallerId | None:
        return self._by_number.get(number)

    async def number_of(self, caller: CallerId) -> str | None:
        return next((number for number, known in self._by_number.items() if known == caller), None)

    async def forget(self, caller: CallerId) -> None:
        self._by_number = {number: known for number, known in self._by_number.items() if known != caller}
