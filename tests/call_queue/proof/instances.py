"""How do three real processes of the queue service run, each behind a wire of its own, to be killed at any moment?"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from richiamo_kit import children
from richiamo_kit.children import Child, Program
from tests.call_queue.proof.wire import CALM, Odds, Wire


class Instance:
    """One process, which dies by SIGKILL alone until `stop`."""

    def __init__(self, wire: Wire, program: Program, said: Path) -> None:
        self.wire = wire
        self.kills = 0
        self._program = program
        self._said = said
        self._child: Child | None = None

    async def start(self) -> None:
        self._child = await children.start(self._program, self._hear)

    async def kill(self) -> None:
        """SIGKILL, and start again at once."""
        assert self._child is not None
        assert self._child.alive, f"it had ended by itself, see {self._said}"
        self._child.kill()
        await self._child.wait()
        self.kills += 1
        await self.start()

    async def stop(self) -> int:
        assert self._child is not None
        code = await self._child.stop()
        await self.wire.close()
        return code

    def said_of_faults(self) -> str:
        """What it printed of questions that broke it, tracebacks included; they are gone with the folder."""
        if not self._said.exists():
            return ""
        parts = self._said.read_text().split("question_failed")[1:]
        return "\n".join("question_failed" + "\n".join(part.splitlines()[:400]) for part in parts)

    def _hear(self, line: str) -> None:
        with self._said.open("a") as file:
            file.write(line + "\n")


class Instances(list[Instance]):
    """All of them, and what happened to them."""

    def begin(self) -> None:
        """From now on anything may happen to what passes."""
        for one in self:
            one.wire.odds = Odds()

    def calm(self) -> None:
        """From now on nothing does."""
        for one in self:
            one.wire.odds = CALM
            one.wire.free()

    @property
    def met(self) -> Counter[str]:
        total: Counter[str] = Counter({"killed": sum(one.kills for one in self)})
        for one in self:
            total += one.wire.met
        return total

    async def trouble(self, chance: random.Random, until: Callable[[], bool]) -> None:
        """Kill, cut and block by chance."""
        while not until():
            await asyncio.sleep(chance.uniform(0.2, 1.2))
            one = chance.choice(self)
            what = chance.random()
            if what < 0.3:
                await one.kill()
            elif what < 0.7:
                one.wire.cut()
            else:
                one.wire.block()
                await asyncio.sleep(chance.uniform(0.1, 1.5))
                one.wire.free()


@asynccontextmanager
async def instances(
    number: int, nats_url: str, database_url: str, folder: Path, chance: random.Random
) -> AsyncIterator[Instances]:
    """So many processes of `richiamo_queue`; what they print is in `folder`."""
    where = urlsplit(nats_url)
    assert where.hostname
    assert where.port
    running = Instances()
    try:
        for index in range(number):
            wire = Wire(where.hostname, where.port, random.Random(f"{chance.random()} wire {index}"))
            port = await wire.open()
            login = where.netloc.rpartition("@")[0]
            through = urlunsplit(where._replace(netloc=f"{login}@127.0.0.1:{port}"))
            program = Program(
                (sys.executable, "-m", "richiamo_queue"),
                {
                    **os.environ,
                    "RICHIAMO_NATS_URL": through,
                    "RICHIAMO_DATABASE_URL": database_url,
                    "RICHIAMO_DATA_DIR": str(folder),
                    "RICHIAMO_DIAL_PASSWORD": "c2c",
                    "RICHIAMO_LOG_LEVEL": "warning",
                },
                cwd=folder,
            )
            one = Instance(wire, program, folder / f"queue-{index}.log")
            running.append(one)
            await one.start()
        yield running
    finally:
        for one in running:
            await one.stop()
