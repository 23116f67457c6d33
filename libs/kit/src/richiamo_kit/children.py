"""How is another program run as our own child: ended with us, stopped politely, then firmly, its lines handed on?"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")
_LINE_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user a child becomes."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: absolute program path first; `stop_signal` asks it to end, also when we die."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    stop_signal: signal.Signals = signal.SIGTERM
    run_as: RunAs | None = None


@dataclass(eq=False)
class Child:
    """A running program. Its process group is its own: a Ctrl-C in the terminal reaches us alone."""

    process: asyncio.subprocess.Process
    stop_signal: signal.Signals
    reading: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def wait(self) -> int:
        """The exit code, once it has ended and its last lines were handed on; minus the signal that ended it."""
        code = await self.process.wait()
        # A grandchild that holds the pipe must not hold us.
        await asyncio.wait(self.reading, timeout=0.5) if self.reading else None
        for task in self.reading:
            task.cancel()
        return code

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def stop(self, patience: float = 5.0) -> int:
        """Ask it to end, kill it after `patience` seconds, answer its exit code."""
        if self.alive:
            self.signal(self.stop_signal)
        try:
            await asyncio.wait_for(self.process.wait(), patience)
        except TimeoutError:
            self.kill()
        return await self.wait()

    def kill(self) -> None:
        """End it and its process group at once."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


async def start(program: Program, on_line: Callable[[str], None] | None = None) -> Child:
    """Start `program`; every line of its output goes to `on_line` (without: it is thrown away).

    To be called from the main thread: the kernel's word that the parent died is about the thread that forked.
    """
    run_as = program.run_as
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        str(_LAUNCH),
        str(os.getpid()),
        str(int(program.stop_signal)),
        str(run_as.uid if run_as else -1),
        str(run_as.gid if run_as else -1),
        *program.argv,
        env=dict(program.env),
        cwd=program.cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if on_line else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.STDOUT if on_line else asyncio.subprocess.DEVNULL,
        start_new_session=True,
        limit=_LINE_LIMIT,
    )
    child = Child(process, program.stop_signal)
    if on_line and process.stdout:
        child.reading.append(asyncio.create_task(_hand_on(process.stdout, on_line)))
    return child


async def run(program: Program, timeout: float = 60.0) -> tuple[int, str]:
    """Run `program` to its end; its exit code and all it printed."""
    lines: list[str] = []
    child = await start(program, lines.append)
    try:
        code = await asyncio.wait_for(child.wait(), timeout)
    except BaseException:
        child.kill()
        await child.process.wait()
        raise
    return code, "\n".join(lines)


async def _hand_on(stream: asyncio.StreamReader, on_line: Callable[[str], None]) -> None:
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # Longer than the limit: the rest comes as a line of its own.
            continue
        if not line:
            return
        on_line(line.decode(errors="replace").rstrip("\n"))
