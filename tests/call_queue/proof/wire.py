"""What can happen between a service and NATS? A proxy that cuts, blocks, delays and doubles what passes, by chance.

It knows the frames of the NATS protocol, so that what is delayed or doubled is a whole message: a command that is
delivered twice, an append that is sent twice, an append whose acknowledgement never comes back.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

_LIMIT = 16 * 1024 * 1024
_COMMANDS = b"richiamo.queue."
_EVENTS = b"richiamo.events."


@dataclass(frozen=True, slots=True)
class Odds:
    """How often a message meets with what, 0 to 1 each."""

    doubled_command: float = 0.03
    doubled_append: float = 0.03
    delayed: float = 0.01
    held_too_long: float = 0.001
    """Longer than an append waits for its acknowledgement."""
    cut_after_append: float = 0.004


CALM = Odds(0, 0, 0, 0, 0)


class Wire:
    """One listener of its own for one service; `cut`, `block` and `free` are the saboteur's."""

    def __init__(self, host: str, port: int, chance: random.Random) -> None:
        self._target = host, port
        self._chance = chance
        self._ends: set[asyncio.StreamWriter] = set()
        self._blocked = False
        self._server: asyncio.Server | None = None
        self.odds = CALM
        self.met: Counter[str] = Counter()

    async def open(self) -> int:
        """Listen on a free port; answers it."""
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0, limit=_LIMIT)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Break every connection now, in the middle of whatever is on its way."""
        if self._ends:
            self.met["cut"] += 1
        for end in self._ends:
            end.transport.abort()

    def block(self) -> None:
        """Break every connection and take no new one until `free`."""
        self._blocked = True
        self.cut()

    def free(self) -> None:
        self._blocked = False

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._blocked:
            writer.transport.abort()
            return
        try:
            there, far = await asyncio.open_connection(*self._target, limit=_LIMIT)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, far}
        try:
            await asyncio.gather(self._pump(reader, far), self._pump(there, writer))
        finally:
            self._ends -= {writer, far}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection that broke ends its two halves; which error told so is no matter.
        with suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readuntil(b"\r\n"):
                words = line.split()
                holds_body = words[0] in {b"PUB", b"HPUB", b"MSG", b"HMSG"}
                body = await reader.readexactly(int(words[-1]) + 2) if holds_body else b""
                await self._pass(line + body, words, writer)
        writer.transport.abort()

    async def _pass(self, frame: bytes, words: list[bytes], writer: asyncio.StreamWriter) -> None:
        subject = words[1] if len(words) > 1 else b""
        command = words[0] in {b"MSG", b"HMSG"} and subject.startswith(_COMMANDS)
        append = words[0] == b"HPUB" and subject.startswith(_EVENTS) and b"Nats-Batch-Id" not in frame
        if self._happens("delayed", self.odds.delayed):
            await asyncio.sleep(self._chance.uniform(0.005, 0.15))
        if self._happens("held too long", self.odds.held_too_long):
            await asyncio.sleep(1.3)
        writer.write(frame)
        if (command and self._happens("command doubled", self.odds.doubled_command)) or (
            append and self._happens("append doubled", self.odds.doubled_append)
        ):
            writer.write(frame)
        await writer.drain()
        if append and self._happens("cut after an append", self.odds.cut_after_append):
            self.cut()

    def _happens(self, what: str, odds: float) -> bool:
        if self._chance.random() >= odds:
            return False
        self.met[what] += 1
        return True
