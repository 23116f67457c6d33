"""Does what `richiamo install` writes start? Units judged by systemd itself, their commands run for real."""

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege, UndefinedTable
from sqlalchemy import func
from sqlalchemy.exc import OperationalError

from richiamo_gateway.auth import schema
from richiamo_gateway.engine import make_engine
from richiamo_kit import database
from richiamo_kit.servers import PostgresServer, free_port
from richiamo_kit.servers import running as running_server
from richiamo_ops.backup import MANIFEST, remove_older
from richiamo_ops.probes import status_of
from tests.packaged import as_packaged

SCRIPTS = Path(sysconfig.get_path("scripts"))
WORST_EXPOSURE = "30"
"""In tenths, as systemd counts what a service could do: a plain one has 96."""


def installed(root: Path) -> str:
    """Run the command on an empty folder, or once more; what it says."""
    path = {**os.environ, "PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    command = [str(SCRIPTS / "richiamo"), "install", "--systemd", "--site", "calls.example.com", "--root", str(root)]
    done = subprocess.run(command, env=path, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    installed(tmp_path)
    first = {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert "written" not in installed(tmp_path)
    assert {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()} == first


def test_a_run_that_was_cut_short_is_completed_with_the_same_passwords(tmp_path: Path) -> None:
    installed(tmp_path)
    folder = tmp_path / "etc/richiamo/secrets"
    before = (folder / "nats.conf").read_text()
    (folder / "nats.conf").unlink()
    installed(tmp_path)
    assert (folder / "nats.conf").read_text() == before


def test_secrets_are_for_root_alone_and_differ(tmp_path: Path) -> None:
    installed(tmp_path)
    folder = tmp_path / "etc/richiamo/secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    made = list(folder.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in made} == {0o600}
    passwords = [file.read_text() for file in made if "password" in file.name or file.name == "directory.key"]
    assert len(set(passwords)) == len(passwords) == 15
    elsewhere = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file() and file.parent != folder)
    assert not any(password in elsewhere for password in passwords)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units_and_finds_them_locked(tmp_path: Path) -> None:
    installed(tmp_path)
    units = sorted((tmp_path / "etc/systemd/system").iterdir())
    assert len(units) == 11
    judged = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in judged.stderr.splitlines() if "richiamo" in line]
    assert ours == [], judged.stderr
    services = [unit for unit in units if unit.suffix == ".service"]
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={WORST_EXPOSURE}", "--no-pager"]
    for unit in services:
        exposed = subprocess.run([*command, unit], capture_output=True, text=True, check=False)
        assert exposed.returncode == 0, exposed.stdout[-300:] + exposed.stderr


PAGE = Path(__file__).parents[2] / "docs/install.md"
RUN_HERE = {
    "/opt/richiamo/bin/richiamo install --systemd --site calls.example.com",
    "sudo -u postgres psql -v ON_ERROR_STOP=1 </etc/richiamo/secrets/postgresql.sql",
    "sudo -u postgres psql -v ON_ERROR_STOP=1 </etc/richiamo/analysts.sql",
    "systemctl enable --now richiamo.target",
    "sudo -u postgres psql -v ON_ERROR_STOP=1 -c 'ALTER ROLE richiamo NOLOGIN'",
    "curl -s http://127.0.0.1:8080/readyz",
    "cat /etc/richiamo/secrets/richiamo_admin_password",
    "cat /etc/richiamo/secrets/richiamo_pbx_password",
    "systemctl start richiamo-backup.service",
    "ls /var/lib/richiamo-ops/backups",
    "systemctl start richiamo-doctor.service",
    "ln -sfn richiamo-1 /opt/richiamo",
    "ln -sfn richiamo-2 /opt/richiamo",
    "rm /etc/richiamo/secrets/nats.conf /etc/richiamo/secrets/postgresql.sql /etc/systemd/system/richiamo-*.service",
    "mv /opt/richiamo /opt/richiamo-1",
}
"""Commands of the page that the tests below carry out, in a folder instead of the machine."""
RUN_ELSEWHERE = {
    "tools/runtime-packages": "tests/deploy",
    "promtool check rules": "tests/deploy",
}
"""Commands that other tests run."""
THE_MACHINE_S = (
    "apt ",
    "git ",
    "make ",
    "python3 -m venv",
    "systemd-sysusers",
    "systemctl ",
    "journalctl ",
    "cp ",
    "rm ",
    "caddy ",
    "echo ",
)
"""Commands of the system's own programs, which need the machine; systemd judges the units in a test of its own."""


def test_every_command_of_the_page_is_run_or_known_to_need_the_machine() -> None:
    commands = set(re.findall(r"^    (\S.*)$", PAGE.read_text(), re.MULTILINE))
    assert commands >= RUN_HERE
    left = {one for one in commands - RUN_HERE if not any(part in one for part in RUN_ELSEWHERE)}
    assert [one for one in left if not one.startswith(THE_MACHINE_S)] == []


def test_an_upgrade_leaves_the_version_before_and_the_roll_back_brings_its_units_and_keeps_the_secrets(
    tmp_path: Path,
) -> None:
    """The page's own commands, below a folder; two virtual environments stand for two versions."""
    page = PAGE.read_text()
    for number in (1, 2):
        version(tmp_path / f"opt/richiamo-{number}")
    first = commands_of(page, "2. The program") + "\n" + commands_of(page, "3. Its files")
    upgrade = commands_of(page, "Upgrade").partition("\nrm /etc/richiamo/secrets/database_url")[0]
    switch = upgrade[upgrade.index("\nrm ") :]
    carry_out(tmp_path, first)
    assert programs(tmp_path) == {f"{tmp_path}/opt/richiamo-1/bin/richiamo"}
    secrets = kept(tmp_path)
    carry_out(tmp_path, upgrade)
    assert programs(tmp_path) == {f"{tmp_path}/opt/richiamo-2/bin/richiamo"}
    assert kept(tmp_path) == secrets
    back = commands_of(page, "Roll-back")
    carry_out(tmp_path, back)
    assert programs(tmp_path) == {f"{tmp_path}/opt/richiamo-2/bin/richiamo"}, "chosen, and not yet switched to"
    carry_out(tmp_path, switch)
    assert programs(tmp_path) == {f"{tmp_path}/opt/richiamo-1/bin/richiamo"}
    assert kept(tmp_path) == secrets


def test_a_folder_from_before_there_were_numbers_becomes_the_first_version(tmp_path: Path) -> None:
    version(tmp_path / "opt/richiamo")
    moved = commands_of(PAGE.read_text(), "Upgrade").partition("\nmv ")[2]
    carry_out(tmp_path, f"mv {moved}\n/opt/richiamo/bin/richiamo install --systemd --site calls.example.com")
    assert (tmp_path / "opt/richiamo").readlink() == Path("richiamo-1")
    assert programs(tmp_path) == {f"{tmp_path}/opt/richiamo/bin/richiamo"}, "it knows itself by that name"


def commands_of(page: str, heading: str) -> str:
    """The commands of one section of the page, a line each."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"^    (\S.*)$", section, re.MULTILINE))


def carry_out(root: Path, commands: str) -> None:
    """Those of the commands that change files, in `root` instead of the machine."""
    for command in commands.splitlines():
        if command.startswith(("ln ", "mv ", "rm ", "/opt/")):
            here = re.sub(r"(?<!\S)/(opt|etc)/", rf"{root}/\1/", command)
            more = f" --root {root}" if " install " in command else ""
            subprocess.run(["sh", "-ec", here + more], capture_output=True, check=True)


def version(folder: Path) -> None:
    """A virtual environment that runs this source and knows itself by its own folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    script = (SCRIPTS / "richiamo").read_text().partition("\n")[2]
    (folder / "bin/richiamo").write_text(f"#!{folder}/bin/python\n{script}")
    (folder / "bin/richiamo").chmod(0o755)


def programs(root: Path) -> set[str]:
    """What the units start, but for NATS."""
    units = (root / "etc/systemd/system").glob("richiamo-*.service")
    started = {re.findall(r"^ExecStart=(\S+)", unit.read_text(), re.MULTILINE)[0] for unit in units}
    return {program for program in started if not program.endswith("nats-server")}


def kept(root: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in (root / "etc/richiamo/secrets").iterdir()}


@pytest.mark.servers
@pytest.mark.slow
async def test_the_page_leads_to_a_running_and_saved_installation(tmp_path: Path) -> None:
    """Every service as its unit says, on free ports and a PostgreSQL that was prepared as the page says."""
    installed(tmp_path)
    ports = {name: free_port() for name in ("gateway", "ingest", "queue", "callback-tracker", "reporting")}
    said = {"RICHIAMO_GATEWAY_PORT": str(ports["gateway"]), "RICHIAMO_INGEST_PORT": str(ports["ingest"])}
    secrets = tmp_path / "etc/richiamo/secrets"
    async with contextlib.AsyncExitStack() as running:
        postgres = PostgresServer(tmp_path / "postgres", free_port(), durable=False)
        await running.enter_async_context(running_server(postgres))
        moved = {"4222": free_port(), "5432": postgres.port, "/var/lib": tmp_path / "var/lib"}
        for file in secrets.iterdir():
            text = file.read_text()
            for there, here in moved.items():
                text = text.replace(there, str(here))
            file.write_text(text)
        superuser_s = await as_packaged(postgres)
        for file in (secrets / "postgresql.sql", secrets.parent / "analysts.sql"):
            prepare = ["psql", "-v", "ON_ERROR_STOP=1", "-q", superuser_s, "-f", str(file)]
            psql = await asyncio.create_subprocess_exec(*prepare, stdout=asyncio.subprocess.DEVNULL)
            assert await psql.wait() == 0

        children = [await started(tmp_path, "richiamo-nats")]
        for name, port in ports.items():
            observed = {"RICHIAMO_OBSERVE_PORT": str(port)} if name not in {"gateway", "ingest"} else {}
            children.append(await started(tmp_path, f"richiamo-{name}", **said, **observed))
        running.push_async_callback(ended, children)
        async with asyncio.timeout(90):
            for port in ports.values():
                while await status_of(port, "/readyz") != 200:
                    assert all(child.returncode is None for child in children)
                    await asyncio.sleep(0.1)

        assert await a_lost_call_is_listed(secrets, ports["gateway"], ports["ingest"])
        async with await database.connect(
            postgres.url.replace("//richiamo:", "//postgres:"), autocommit=True
        ) as superuser:
            assert await who_comes(superuser) == {
                f"richiamo_{name}" for name in ("ingest", "queue", "callback_tracker", "reporting", "gateway")
            }
            for role, view in (
                ("richiamo_bi", "bi.freshness"),
                ("richiamo_bi_numbers", "bi_numbers.dim_caller_number"),
            ):
                await superuser.execute(f"SET ROLE {role}".encode())
                async with asyncio.timeout(90):
                    while not await answers(superuser, view):
                        await asyncio.sleep(0.1)
        backup = await started(tmp_path, "richiamo-backup", **said)
        assert await asyncio.wait_for(backup.wait(), 60) == 0
        (made,) = (tmp_path / "var/lib/richiamo-ops/backups").iterdir()
        assert (made / MANIFEST).exists()
        assert await faults(tmp_path, **said) <= {"certificate", "disk"}, "what the machine itself has to give"
        made.rename(made.with_name("2026-03-02T02-30-00Z"))
        assert "backup" in await faults(tmp_path, **said)
        made.with_name("2026-03-02T02-30-00Z").rename(made)
        nowhere = f"postgresql://127.0.0.1:{free_port()}/none"
        half_made = await started(tmp_path, "richiamo-backup", **said, RICHIAMO_DATABASE_URL=nowhere)
        assert await asyncio.wait_for(half_made.wait(), 60) == 1
        assert list(made.parent.iterdir()) == [made], "what could not be finished is removed, what was whole stays"
    assert [child.returncode for child in children] == [0] * 6


@pytest.mark.servers
async def test_where_one_role_owned_everything_the_page_hands_it_over(tmp_path: Path) -> None:
    """The database of an earlier version, whose gateway goes on with it until the role may log in no more."""
    installed(tmp_path)
    server = PostgresServer(tmp_path / "postgres", free_port(), durable=False)
    here = server.url.partition("@")[2]
    earlier = make_engine(f"postgresql://richiamo:earlier@{here}", most=1)
    password = (tmp_path / "etc/richiamo/secrets/postgres_password_gateway").read_text()
    now = make_engine(f"postgresql://richiamo_gateway:{password}@{here}", most=1)
    async with running_server(server):
        superuser_s = await as_packaged(server)
        async with await database.connect(superuser_s, autocommit=True) as superuser:
            await superuser.execute("CREATE ROLE richiamo LOGIN PASSWORD 'earlier'")
            await superuser.execute("CREATE DATABASE richiamo OWNER richiamo ENCODING 'UTF8' TEMPLATE template0")
            await schema.prepare(earlier)
            prepare = ["psql", "-v", "ON_ERROR_STOP=1", "-q", superuser_s, "-f"]
            psql = await asyncio.create_subprocess_exec(
                *prepare, str(tmp_path / "etc/richiamo/secrets/postgresql.sql"), stdout=asyncio.subprocess.DEVNULL
            )
            assert await psql.wait() == 0
            for engine in (earlier, now, earlier):
                await schema.prepare(engine)
                async with engine.begin() as connection:
                    await connection.execute(schema.failed_login.insert().values(username="anna", at=func.now()))
            await superuser.execute("ALTER ROLE richiamo NOLOGIN")
        await earlier.dispose()
        with pytest.raises(OperationalError, match="not permitted to log in"):
            await schema.prepare(earlier)
        await schema.prepare(now)
        await now.dispose()
        await earlier.dispose()


async def who_comes(superuser: AsyncConnection) -> set[str]:
    """The roles that are connected to the database just now, but for the superuser's own."""
    found = await superuser.execute(
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND usename <> current_user"
    )
    return {name for (name,) in await found.fetchall()}


async def answers(analyst: AsyncConnection, view: str) -> bool:
    """Whether its service has made the view and opened it to the analysts' role, as the unit's own role."""
    with contextlib.suppress(UndefinedTable, InsufficientPrivilege):
        await analyst.execute(f"SELECT * FROM {view}".encode())
        return True
    return False


async def a_lost_call_is_listed(secrets: Path, gateway: int, ingest: int) -> bool:
    """Report one as the PBX, and look for it as admin, each with the password from its file."""
    record = {
        "unique_id": "1772449200.1",
        "source_type": "ibl",
        "destination_type": "queue",
        "status": "OK",
        "start_datetime": "2026-03-02 12:00:00",
        "end_datetime": "2026-03-02 12:00:20",
        "caller": "0501234567",
        "details": [
            {
                "detail_destination_type": "queue",
                "detail_destination_name": "Vendite",
                "detail_enqueue_datetime": "2026-03-02 12:00:00",
                "detail_exit_datetime": "2026-03-02 12:00:20",
                "detail_exit_cause": "CANCELED",
            }
        ],
    }
    async with httpx.AsyncClient(timeout=20) as http:
        pbx = ("pbx", (secrets / "richiamo_pbx_password").read_text())
        (await http.post(f"http://127.0.0.1:{ingest}/pbx/cdr", json=[record], auth=pbx)).raise_for_status()
        admin = {"username": "admin", "password": (secrets / "richiamo_admin_password").read_text()}
        api = f"http://127.0.0.1:{gateway}/api/v1"
        token = (await http.post(f"{api}/session", json=admin)).raise_for_status().json()["token"]
        async with asyncio.timeout(60):
            while True:
                listed = await http.get(
                    f"{api}/requests", params={"view": "all"}, headers={"Authorization": f"Bearer {token}"}
                )
                if [one["number"] for one in listed.raise_for_status().json()["items"]] == ["+390501234567"]:
                    return True
                await asyncio.sleep(0.05)


async def faults(root: Path, **said: str) -> set[str]:
    """The parts of the installation in which the doctor, run as its unit says, finds a fault."""
    doctor = await started(root, "richiamo-doctor", asyncio.subprocess.PIPE, **said)
    output, _ = await asyncio.wait_for(doctor.communicate(), 60)
    assert "✓ backup" in output.decode() or "✗ backup" in output.decode(), "it was told where they are"
    return set(re.findall(r"^✗ ([^:]+):", output.decode(), re.MULTILINE))


async def ended(children: Sequence[asyncio.subprocess.Process]) -> None:
    """As systemd ends them: the services before the log."""
    for child in reversed(children):
        child.terminate()
        await asyncio.wait_for(child.wait(), 60)


def test_the_newest_backups_are_kept_and_what_was_cut_short_goes_with_the_old(tmp_path: Path) -> None:
    def made(day: int, *, whole: bool = True) -> Path:
        folder = tmp_path / f"2026-03-{day:02}T02-30-00Z"
        folder.mkdir()
        if whole:
            (folder / MANIFEST).touch()
        return folder

    other = tmp_path / "notes"
    other.mkdir()
    cut_short = made(1, whole=False)
    remove_older(tmp_path, 2)
    assert cut_short.exists(), "the only one there is"
    kept = [made(day, whole=day != 5) for day in range(2, 6)][1:]
    remove_older(tmp_path, 2)
    assert sorted(tmp_path.iterdir()) == [*kept, other]


async def started(root: Path, name: str, output: int | None = None, /, **more: str) -> asyncio.subprocess.Process:
    """What systemd would start: the unit's command with its environment and its credentials."""
    unit = (root / f"etc/systemd/system/{name}.service").read_text()
    credentials = root / "credentials" / name
    credentials.mkdir(parents=True, exist_ok=True)
    for known_as, source in re.findall(r"^LoadCredential=([^:]+):(.+)$", unit, re.MULTILINE):
        shutil.copy(root / source.removeprefix("/"), credentials / known_as)
    said = re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE)
    said += re.findall(r"^(\w+)=(.*)$", (root / "etc/richiamo/richiamo.env").read_text(), re.MULTILINE)
    variables = {
        key: value.replace("%d", str(credentials)).replace("/var/lib", f"{root}/var/lib") for key, value in said
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RICHIAMO_")}
    command = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert command is not None
    return await asyncio.create_subprocess_exec(
        *shlex.split(command[1].replace("%d", str(credentials)).replace("/var/lib", f"{root}/var/lib")),
        env={**inherited, **variables, **more, "CREDENTIALS_DIRECTORY": str(credentials)},
        stdout=output,
    )
