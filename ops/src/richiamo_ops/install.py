"""How does Richiamo become part of a server? Files for systemd, NATS, PostgreSQL and Caddy, each written once.

Nothing is started or installed here: the program, nats-server, PostgreSQL and Caddy come from their own packages.
An existing file is left alone, so a second run adds what a newer version needs besides and breaks nothing.
"""

import json
import os
import secrets
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from richiamo_kit import analysts, roles
from richiamo_kit.store import access
from richiamo_ops.serve import SERVICES

_SECRETS = Path("/etc/richiamo/secrets")
_STATE = "/var/lib/richiamo"
_NATS_STATE = "/var/lib/richiamo-nats"
_OPS = "richiamo-ops"
_OPS_STATE = f"/var/lib/{_OPS}"
_BACKUPS = f"{_OPS_STATE}/backups"
_KEPT_BACKUPS = 14
_OBSERVE = {"queue": 9464, "callback-tracker": 9465, "reporting": 9466}
_ONLY_OF = {"gateway": "richiamo_admin_password", "ingest": "richiamo_pbx_password"}
_HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
PrivateTmp=yes
PrivateDevices=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077
"""


@dataclass(frozen=True, slots=True)
class File:
    """One file to be: where, what, and for whom."""

    path: Path
    text: str
    mode: int = 0o644


def install(*, systemd: bool, site: str, root: Path = Path("/")) -> int:
    """Write units, users, secrets and the configuration of NATS, PostgreSQL and Caddy; say what is left to do.

    What exists stays as it is. Nothing is started.

    Example: `richiamo install --systemd --site calls.example.com`

    Args:
        systemd: Write units for systemd (the one kind there is).
        site: The host name by which people and the PBX reach this server.
        root: The folder to write below, instead of the whole machine.
    """
    if not systemd:
        sys.exit("richiamo: say --systemd, the one kind of installation there is.")
    console = Console(highlight=False, soft_wrap=True)
    for file in files(site, root / _SECRETS.relative_to("/")):
        target = root / file.path.relative_to("/")
        if target.exists():
            console.print(f"kept     {target}", markup=False)
            continue
        _write(target, file)
        console.print(f"written  {target}", markup=False)
    console.print(
        "Next: systemd-sysusers; sudo -u postgres psql </etc/richiamo/secrets/postgresql.sql; "
        "sudo -u postgres psql </etc/richiamo/analysts.sql; "
        "systemctl daemon-reload; systemctl enable --now richiamo.target; import /etc/richiamo/Caddyfile in Caddy's.",
        markup=False,
    )
    return 0


def files(site: str, kept: Path) -> Iterator[File]:
    """Everything to be written; passwords are those in the folder `kept`, and new ones where it holds none."""

    def secret(name: str) -> str:
        file = kept / name
        return file.read_text() if file.exists() else secrets.token_hex(32)

    passwords = {user: secret(f"nats_password_{user}") for user in (access.OPS, *access.SERVICES)}
    of_postgres = {user: secret(f"postgres_password_{user}") for user in roles.USERS}
    for user, password in passwords.items():
        yield _secret(f"nats_password_{user}", password)
        yield _secret(f"nats_url_{user}", f"nats://{user}:{password}@127.0.0.1:4222")
    for user, password in of_postgres.items():
        yield _secret(f"postgres_password_{user}", password)
        yield _secret(f"database_url_{user}", f"postgresql://{roles.role_of(user)}:{password}@127.0.0.1:5432/richiamo")
    for name in ("directory.key", *_ONLY_OF.values()):
        yield _secret(name, secret(name))
    yield _secret("nats.conf", nats_configuration(passwords))
    yield _secret("postgresql.sql", postgresql(of_postgres))
    yield File(Path("/etc/richiamo/analysts.sql"), analysts.ROLES)
    yield File(Path("/etc/richiamo/richiamo.env"), environment(site))
    yield File(Path("/etc/richiamo/Caddyfile"), caddyfile(site))
    # The files of the log are NATS's own: a service that was taken over cannot read them past its permissions.
    # Nor can it read or remove a backup, which holds every number and password: those belong to a third user.
    users = (
        f'u richiamo - "Richiamo" {_STATE}\nu richiamo-nats - "The log of Richiamo" {_NATS_STATE}\n'
        f'u {_OPS} - "Backups and checks of Richiamo" {_OPS_STATE}\n'
    )
    yield File(Path("/etc/sysusers.d/richiamo.conf"), users)
    for name, text in units():
        yield File(Path("/etc/systemd/system") / name, text)


def _secret(name: str, text: str) -> File:
    return File(_SECRETS / name, text, 0o600)


def nats_configuration(passwords: dict[str, str]) -> str:
    """One node that acknowledges what is on the disk, for this machine alone."""
    return f"""\
server_name: richiamo
listen: "127.0.0.1:4222"
max_payload: 8MB
max_pending: 128MB
write_deadline: "10s"
{access.users({user: json.dumps(password) for user, password in passwords.items()})}\
jetstream {{
  store_dir: "{_NATS_STATE}"
  # An event that was acknowledged survives a power cut.
  sync_interval: always
  # A flush of many callers is one atomic batch.
  limits {{ batch {{ max_msgs: 20000, timeout: "60s" }} }}
}}
"""


def postgresql(passwords: dict[str, str]) -> str:
    """The database and its roles, for a superuser to make, or to bring up to what this version needs."""
    return f"""\
{roles.PAGE}{roles.passwords(passwords)}\
-- A segment used again would keep the digits of somebody erased until it is full.
ALTER SYSTEM SET wal_recycle = off;
SELECT pg_reload_conf();
"""


def environment(site: str) -> str:
    """What all services are told; an administrator adds to it."""
    return f"""\
