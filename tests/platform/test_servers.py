"""Do the embedded servers start, keep what they hold, and start again after the worst ends?"""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from richiamo_kit import children
from richiamo_kit.children import Program, RunAs
from richiamo_kit.embedded import Embedded
from richiamo_kit.servers import NatsServer, PostgresServer, running
from tests.platform.waiting import until

pytestmark = pytest.mark.servers


@pytest.fixture
def private_folder(tmp_path: Path) -> Path:
    """A data folder below one that nobody but its owner may enter, as root's temporary folders are."""
    tmp_path.chmod(0o700)
    return tmp_path / "var"


def working_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


async def test_postgres_runs_below_a_private_folder_and_keeps_its_rows(private_folder: Path) -> None:
    server = PostgresServer(private_folder, durable=False)
    async with running(server) as url, await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    assert not working_in(server.data)

    async with running(server) as url, await psycopg.AsyncConnection.connect(url) as connection:
        answer = await connection.execute("SELECT value FROM kept")
        assert await answer.fetchone() == (7,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
async def test_the_ordinary_user_may_use_binaries_below_a_private_folder(private_folder: Path) -> None:
    """As below root's own temporary folder; `test -x` asks access(2), as initdb does of its own binaries."""
    binary = private_folder.parent / "true"
    shutil.copy("/bin/true", binary)
    account = pwd.getpwnam("nobody")
    asked = Program(
        ("/bin/sh", "-c", f"test -x {binary} && exec {binary}"),
        {},
        Path("/"),
        run_as=RunAs(account.pw_uid, account.pw_gid),
    )
    assert await children.run(asked) == (0, "")


async def test_postgres_never_runs_as_root(private_folder: Path) -> None:
    server = PostgresServer(private_folder, durable=False)
    async with running(server):
        users = set()
        for process in working_in(server.data):
            with contextlib.suppress(psutil.NoSuchProcess):  # That of the last connection may just have ended.
                users.add(process.uids().effective)
        assert users
        assert 0 not in users


async def test_postgres_listens_on_loopback_alone_and_asks_for_the_password(private_folder: Path) -> None:
    server = PostgresServer(private_folder, durable=False)
    async with running(server) as url:
        listening = {
            connection.laddr.ip
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == server.port
        }
        assert listening == {"127.0.0.1"}
        with pytest.raises(psycopg.OperationalError):
            await psycopg.AsyncConnection.connect(url.replace(server.password, "wrong"))


async def test_postgres_comes_back_after_its_postmaster_was_killed_with_a_busy_backend(private_folder: Path) -> None:
    server = PostgresServer(private_folder, durable=False)
    child = await children.start(await server.prepare())
    await server.wait_ready(child)
    connection = await psycopg.AsyncConnection.connect(server.url, autocommit=True)
    busy = asyncio.create_task(connection.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
    await until("a busy backend", lambda: _is_running(server, "DO $$"))
    child.signal(signal.SIGKILL)
    await child.wait()

    async with running(server):
        with contextlib.suppress(psycopg.OperationalError):
            await busy
    await connection.close()


async def _is_running(server: PostgresServer, beginning: str) -> bool:
    async with await psycopg.AsyncConnection.connect(server.url) as connection:
        answer = await connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s", (beginning + "%",)
        )
        row = await answer.fetchone()
        return row is not None and bool(row[0])


async def test_a_cluster_half_made_when_the_power_went_is_made_anew(private_folder: Path) -> None:
    half = private_folder / "data.part"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    async with (
        running(PostgresServer(private_folder, durable=False)) as url,
        await psycopg.AsyncConnection.connect(url),
    ):
        pass
    assert not half.exists()


async def test_a_stale_pid_file_that_names_a_living_process_does_not_stop_the_start(private_folder: Path) -> None:
    server = PostgresServer(private_folder, durable=False)
    async with running(server):
        pass
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n{server.port}\n\n127.0.0.1\n")
    async with running(server):
        pass


async def test_a_server_left_by_a_killed_predecessor_is_ended_first(private_folder: Path) -> None:
    """Outside Linux nothing ends a child when its parent is killed; the next start does."""
    server = NatsServer(private_folder)
    program = await server.prepare()
    left = await asyncio.create_subprocess_exec(*program.argv, stderr=asyncio.subprocess.DEVNULL)
    async with running(server) as url:
        assert await left.wait() is not None
        assert url.startswith("nats://")


async def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """The parent is killed, so that it can end nothing itself."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from richiamo_kit import children\n"
        "async def main():\n"
        f"    program = children.Program(('/bin/sleep', '600'), {{}}, Path({str(tmp_path)!r}))\n"
        "    child = await children.start(program)\n"
        "    print(child.pid, flush=True)\n"
        "    await child.wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, str(script), stdout=asyncio.subprocess.PIPE)
    assert parent.stdout
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()

    async def gone() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await until("the child is gone", gone)


async def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    lines: list[str] = []
    stubborn = Program(("/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 600; done"), {}, tmp_path)
    child = await children.start(stubborn, lines.append)

    async def deaf() -> bool:
        return lines == ["deaf"]

    await until("the trap is set", deaf)
    assert await child.stop(patience=0.1) == -signal.SIGKILL


def test_the_servers_of_a_folder_keep_their_ports_and_passwords(tmp_path: Path) -> None:
    first, second = Embedded.of(tmp_path), Embedded.of(tmp_path)
    assert first == second
    assert (tmp_path / "secrets" / "servers.json").stat().st_mode & 0o777 == 0o600
