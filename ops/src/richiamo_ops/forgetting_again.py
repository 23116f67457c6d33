"""Does what was brought back know more than it may, or less than it must? The register and the directory decide."""

import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nats.aio.client import Client

from richiamo_events import subjects
from richiamo_events.caller import Caller, evolve, unknown
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, Username
from richiamo_events.language import CallerErased, CallMissed, OperatorChanged, SettingsChanged
from richiamo_events.settings import Rules, SiteSettings
from richiamo_kit.directory import NatsDirectory
from richiamo_kit.erasures import Erasure, register
from richiamo_kit.errors import Problem
from richiamo_kit.raw_records import erase_raw_records
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import DIRECTORY, DIRECTORY_PREFIX
from richiamo_ops.backup import ERASURES
from richiamo_queue.caller.commands import Erase
from richiamo_queue.caller.decide import erase
from richiamo_queue.notes.kept import NatsNotes

_SYSTEM = Username("system")


@dataclass(frozen=True, slots=True)
class Restored:
    """A log with its directory, before anybody works with it."""

    client: Client
    directory: NatsDirectory
    store: JetStreamEventStore

    async def forget(self, registers: Sequence[Path]) -> int:
        """Erase again whoever a register names and the directory still knows under that id; how many."""
        forgotten = 0
        for erasure in _read(registers):
            await register(self.client, erasure)
            # Only if the entry maps to that id: the same number may have called again since.
            number = await self.directory.number_of(erasure.caller)
            await NatsNotes(self.client).forget(erasure.caller)
            await self._close(erasure.caller, erasure.at, "erased after the backup")
            if number is not None:
                await erase_raw_records(self.client, number)
                await self.directory.forget(erasure.caller)
                forgotten += 1
        return forgotten

    async def close_the_unknown(self, *, repair: bool) -> int:
        """Close the callers of the log whose number the directory does not know; how many.

        Raises `Problem` when there are any and `repair` is not asked for: the directory is older than the log.
        """
        lost = [caller for caller in sorted(await self._callers()) if await self.directory.number_of(caller) is None]
        if lost and not repair:
            raise Problem(
                409,
                "directory-older",
                f"The directory is older than the log: it does not know {len(lost)} callers, who could not be called"
                " back. Nothing was changed. Use another backup, or close them as erased with --repair.",
            )
        now = datetime.now(UTC)
        for caller in lost:
            await self._close(caller, now, "the directory lost the number")
        return len(lost)

    async def drop_strangers(self) -> int:
        """Remove the directory entries of callers that no event names; how many."""
        known: set[CallerId] = set()
        async for event in self.store.read():
            if not isinstance(event.data, SettingsChanged | OperatorChanged) and event.data.caller is not None:
                known.add(event.data.caller)
        strangers = [caller for caller in await _in_directory(self.client) if caller not in known]
        for caller in strangers:
            await self.directory.forget(caller)
        return len(strangers)

    async def _callers(self) -> set[CallerId]:
        """Whoever lost a call and was not erased."""
        callers: set[CallerId] = set()
        erased: set[CallerId] = set()
        async for event in self.store.read():
            if isinstance(event.data, CallMissed) and event.data.caller is not None:
                callers.add(event.data.caller)
            elif isinstance(event.data, CallerErased):
                erased.add(event.data.caller)
        return callers - erased

    async def _close(self, caller: CallerId, at: datetime, reason: str) -> None:
        rules = Rules.initial(SiteSettings())
        async for event in self.store.read(subject=subjects.SETTINGS):
            rules = rules.changed(event)
        state: Caller = unknown(caller)
        async for event in self.store.read(subject=subjects.caller(caller)):
            state = evolve(state, event, rules)
        if state.position == 0:
            return
        made = [
            NewEvent(
                id=f"restore-{caller}",
                subject=subjects.caller(caller),
                data=data,
                occurred_at=at,
                actor="system",
                correlation_id="restore",
            )
            for data in erase(Erase(by=_SYSTEM, reason=reason, at=at), state)
        ]
        await self.store.append(made, expected=state.position)


async def _in_directory(client: Client) -> set[CallerId]:
    """Every caller of whom the directory holds an entry."""
    prefix = f"{DIRECTORY_PREFIX}.h."
    found: set[CallerId] = set()
    async with aclosing(read_stream(client, DIRECTORY, subject=f"{prefix}*")) as entries:
        async for stored in entries:
            found.add(CallerId(json.loads(stored.body)["id"]))
    return found


def _read(registers: Sequence[Path]) -> list[Erasure]:
    lines: dict[str, None] = {}
    for place in registers:
        file = place / ERASURES if place.is_dir() else place
        try:
            lines |= dict.fromkeys(line for line in file.read_text().splitlines() if line)
        except FileNotFoundError:
            raise Problem(404, "no-register", f"There is no register of erasures at {file}.") from None
    try:
        return [Erasure.from_json(line) for line in lines]
    except (ValueError, KeyError) as error:
        raise Problem(400, "no-register", f"A line of the register cannot be read: {error}") from None