RICHIAMO_PUBLIC_URL=https://{site}
RICHIAMO_PBX_USER=pbx
RICHIAMO_SITE_TIMEZONE=Europe/Rome
RICHIAMO_SITE_COUNTRY=IT
RICHIAMO_LOG_FORMAT=json
"""


def caddyfile(site: str) -> str:
    """TLS for people on 443 and for the PBX on 8443."""
    return f"""\
{site} {{
	encode zstd gzip
	reverse_proxy 127.0.0.1:8080 {{
		# Live changes must not wait in a buffer.
		flush_interval -1
	}}
}}

{site}:8443 {{
	reverse_proxy 127.0.0.1:8081
}}
"""


def units() -> Iterator[tuple[str, str]]:
    """Every unit by its name: NATS, the five services, what happens each night, the doctor, and the target."""
    names = [
        "richiamo-nats.service",
        *(f"richiamo-{name}.service" for name in SERVICES),
        "richiamo-nightly.service",
        "richiamo-backup.timer",
    ]
    yield (
        "richiamo.target",
        f"[Unit]\nDescription=Richiamo\nWants={' '.join(names)}\n\n[Install]\nWantedBy=multi-user.target\n",
    )
    nats = shutil.which("nats-server") or "/usr/bin/nats-server"
    yield names[0], _unit("log", f"{nats} --config %d/nats.conf", ["nats.conf:nats.conf"], [], "richiamo-nats")
    program = Path(sysconfig.get_path("scripts")) / "richiamo"
    for name in SERVICES:
        credentials = [f"richiamo_nats_url:nats_url_{name}", f"richiamo_database_url:database_url_{name}"]
        variables = [f"RICHIAMO_DATA_DIR={_STATE}", "PYTHONUNBUFFERED=1"]
        if name in _OBSERVE:
            variables.append(f"RICHIAMO_OBSERVE_PORT={_OBSERVE[name]}")
        if name != "gateway":
            credentials.append("directory.key:directory.key")
            variables.append("RICHIAMO_DIRECTORY_KEY_FILE=%d/directory.key")
        if name in _ONLY_OF:
            credentials.append(f"{_ONLY_OF[name]}:{_ONLY_OF[name]}")
        yield f"richiamo-{name}.service", _unit(name, f"{program} serve {name}", credentials, variables)
    # Commands of ops: NATS and PostgreSQL let only their user look at everything.
    credentials = [
        f"richiamo_nats_url:nats_url_{access.OPS}",
        f"richiamo_database_url:database_url_{roles.OPS}",
        "directory.key:directory.key",
    ]
    variables = [
        f"RICHIAMO_DATA_DIR={_OPS_STATE}",
        "RICHIAMO_DIRECTORY_KEY_FILE=%d/directory.key",
        "PYTHONUNBUFFERED=1",
    ]
    yield "richiamo-nightly.service", _unit("nightly check", f"{program} nightly", credentials, variables, _OPS)
    saving = f"{program} backup {_BACKUPS} --keep {_KEPT_BACKUPS}"
    yield "richiamo-backup.service", _unit("backup", saving, credentials, variables, _OPS, once=True)
    yield "richiamo-backup.timer", _BACKUP_TIMER
    looking = [*variables, f"RICHIAMO_BACKUPS={_BACKUPS}"]
    yield "richiamo-doctor.service", _unit("doctor", f"{program} doctor", credentials, looking, _OPS, once=True)


_BACKUP_TIMER = """\
[Unit]
Description=Richiamo: a backup each night
PartOf=richiamo.target

[Timer]
OnCalendar=02:30
# A machine that was off then makes it when it is on again.
Persistent=true
"""


def _unit(
    what: str,
    command: str,
    credentials: list[str],
    variables: list[str],
    user: str = "richiamo",
    *,
    once: bool = False,
) -> str:
    loaded = "".join(f"LoadCredential={one.replace(':', f':{_SECRETS}/')}\n" for one in credentials)
    said = "".join(f"Environment={one}\n" for one in variables)
    lasting = "Type=oneshot\n" if once else "Restart=always\nRestartSec=1\n"
    return f"""\
[Unit]
Description=Richiamo: {what}
After=network-online.target postgresql.service
Wants=network-online.target
PartOf=richiamo.target

[Service]
ExecStart={command}
User={user}
StateDirectory={user}
StateDirectoryMode=0700
EnvironmentFile=/etc/richiamo/richiamo.env
{said}{loaded}{lasting}TimeoutStopSec=10
LimitNOFILE=65536
{_HARDENED}"""


def _write(target: Path, file: File) -> None:
    """All or nothing, never readable for longer than it should be."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if file.mode == 0o600 else 0o755)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode), "w") as out:
        out.write(file.text)
        out.flush()
        os.fsync(out.fileno())
    part.rename(target)
