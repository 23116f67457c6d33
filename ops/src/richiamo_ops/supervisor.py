"""How do the parts of one machine stay up? Each is our child, started again whenever it dies, until we are told to end.

A part that dies is started again after a tenth of a second, then after twice as long each time, up to 3 s; a part
that lived for 20 s begins anew. Servers end last, so that services can finish what they hold.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from richiamo_kit import children
from richiamo_kit.children import Child, Program
from richiamo_kit.errors import Unavailable

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 3.0
_SETTLED_AFTER = 20.0


async def _at_once(_child: Child) -> None:
    """A part of which nothing is asked before it counts as ready."""


@dataclass(eq=False)
class Part:
    """One process to keep: `prepare` says what to start, each time anew; `wait_ready` when others may use it."""

    name: str
    prepare: Callable[[], Awaitable[Program]]
    wait_ready: Callable[[Child], Awaitable[None]] = _at_once
    patience: float = 5.0
    """Seconds from the request to end until it is killed."""
    child: Child | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    starts: int = 0


class Supervisor:
    """Keeps parts alive. `hear(part, line)` gets every line they print, `say(part, line)` every word about them."""

    def __init__(self, say: Callable[[str, str], None], hear: Callable[[str, str], None]) -> None:
        self._say = say
        self._hear = hear
        self._keeping: dict[Part, asyncio.Task[None]] = {}
        self._ending = asyncio.Event()

    def keep(self, part: Part) -> None:
        """Start `part` and go on starting it."""
        self._keeping[part] = asyncio.create_task(self._keep(part), name=part.name)

    async def ready(self, parts: Sequence[Part], within: float | None) -> None:
        """Wait until all of them are at once; raises `Unavailable` that names those that are not."""
        try:
            async with asyncio.timeout(within):
                while missing := [part for part in parts if not part.ready.is_set()]:
                    await missing[0].ready.wait()
        except TimeoutError:
            names = ", ".join(part.name for part in parts if not part.ready.is_set())
            raise Unavailable(f"not ready after {within:.0f} s: {names}") from None

    async def stop(self, *groups: Sequence[Part]) -> None:
        """End all parts, one group after the other, those of a group at once."""
        self._ending.set()
        for group in groups:
            await asyncio.gather(*(self._stop(part) for part in group))

    def kill(self) -> None:
        """End everything this instant."""
        self._ending.set()
        for part in self._keeping:
            if part.child:
                part.child.kill()

    async def _stop(self, part: Part) -> None:
        if part.child:
            await part.child.stop(part.patience)
        if task := self._keeping.get(part):
            await task

    async def _keep(self, part: Part) -> None:
        failures = 0
        while not self._ending.is_set():
            began = time.monotonic()
            word = await self._once(part)
            if self._ending.is_set():
                return
            failures = 1 if time.monotonic() - began > _SETTLED_AFTER else failures + 1
            delay = min(_FIRST_DELAY * 2 ** (failures - 1), _LONGEST_DELAY)
            self._say(part.name, f"{word}; starting it again in {delay:.1f} s")
            try:
                await asyncio.wait_for(self._ending.wait(), delay)
            except TimeoutError:
                continue

    async def _once(self, part: Part) -> str:
        """One life of `part`; how it ended, in words."""
        try:
            program = await part.prepare()
            child = await children.start(program, lambda line: self._hear(part.name, line))
        except (Unavailable, OSError) as error:
            return f"cannot start: {error}"
        part.child = child
        part.starts += 1
        if self._ending.is_set():  # We were told to end while it was being prepared.
            await child.stop(part.patience)
            return "ended"
        watching = asyncio.create_task(self._watch(part, child))
        try:
            code = await child.wait()
        finally:
            watching.cancel()
            part.ready.clear()
        return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"

    async def _watch(self, part: Part, child: Child) -> None:
        try:
            await part.wait_ready(child)
        except (Unavailable, OSError) as error:
            if child.alive and not self._ending.is_set():
                self._say(part.name, f"{error}; it is killed")
                child.kill()
            return
        part.ready.set()
