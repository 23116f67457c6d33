"""How is a number forgotten once its caller is erased? In every place that holds it, and in an order that can be repeated."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from richiamo_events.directory import CallerDirectory
from richiamo_events.ids import CallerId
from richiamo_kit.settling import Settled
from richiamo_queue.notes.port import Notes

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Removes what leads from a caller to a person; the event in the log was written before."""

    directory: CallerDirectory
    notes: Notes
    settle: Callable[[], Awaitable[Settled]]
    """Returns when no ingest holds anything that it took before the erasure was registered."""
    erase_raw_records: Callable[[str], Awaitable[int]]
    """Overwrites every raw record that holds a number; answers how many."""
    wait_for_view: Callable[[int], Awaitable[None]]
    """Returns when the worklist no longer shows the number."""
    scrub: Callable[[str], Awaitable[bool]]
    """Removes what is left of a number in the files of PostgreSQL; false when it may not."""
    kept_by_several_nodes: Callable[[], Awaitable[bool]]
    """Whether NATS keeps what it was told to overwrite in consensus logs as well."""

    async def forget(self, caller: CallerId, position: int, at: datetime) -> list[str]:
        """Forget the caller's number; `position` is that of its erasure, 0 if that was long ago.

        Answers where digits may be left that cannot be reached from here: `ingest` (none runs, or its spool cannot
        be emptied now), `postgresql` (its log, when our role may not make a checkpoint), `nats` (on several nodes:
        their consensus logs, which NATS compacts within three minutes).

        The register comes first, so that nothing new is stored; the directory entry goes last: without it a repeat
        after a crash would not know what to look for.
        """
        await self.notes.forget(caller)
        number = await self.directory.number_of(caller)
        left: list[str] = []
        if position:
            await self.wait_for_view(position)
        if number is not None:
            await self.directory.register_erasure(caller, at)
            held = await self.settle()
            if not held.instances or held.waiting:
                left.append("ingest")
            records = await self.erase_raw_records(number)
            if not await self.scrub(number):
                left.append("postgresql")
            if await self.kept_by_several_nodes():
                left.append("nats")
            await self.directory.forget(caller)
            _log.info("caller_forgotten", caller_id=caller, raw_records=records, left=left)
        return left
