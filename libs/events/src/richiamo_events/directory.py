"""Who is behind a number? The one place that maps numbers and callers (`domain.md`, Privacy)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from richiamo_events.history import whole_second
from richiamo_events.ids import CallerId


class CallerDirectory(Protocol):
    """Maps a normalised number (`numbers.Number.text`) and the caller's opaque id, in both directions.

    Entries are created once and never changed. Every method raises the kit's `Unavailable` when the
    directory does not answer.
    """

    async def resolve(self, number: str) -> CallerId:
        """The caller of this number; a new one when it has none. Racing calls get one answer."""
        ...

    async def resolve_all(self, numbers: Collection[str]) -> dict[str, CallerId]:
        """The callers of many numbers, as `resolve` each, in fewer writes."""
        ...

    async def find(self, number: str) -> CallerId | None:
        """The caller of this number, or None; never creates one."""
        ...

    async def number_of(self, caller: CallerId) -> str | None:
        """The number of this caller; None when there is none, or when the caller was erased."""
        ...

    async def numbers_of(self, callers: Sequence[CallerId]) -> dict[CallerId, str]:
        """The numbers of many callers, as `number_of` each, in fewer questions; who has none is left out."""
        ...

    async def register_erasure(self, caller: CallerId, at: datetime) -> None:
        """Note that the person behind this caller is forgotten as of `at`; without an entry nothing is noted."""
        ...

    async def erased_since(self, number: str, at: datetime) -> bool:
        """Whether the person behind this number was forgotten after `at`, a whole second of the PBX.

        A call of then stays anonymous; one within the second of the erasure is taken for a new one.
        """
        ...

    async def read_erasures(self) -> None:
        """Know from now on everybody who was forgotten until now, by whatever process."""
        ...

    async def forget(self, caller: CallerId) -> None:
        """Remove the entry, so that nothing leads from the caller to a number; harmless when repeated."""
        ...


class MemoryDirectory:
    """The twin of the directory that keeps everything in this process, for tests."""

    def __init__(self) -> None:
        self._by_number: dict[str, CallerId] = {}
        self._erased: dict[str, datetime] = {}

    async def resolve(self, number: str) -> CallerId:
        return self._by_number.setdefault(number, CallerId(uuid4().hex))

    async def resolve_all(self, numbers: Collection[str]) -> dict[str, CallerId]:
        return {number: await self.resolve(number) for number in numbers}

    async def find(self, number: str) -> CallerId | None:
        return self._by_number.get(number)

    async def number_of(self, caller: CallerId) -> str | None:
        return next((number for number, known in self._by_number.items() if known == caller), None)

    async def numbers_of(self, callers: Sequence[CallerId]) -> dict[CallerId, str]:
        return {one: number for one in callers if (number := await self.number_of(one)) is not None}

    async def register_erasure(self, caller: CallerId, at: datetime) -> None:
        number = await self.number_of(caller)
        if number is not None:
            self._erased[number] = whole_second(at)

    async def erased_since(self, number: str, at: datetime) -> bool:
        erased = self._erased.get(number)
        return erased is not None and at < erased

    async def read_erasures(self) -> None:
        """There is no other process."""

    async def forget(self, caller: CallerId) -> None:
        self._by_number = {number: known for number, known in self._by_number.items() if known != caller}
