"""Does what `richiamo install` writes start? Units judged by systemd itself, their commands run for real."""

import asyncio
import os
import re
import shlex
import shutil
import stat
import subprocess
import sysconfig
from pathlib import Path

import pytest

from richiamo_kit.servers import free_port
from richiamo_ops.probes import status_of

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
    assert len(set(passwords)) == len(passwords) == 10
    elsewhere = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file() and file.parent != folder)
    assert not any(password in elsewhere for password in passwords)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units_and_finds_them_locked(tmp_path: Path) -> None:
    installed(tmp_path)
    units = sorted((tmp_path / "etc/systemd/system").iterdir())
    assert len(units) == 7
    judged = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in judged.stderr.splitlines() if "richiamo" in line]
    assert ours == [], judged.stderr
    services = [unit for unit in units if unit.suffix == ".service"]
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={WORST_EXPOSURE}", "--no-pager"]
    for unit in services:
        exposed = subprocess.run([*command, unit], capture_output=True, text=True, check=False)
        assert exposed.returncode == 0, exposed.stdout[-300:] + exposed.stderr


@pytest.mark.servers
@pytest.mark.slow
async def test_the_commands_of_the_units_lead_to_a_running_service(tmp_path: Path, database_url: str) -> None:
    """NATS and the queue service as their units say, on free ports and this test's PostgreSQL."""
    installed(tmp_path)
    nats_port, watched = str(free_port()), free_port()
    for file in (tmp_path / "etc/richiamo/secrets").iterdir():
        file.write_text(file.read_text().replace("4222", nats_port).replace("/var/lib", str(tmp_path / "var/lib")))
    (tmp_path / "etc/richiamo/secrets/database_url").write_text(database_url)
    nats = await started(tmp_path, "richiamo-nats")
    queue = await started(tmp_path, "richiamo-queue", RICHIAMO_OBSERVE_PORT=str(watched))
    try:
        async with asyncio.timeout(60):
            while await status_of(watched, "/readyz") != 200:
                assert queue.returncode is None
                await asyncio.sleep(0.1)
    finally:
        for child in (queue, nats):
            child.terminate()
            await asyncio.wait_for(child.wait(), 15)
    assert queue.returncode == 0


async def started(root: Path, name: str, **more: str) -> asyncio.subprocess.Process:
    """What systemd would start: the unit's command with its environment and its credentials."""
    unit = (root / f"etc/systemd/system/{name}.service").read_text()
    credentials = root / "credentials" / name
    credentials.mkdir(parents=True)
    for known_as, source in re.findall(r"^LoadCredential=([^:]+):(.+)$", unit, re.MULTILINE):
        shutil.copyfile(root / source.removeprefix("/"), credentials / known_as)
    said = re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE)
    said += re.findall(r"^(\w+)=(.*)$", (root / "etc/richiamo/richiamo.env").read_text(), re.MULTILINE)
    variables = {
        key: value.replace("%d", str(credentials)).replace("/var/lib", f"{root}/var/lib") for key, value in said
    }
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RICHIAMO_")}
    command = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert command is not None
    return await asyncio.create_subprocess_exec(
        *shlex.split(command[1].replace("%d", str(credentials))),
        env={**inherited, **variables, **more, "CREDENTIALS_DIRECTORY": str(credentials)},
    )
