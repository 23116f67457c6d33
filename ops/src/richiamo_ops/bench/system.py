"""How does the bench get a system to itself? `richiamo up` in a folder that is removed, and a look at its processes."""

import asyncio
import contextlib
import os
import shutil
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from richiamo_kit import children
from richiamo_kit.children import Child, Program
from richiamo_kit.errors import Unavailable
from richiamo_kit.servers import free_port
from richiamo_ops.bench.load import Connection
from richiamo_ops.probes import status_of
from richiamo_ops.settings import Installation

PASSWORD = "a-password-of-the-bench"  # noqa: S105 -- Of a system that listens on loopback and lives for minutes.
_READY_WITHIN = 90.0
_BARE_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What all processes of the system took: CPU seconds so far, and memory in MB, shared pages counted once."""

    cpu_seconds: float
    megabytes: float
    parts: Mapping[str, float]
    """The CPU seconds by the name of the service or server."""


class System:
    """One Richiamo of the bench's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.installation = Installation(
            gateway_port=free_port(), ingest_port=free_port(), data_dir=folder, nats_url=None, database_url=None
        )
        self._child: Child | None = None
        self._said: list[str] = []

    async def start(self) -> float:
        """Start it; answers the seconds until both ports could do their work."""
        began = time.perf_counter()
        self._child = await children.start(self.program("up"), self._hear)
        while (
            await status_of(self.installation.gateway_port, "/readyz") != 200
            or await status_of(self.installation.ingest_port, "/readyz") != 200
        ):
            if not self._child.alive or time.perf_counter() - began > _READY_WITHIN:
                raise Unavailable("the system of the bench did not start: " + " / ".join(self._said[-5:]))
            await asyncio.sleep(0.02)
        return time.perf_counter() - began

    def program(self, *arguments: str) -> Program:
        """A `richiamo` command about this system."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RICHIAMO_")}
        command = Path(sysconfig.get_path("scripts")) / "richiamo"
        return Program(
            (sys.executable, str(command), *arguments),
            {
                **inherited,
                "RICHIAMO_GATEWAY_PORT": str(self.installation.gateway_port),
                "RICHIAMO_INGEST_PORT": str(self.installation.ingest_port),
                "RICHIAMO_DATA_DIR": str(self.folder),
                "RICHIAMO_ADMIN_PASSWORD": PASSWORD,
                "RICHIAMO_LOG_LEVEL": "warning",
            },
            cwd=self.folder,
        )

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop(patience=20.0)
            self._child = None

    def usage(self) -> Usage:
        """Of the supervisor and all below it, now."""
        memory = 0.0
        parts: defaultdict[str, float] = defaultdict(float)
        for name, process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                times = process.cpu_times()
                parts[name] += times.user + times.system
                memory += getattr(process.memory_full_info(), "pss", process.memory_info().rss)
        return Usage(sum(parts.values()), memory / 1e6, parts)

    def service(self, name: str) -> psutil.Process | None:
        """The process of a service, by the name of its folder; None while it is not running."""
        return next((process for one, process in self._processes() if one == name), None)

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        assert self._child is not None
        top = psutil.Process(self._child.pid)
        for process in (top, *top.children(recursive=True)):
            # A backend of PostgreSQL may end while we look.
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                line = process.cmdline()
                yield (line[-1] if "serve" in line else "supervisor" if process == top else process.name()), process

    def memory_of(self, service: str) -> float:
        """The bytes that one service has for itself."""
        process = self.service(service)
        if process is None:
            raise Unavailable(f"the service {service} is not there")
        return float(process.memory_full_info().uss)

    def _hear(self, line: str) -> None:
        self._said.append(line)
        del self._said[:-50]


@asynccontextmanager
async def own_system() -> AsyncIterator[System]:
    """A system that has not been started; ended and removed with the context."""
    folder = Path(tempfile.mkdtemp(prefix="richiamo-bench-"))
    system = System(folder)
    try:
        yield system
    finally:
        await system.stop()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def bare_server(module: str, **environment: str) -> AsyncIterator[int]:
    """The port of a module of the bench that serves, in a process of its own; ended with the context."""
    port = free_port()
    said: list[str] = []
    child = await children.start(
        Program((sys.executable, "-m", module, str(port)), {**os.environ, **environment}, cwd=Path.cwd()), said.append
    )
    try:
        for _ in range(int(_BARE_WITHIN / 0.05)):
            if not child.alive:
                break
            try:
                (await Connection.open(port)).close()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                yield port
                return
        raise Unavailable(f"{module} did not start: " + " / ".join(said[-5:]))
    finally:
        await child.stop()
