"""Does `richiamo up` start once a folder, and end with whoever started it?"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from richiamo_kit import database
from richiamo_kit.embedded import Embedded
from richiamo_kit.roles import OPS, USERS, role_of
from richiamo_kit.servers import free_port, running
from richiamo_ops.endpoints import find
from richiamo_ops.settings import Installation
from tests.platform.waiting import until

pytestmark = [pytest.mark.servers, pytest.mark.slow]

RICHIAMO = Path(sys.executable).parent / "richiamo"
SERVERS = {"nats-server", "postgres"}


@dataclass
class Site:
    """A data folder, free ports, and what was started there."""

    folder: Path
    gateway_port: int = field(default_factory=free_port)
    ingest_port: int = field(default_factory=free_port)
    started: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "var"

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("RICHIAMO_")} | {
            "RICHIAMO_DATA_DIR": str(self.data),
            "RICHIAMO_GATEWAY_PORT": str(self.gateway_port),
            "RICHIAMO_INGEST_PORT": str(self.ingest_port),
        }

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        with (self.folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command, env=self.environment, cwd=self.folder, stdout=log, stderr=log
            )
        self.started.append(process)
        return process

    async def printed(self, word: str) -> None:
        async def there() -> bool:
            return word in self.log()

        await until(f"the log says {word!r}", there, within=60)

    async def servers_run(self) -> None:
        """The servers are ready and the services have been started; nobody has waited for these."""

        async def there() -> bool:
            return (self.data / "run" / "endpoints.json").exists()

        await until("the servers run", there, within=60)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    async def end(self) -> None:
        for process in self.started:
            if process.returncode is None:
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 60)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site(Path(tempfile.mkdtemp(prefix="richiamo-up-")))
    yield made
    await made.end()
    shutil.rmtree(made.folder)


def below(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def named(processes: Sequence[psutil.Process], name: str) -> list[psutil.Process]:
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == name:
                found.append(process)
    return found


async def all_gone(processes: Sequence[psutil.Process]) -> bool:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                return False
    return True


async def test_it_tells_its_user_and_other_commands_where_it_is_and_refuses_a_second_of_itself(site: Site) -> None:
    up = await site.start(str(RICHIAMO), "up")
    await site.printed("Ctrl-C ends everything")
    assert f"http://127.0.0.1:{site.gateway_port}" in site.log()
    assert "admin / " in site.log()
    assert f"curl http://127.0.0.1:{site.ingest_port}/voipToCall/kalliopeToCall/insert/" in site.log()

    file = site.data / "run" / "endpoints.json"
    assert file.stat().st_mode & 0o777 == 0o600
    found = find(Installation(data_dir=site.data, nats_url=None, database_url=None))
    assert found.supervisor == up.pid
    assert found.gateway == f"http://127.0.0.1:{site.gateway_port}"

    second = await asyncio.create_subprocess_exec(
        str(RICHIAMO), "up", env=site.environment, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await second.communicate()
    assert second.returncode == 1
    assert errors.decode().strip() == (
        f"richiamo: Richiamo already runs with its data in {site.data}: end it, or set RICHIAMO_DATA_DIR."
    )

    up.terminate()
    assert await asyncio.wait_for(up.wait(), 60) == 0
    assert not file.exists()


async def test_every_service_comes_to_postgresql_as_itself_also_where_one_role_owned_everything(site: Site) -> None:
    """The second start finds the data as an earlier version left it: nothing but the superuser's."""
    first = await site.start(str(RICHIAMO), "up")
    await site.printed("Ctrl-C ends everything")
    first.terminate()
    assert await asyncio.wait_for(first.wait(), 60) == 0
    server = Embedded.of(site.data).postgres
    expected = {role_of(user) for user in USERS}
    async with running(server), await database.connect(server.url, autocommit=True) as superuser:
        for role in expected:
            await superuser.execute(f"REASSIGN OWNED BY {role} TO richiamo".encode())
            await superuser.execute(f"DROP OWNED BY {role}".encode())
            await superuser.execute(f"DROP ROLE {role}".encode())
    (site.folder / "log").unlink()

    await site.start(str(RICHIAMO), "up")
    await site.printed("Ctrl-C ends everything")
    async with await database.connect(server.url, autocommit=True) as superuser:

        async def each_as_itself() -> bool:
            found = await superuser.execute(
                "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'richiamo' AND pid <> pg_backend_pid()"
            )
            seen = {name for (name,) in await found.fetchall()}
            assert seen <= expected
            return seen >= expected - {role_of(OPS)}

        await until("all services are connected", each_as_itself)
    assert "permission denied" not in site.log()


async def test_a_port_that_is_taken_is_named_with_the_remedy(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.ingest_port)):
        refused = await site.start(str(RICHIAMO), "up")
        assert await refused.wait() == 1
    assert f"port {site.ingest_port} is taken" in site.log()
    assert "RICHIAMO_INGEST_PORT" in site.log()


async def test_servers_that_are_killed_come_back_where_they_were(site: Site) -> None:
    up = await site.start(str(RICHIAMO), "up")
    await site.servers_run()
    for name in SERVERS:
        # The first is the parent of the others of that name.
        victim = named(below(up), name)[0]
        ports = listening(victim)
        victim.kill()

        async def back(name: str = name, killed: int = victim.pid, ports: set[int] = ports) -> bool:
            found = named(below(up), name)
            return bool(found) and found[0].pid != killed and listening(found[0]) == ports

        await until(f"{name} is back", back)


def listening(process: psutil.Process) -> set[int]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return {c.laddr.port for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    return set()


async def test_when_it_is_killed_everything_below_it_ends_and_the_next_start_works(site: Site) -> None:
    up = await site.start(str(RICHIAMO), "up")
    await site.servers_run()
    processes = below(up)
    up.kill()
    await up.wait()
    await until("all processes are gone", lambda: all_gone(processes))
    (site.data / "run" / "endpoints.json").unlink()
    await site.start(str(RICHIAMO), "up")
    await site.servers_run()


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda sign: sign.name)
async def test_it_ends_with_the_make_that_started_it(site: Site, sign: signal.Signals) -> None:
    """GNU make hands on SIGTERM only; the other two it must be seen to have got."""
    (site.folder / "Makefile").write_text(f"run:\n\t@{RICHIAMO} up\n")
    make = await site.start("make", "run")
    await site.servers_run()
    processes = below(make)
    assert all(named(processes, name) for name in SERVERS)
    make.send_signal(sign)
    await asyncio.wait_for(make.wait(), 60)
    await until("all processes are gone", lambda: all_gone(processes))
