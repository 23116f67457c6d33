"""How does everything run on one machine? Both servers and the five services as children, until Ctrl-C."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from richiamo_kit import roles
from richiamo_kit.children import Child, Program
from richiamo_kit.embedded import Embedded
from richiamo_kit.errors import Unavailable
from richiamo_kit.servers import NatsServer, PostgresServer, Server
from richiamo_ops import endpoints, welcome
from richiamo_ops.administrator import LogIn, exists_now, log_in_of
from richiamo_ops.output import Output
from richiamo_ops.parent import parent_wants_end
from richiamo_ops.probes import port_becomes_free, status_of
from richiamo_ops.serve import SERVICES
from richiamo_ops.settings import Installation
from richiamo_ops.supervisor import Part, Supervisor

_SERVERS_READY = 45.0
_SERVICES_READY = 60.0
_WITHOUT_PAGES = ("queue", "callback-tracker", "reporting")
"""They answer their watchers on `RICHIAMO_OBSERVE_PORT` and the two ports after it."""


def up(*, simulate: bool = False, history: int = 30, rate: float = 12.0) -> int:
    """Start everything on 127.0.0.1 and keep it running until Ctrl-C (or SIGTERM).

    NATS and PostgreSQL are started too, unless RICHIAMO_NATS_URL and RICHIAMO_DATABASE_URL name others. What dies is
    started again.

    Example: `RICHIAMO_GATEWAY_PORT=9000 richiamo up`

    Args:
        simulate: Also play a call centre and its PBX against it.
        history: Days of past calls the simulation begins with.
        rate: Lost calls a minute in the simulation.
    """
    installation = Installation()
    with _sole_user_of(installation.folder):
        extra = ("--rate", str(rate), *_history(installation.folder, history)) if simulate else None
        return asyncio.run(_Everything(installation, extra).run())


def _history(data_dir: Path, days: int) -> tuple[str, ...]:
    """The option that plays past days, at the first start alone: the next would add as many again."""
    played = data_dir / "run" / "history-played"
    if played.exists():
        return ()
    played.touch()
    return ("--days", str(days))


class _Everything:
    """One run of all parts."""

    def __init__(self, installation: Installation, simulation: tuple[str, ...] | None) -> None:
        self._site = installation
        self._simulation = simulation
        self._console = Console(highlight=False, soft_wrap=True)
        output = Output(self._console)
        self._supervisor = Supervisor(output.say, output.hear)
        self._end = asyncio.Event()
        self._servers: list[Part] = []
        self._services: list[Part] = []
        self._nats: NatsServer | None = None
        self._postgres: PostgresServer | None = None
        """Ours, which know each service as a user of its own."""

    async def run(self) -> int:
        began = time.monotonic()
        self._listen_for_the_end()
        starting = asyncio.create_task(self._start(began))
        ending = asyncio.create_task(self._end.wait())
        watching = asyncio.create_task(parent_wants_end())
        try:
            await asyncio.wait({starting, ending, watching}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting  # Raises what went wrong.
                await asyncio.wait({ending, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (starting, ending, watching):
                task.cancel()
            await self._stop()
        return 0

    def _listen_for_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if self._end.is_set() and number == signal.SIGINT:
            self._supervisor.kill()
        self._end.set()

    async def _start(self, began: float) -> None:
        site = self._site
        await port_becomes_free(site.gateway_port, "RICHIAMO_GATEWAY_PORT")
        await port_becomes_free(site.ingest_port, "RICHIAMO_INGEST_PORT")
        nats_url, database_url = await self._start_servers()
        endpoints.publish(
            site.folder, endpoints.Endpoints(nats_url, database_url, site.gateway, site.ingest, os.getpid())
        )
        log_in = log_in_of(site, keep=self._simulation is not None)
        environment = _environment(site, nats_url, database_url)
        self._services = [self._service(name, environment, log_in) for name in SERVICES]
        for part in self._services:
            self._supervisor.keep(part)
        try:
            await self._supervisor.ready(self._services, _SERVICES_READY)
        except Unavailable as error:
            self._console.print(f"Richiamo is up, but {error}; it goes on trying.", markup=False)
            await self._supervisor.ready(self._services, within=None)
        self._look_after(environment)
        exists_now(site)
        welcome.show(self._console, site, log_in.words, time.monotonic() - began)
        if self._simulation is not None:
            self._play(environment, log_in, self._simulation)

    async def _start_servers(self) -> tuple[str, str]:
        site = self._site
        nats_url, database_url = site.nats_url, site.database_url
        if not (nats_url and database_url):
            embedded = Embedded.of(site.folder)
            if not nats_url:
                self._nats = embedded.nats
                nats_url = embedded.nats.url
                self._servers.append(_server_part(embedded.nats))
            if not database_url:
                self._postgres = embedded.postgres
                database_url = embedded.postgres.url_as(roles.OPS)
                self._servers.append(_server_part(embedded.postgres))
        for part in self._servers:
            self._supervisor.keep(part)
        await self._supervisor.ready(self._servers, _SERVERS_READY)
        return nats_url, database_url

    def _service(self, name: str, environment: Mapping[str, str], log_in: LogIn) -> Part:
        own = dict(environment)
        if self._nats is not None:
            own["RICHIAMO_NATS_URL"] = self._nats.url_of(name)
        if self._postgres is not None:
            own["RICHIAMO_DATABASE_URL"] = self._postgres.url_as(name)
        if name == "gateway" and log_in.password:
            own["RICHIAMO_ADMIN_PASSWORD"] = log_in.password
        if self._site.observe_port is not None and name in _WITHOUT_PAGES:
            own["RICHIAMO_OBSERVE_PORT"] = str(self._site.observe_port + _WITHOUT_PAGES.index(name))
        port = {"gateway": self._site.gateway_port, "ingest": self._site.ingest_port}.get(name)
        prepare = partial(_as_it_is, _richiamo(("serve", name), own))
        return Part(name, prepare, partial(_answers, port)) if port else Part(name, prepare)

    def _look_after(self, environment: Mapping[str, str]) -> None:
        part = Part("nightly", partial(_as_it_is, _richiamo(("nightly",), environment)))
        self._services.append(part)
        self._supervisor.keep(part)

    def _play(self, environment: Mapping[str, str], log_in: LogIn, options: tuple[str, ...]) -> None:
        own = {**environment, "RICHIAMO_ADMIN_PASSWORD": log_in.password or ""}
        part = Part("simulate", partial(_as_it_is, _richiamo(("simulate", *options), own)))
        self._services.append(part)
        self._supervisor.keep(part)

    async def _stop(self) -> None:
        self._console.print("Ending ...", style="dim")
        await self._supervisor.stop(self._services, self._servers)
        endpoints.withdraw(self._site.folder)


def _server_part(server: Server) -> Part:
    return Part(server.name, server.prepare, server.wait_ready, patience=3.0)


async def _as_it_is(program: Program) -> Program:
    """A service needs no preparation."""
    return program


async def _answers(port: int, child: Child) -> None:
    """Wait until the service on `port` says that it can do its work."""
    while child.alive and await status_of(port, "/readyz") != 200:
        await asyncio.sleep(0.05)
    if not child.alive:
        raise Unavailable("it ended before it was ready")


def _richiamo(arguments: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    command = Path(sysconfig.get_path("scripts")) / "richiamo"
    return Program((sys.executable, str(command), *arguments), environment, cwd=Path.cwd())


def _environment(site: Installation, nats_url: str, database_url: str) -> dict[str, str]:
    """What a service finds: our own environment, with every address said outright."""
    inherited = {name: value for name, value in os.environ.items() if name != "RICHIAMO_ADMIN_PASSWORD"}
    return inherited | {
        "PYTHONUNBUFFERED": "1",
        "RICHIAMO_NATS_URL": nats_url,
        "RICHIAMO_DATABASE_URL": database_url,
        "RICHIAMO_DATA_DIR": str(site.folder),
        "RICHIAMO_GATEWAY_PORT": str(site.gateway_port),
        "RICHIAMO_INGEST_PORT": str(site.ingest_port),
    }


@contextlib.contextmanager
def _sole_user_of(data_dir: Path) -> Iterator[None]:
    """Nobody else starts servers on the same data while we run. The kernel drops the lock when we die."""
    folder = data_dir / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"Richiamo already runs with its data in {data_dir}: end it, or set RICHIAMO_DATA_DIR."
            ) from None
        yield
