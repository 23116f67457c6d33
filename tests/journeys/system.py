"""How is a whole Richiamo started for a journey? `richiamo up` as a process of its own, on free ports."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from richiamo_kit.servers import free_port
from tests.journeys.waiting import eventually

ADMIN_PASSWORD = "una-password-lunga-7"
SERVICES = ("ingest", "queue", "callback-tracker", "reporting", "gateway")


@dataclass(slots=True)
class System:
    """One running Richiamo with a data folder of its own."""

    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="richiamo-journey-")))
    gateway_port: int = field(default_factory=free_port)
    ingest_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    asked_to_end: bool = False
    _clients: list[httpx.Client] = field(default_factory=list)

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def ingest(self) -> str:
        return f"http://127.0.0.1:{self.ingest_port}"

    @property
    def variables(self) -> dict[str, str]:
        """What finds this system: the environment of `richiamo` commands."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("RICHIAMO_")}
        return inherited | {
            "RICHIAMO_GATEWAY_PORT": str(self.gateway_port),
            "RICHIAMO_INGEST_PORT": str(self.ingest_port),
            "RICHIAMO_DATA_DIR": str(self.folder / "var"),
            "RICHIAMO_ADMIN_PASSWORD": ADMIN_PASSWORD,
            **self.environment,
        }

    def start(self) -> None:
        """Start and wait until both ports say that they are ready."""
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen([command(), "up"], env=self.variables, stdout=log, stderr=log)
        try:
            eventually(self.ready)
        except AssertionError as problem:
            self.stop()
            raise AssertionError(f"{problem}\n{self.log()}") from problem

    def ready(self) -> bool:
        """Whether both ports are ready; fails if `up` has ended."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"richiamo up ended with {self.process.returncode}:\n{self.log()}")
        return all(_answers(f"{address}/readyz") for address in (self.gateway, self.ingest))

    def client(
        self, address: str, *, headers: dict[str, str] | None = None, auth: tuple[str, str] | None = None
    ) -> httpx.Client:
        """A client of one of the two ports, closed when the system stops."""
        client = httpx.Client(base_url=address, headers=headers, auth=auth, timeout=60)
        self._clients.append(client)
        return client

    def stop(self) -> None:
        """End it, kindly first, and remove its folder; fails if it had ended by itself."""
        for client in self._clients:
            client.close()
        died = self.process is not None and not self.asked_to_end and self.process.poll() is not None
        said = self.log()
        if self.process is not None and self.process.poll() is None:
            below = psutil.Process(self.process.pid).children(recursive=True)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                for process in below:
                    if process.is_running():
                        process.kill()
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not died, f"richiamo up ended by itself:\n{said}"

    def log(self) -> str:
        """The end of what it printed."""
        return (self.folder / "up.log").read_text(errors="replace")[-6000:]

    def below(self) -> list[psutil.Process]:
        """Every process below `richiamo up`."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process:
        """The process of a service, or of `nats-server` or `postgres`; fails if there is none now."""
        found = [process for process in self.below() if _is(process, name)]
        assert found, f"no process {name}"
        return found[-1] if name in SERVICES else found[0]


def command() -> str:
    """The `richiamo` command beside this Python."""
    return str(Path(sys.executable).parent / "richiamo")


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).is_success
    except httpx.TransportError:
        return False


def _is(process: psutil.Process, name: str) -> bool:
    try:
        line = process.cmdline()
        if process.status() == psutil.STATUS_ZOMBIE or not line:
            return False
        if name in SERVICES:
            return line[-2:] == ["serve", name] or line[-1] == name
        parent = process.parent()
        return Path(line[0]).name == name and (parent is None or parent.name() != name)
    except psutil.NoSuchProcess:
        return False
