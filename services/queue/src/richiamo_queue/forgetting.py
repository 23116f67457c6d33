"""How is a number forgotten once its caller is erased? In every place that holds it, and in an order that can be repeated."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from richiamo_events.directory import CallerDirectory
from richiamo_events.ids import CallerId
from richiamo_queue.notes.port import Notes

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Removes what leads from a caller to a person; the event in the log was written before."""

    directory: CallerDirectory
    notes: Notes
    erase_raw_records: Callable[[str], Awaitable[int]]
    """Overwrites every raw record that holds a number; answers how many."""
    wait_for_view: Callable[[int], Awaitable[None]]
    """Returns when the worklist no longer shows the number."""

    async def forget(self, caller: CallerId, position: int) -> None:
        """Forget the caller's number; `position` is that of its erasure, 0 if that was long ago.

        The directory entry goes last: without it a repeat after a crash would not know what to look for.
        """
        await self.notes.forget(caller)
        number = await self.directory.number_of(caller)
        if number is not None:
            records = await self.erase_raw_records(number)
            await self.directory.forget(caller)
            _log.info("caller_forgotten", caller_id=caller, raw_records=records)
        if position:
            await self.wait_for_view(position)
