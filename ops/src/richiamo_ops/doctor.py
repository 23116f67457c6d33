"""What is wrong with this installation, and what mends it? Looks from outside, and goes on where something is down."""

import asyncio
import shutil
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from psycopg import sql
from rich.console import Console

from richiamo_kit import database
from richiamo_kit.analysts import NUMBERS_ROLE, STAR_ROLE
from richiamo_kit.errors import Unavailable
from richiamo_kit.roles import SCHEMAS, role_of
from richiamo_kit.settings import Settings
from richiamo_kit.store.api import JetStreamError, api_patiently
from richiamo_kit.store.client import LogClient
from richiamo_kit.store.connection import connect
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import EVENTS, configurations
from richiamo_ops import endpoints
from richiamo_ops.backup import newest
from richiamo_ops.endpoints import Endpoints
from richiamo_ops.settings import Installation

_WAIT_SECONDS = 5.0
_OLDEST_NATS = (2, 12)
_OLDEST_POSTGRES = 16
_CLOCKS_APART = timedelta(seconds=2)
_LAG = 500
_LEAST_FREE = 5_000_000_000
_CERTIFICATE_DAYS = 14
_BACKUP_AGE = timedelta(hours=26)
"""A night and what one backup may take longer than the one before."""
_VIEWS = ("view_worklist", "view_calls", "view_tracker", "view_reporting", "view_audit")
_SAME = ("subjects", "deny_delete", "deny_purge", "allow_atomic", "num_replicas", "max_msgs_per_subject")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: all is well when there is no remedy."""

    part: str
    sentence: str
    remedy: str = ""


def doctor() -> int:
    """Look for what is wrong - servers, streams, views, clocks, keys, disk, backups, certificate - and say what mends it.

    Exit code 1 when something is. `richiamo check` compares what is stored, `richiamo test-pbx` asks the PBX.

    Example: richiamo doctor
    """
    return asyncio.run(_doctor())


async def _doctor() -> int:
    console = Console(highlight=False, soft_wrap=True)
    wrong = 0
    async for finding in examine(Installation(), Settings()):
        console.print(f"{'[red]✗[/]' if finding.remedy else '[green]✓[/]'} ", end="")
        console.print(f"{finding.part}: {finding.sentence}", markup=False)
        if finding.remedy:
            wrong += 1
            console.print(f"  → {finding.remedy}", markup=False)
    return 1 if wrong else 0


async def examine(installation: Installation, shared: Settings) -> AsyncIterator[Finding]:
    """Everything that is looked at, well or not."""
    for local in _on_this_machine(installation.folder, shared.directory_key_file):
        yield local
    if installation.backups:
        yield _backups(installation.backups, datetime.now(UTC))
    try:
        found = endpoints.find(installation)
    except Unavailable as error:
        yield Finding("richiamo", str(error), "Start it: make run, richiamo up, or its units.")
        return
    async for finding in _services(found):
        yield finding
    position: int | None = None
    try:
        client = await connect(found.nats_url, name="richiamo-doctor", wait=_WAIT_SECONDS)
    except Unavailable as error:
        yield Finding("nats", str(error), "Start NATS, or put RICHIAMO_NATS_URL right.")
    else:
        try:
            async for finding in _log(client, shared.nats_replicas):
                yield finding
            position = await JetStreamEventStore(client).last_position()
        except (Unavailable, JetStreamError) as error:
            yield Finding("log", str(error), "In a cluster: see that two of three nodes are up and have a leader.")
        finally:
            await client.close()
    async for finding in _database(found.database_url, position, embedded=not installation.database_url):
        yield finding
    if installation.public_url:
        yield await asyncio.to_thread(certificate, installation.public_url)


def _on_this_machine(folder: Path, key_file: Path | None) -> Iterator[Finding]:
    if folder.is_dir():
        free = shutil.disk_usage(folder).free
        sentence = f"{free / 1e9:.1f} GB are free below {folder}"
        yield Finding("disk", sentence, "" if free > _LEAST_FREE else "Make room: a full disk takes no call.")
    key = key_file or folder / "secrets" / "directory.key"
    if not key.exists():
        yield Finding(
            "key", f"{key} does not exist", "Restore it from the backup, or start Richiamo for the first time."
        )
    elif key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not str(key).startswith("/run/secrets"):
        yield Finding("key", f"others than its owner may read {key}", f"chmod 600 {key}")
    else:
        yield Finding("key", f"{key} is for its owner alone")


def _backups(folder: Path, now: datetime) -> Finding:
    try:
        saved = newest(folder)
    except OSError as error:
        return Finding("backup", f"{folder}: {error.strerror}", "Put RICHIAMO_BACKUPS right, or the folder's rights.")
    if saved is None:
        return Finding("backup", f"there is none in {folder}", f"Make one: richiamo backup {folder} --keep 14")
    hours = (now - saved) / timedelta(hours=1)
    late = now - saved > _BACKUP_AGE
    return Finding(
        "backup", f"the newest is {hours:.0f} hours old", "See why: journalctl -u richiamo-backup." if late else ""
    )


def _clock(whose: str, theirs: datetime) -> Finding:
    apart = abs(theirs - datetime.now(UTC))
    far = apart > _CLOCKS_APART
    return Finding(
        f"clock of {whose}",
        f"{apart.total_seconds():.1f} s from this machine's",
        "Let both follow one time server (chrony, systemd-timesyncd)." if far else "",
    )


async def _services(found: Endpoints) -> AsyncIterator[Finding]:
    async with httpx.AsyncClient(timeout=_WAIT_SECONDS) as client:
        for name, url in (("gateway", found.gateway), ("ingest", found.ingest)):
            try:
                told = (await client.get(f"{url}/readyz")).json()
            except (httpx.HTTPError, ValueError) as error:
                yield Finding(
                    name, f"nobody answers at {url} ({type(error).__name__})", f"Start it: richiamo serve {name}"
                )
                continue
            missing = "; ".join(f"{part}: {why}" for part, why in told.get("missing", {}).items())
            yield Finding(name, missing or "able to do its work", "Mend what it names." if missing else "")
        try:
            measured = (await client.get(f"{found.ingest}/metrics")).text
        except httpx.HTTPError:
            return
    values = {
        family.name: sum(one.value for one in family.samples) for family in text_string_to_metric_families(measured)
    }
    waiting = int(values.get("richiamo_spool_entries", 0))
    yield Finding(
        "spool",
        f"{waiting} reports of the PBX wait" if waiting else "empty",
        "The log takes nothing: see docs/runbooks/spool.md." if waiting else "",
    )
    if values.get("richiamo_numbers_masked", 0):
        yield Finding("pbx", "the PBX hides the last digits of its numbers", "See docs/runbooks/numbers-masked.md.")


async def _log(client: LogClient, replicas: int) -> AsyncIterator[Finding]:
    version = client.connected_server_version
    old = (version.major, version.minor) < _OLDEST_NATS
    yield Finding("nats", f"version {version.major}.{version.minor}.{version.patch}", "Update it." if old else "")
    for name, wanted in configurations(replicas=replicas).items():
        try:
            told: dict[str, Any] = await api_patiently(client, f"STREAM.INFO.{name}", {}, within=_WAIT_SECONDS)
        except JetStreamError as error:
            yield Finding(f"stream {name}", str(error), "It is made when a service starts.")
            continue
        config = told["config"]
        differ = [key for key in _SAME if key in wanted and config.get(key, _nothing(wanted[key])) != wanted[key]]
        leader = told.get("cluster", {}).get("leader", "")
        if "cluster" in told and not leader:
            yield Finding(f"stream {name}", "has no leader", "See that two of three nodes are up.")
        elif differ:
            yield Finding(f"stream {name}", f"differs in {', '.join(differ)}", f"nats stream edit {name}")
        elif name == EVENTS:
            yield Finding("log", f"{told['state']['messages']} events, {told['state']['bytes'] / 1e6:.1f} MB")
        if name == EVENTS:
            yield _clock("NATS", datetime.fromisoformat(told["ts"]))


def _nothing(like: object) -> object:
    """What JetStream leaves out of an answer: false and zero."""
    return False if isinstance(like, bool) else 0


async def _database(database_url: str, position: int | None, *, embedded: bool) -> AsyncIterator[Finding]:
    try:
        connection = await database.connect(database_url, autocommit=True, application="richiamo-doctor")
    except psycopg.OperationalError as error:
        yield Finding("database", str(error).strip(), "Start PostgreSQL, or put RICHIAMO_DATABASE_URL right.")
        return
    async with connection:
        version = connection.info.server_version // 10_000
        yield Finding("database", f"PostgreSQL {version}", "" if version >= _OLDEST_POSTGRES else "Update it.")
        told = await (
            await connection.execute(
                "SELECT clock_timestamp(), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
            )
        ).fetchone()
        assert told is not None
        yield _clock("PostgreSQL", told[0])
        if told[1] != "UTF8":
            yield Finding("database", f"it is in {told[1]}", "Make one in UTF8: deploy/roles.sql.")
        if not embedded:
            yield await _role(connection)
        yield await _owners(connection)
        yield await _analysts(connection)
        for view in _VIEWS:
            yield await _view(connection, view, position)


async def _role(connection: psycopg.AsyncConnection) -> Finding:
    """On a server of its own our role is no superuser, and that of queue may do what erasing does."""
    found = await connection.execute(
        "SELECT current_user, rolsuper, pg_has_role(erasing, 'pg_checkpoint', 'USAGE')"
        " AND pg_has_role(erasing, 'pg_read_all_stats', 'USAGE')"
        " AND has_function_privilege(erasing, 'pg_switch_wal()', 'EXECUTE'), erasing FROM pg_roles,"
        " coalesce((SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'queue'), current_user)"
        " AS erasing WHERE rolname = current_user"
    )
    row = await found.fetchone()
    assert row is not None
    name, superuser, erases, erasing = row
    if superuser:
        return Finding("role", f"{name} is a superuser of PostgreSQL", "Make a role that is none: deploy/roles.sql.")
    if not erases:
        return Finding(
            "role", f"{erasing} has not the rights by which a person is erased", "Grant them: deploy/roles.sql."
        )
    return Finding("role", f"{name} is no superuser, and {erasing} may erase")


async def _owners(connection: psycopg.AsyncConnection) -> Finding:
    """Each service owns its schemas, with all that is in them, and the one role of earlier versions logs in no more."""
    found = await connection.execute(
        "SELECT DISTINCT schema, role FROM unnest(%s::text[], %s::text[]) AS owns (schema, role)"
        " LEFT JOIN pg_roles ON rolname = role LEFT JOIN pg_namespace ON nspname = schema"
        " LEFT JOIN pg_class ON relnamespace = pg_namespace.oid AND relkind IN ('r', 'v')"
        " WHERE pg_roles.oid IS NULL OR nspowner <> pg_roles.oid OR relowner <> pg_roles.oid ORDER BY schema",
        tuple(map(list, zip(*((schema, role_of(name)) for name in SCHEMAS for schema in SCHEMAS[name]), strict=True))),
    )
    strange = [f"{schema} is not {role}'s" for schema, role in await found.fetchall()]
    if strange:
        return Finding("owners", "; ".join(strange), "As a superuser: psql -f deploy/roles.sql.")
    left = await connection.execute("SELECT FROM pg_roles WHERE rolname = 'richiamo' AND rolcanlogin AND NOT rolsuper")
    if await left.fetchone() is not None:
        return Finding(
            "owners", "richiamo, the one role of an earlier version, can still log in", "ALTER ROLE richiamo NOLOGIN;"
        )
    return Finding("owners", "each service has its own schemas")


async def _analysts(connection: psycopg.AsyncConnection) -> Finding:
    found = await connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", ([STAR_ROLE, NUMBERS_ROLE],)
    )
    there = {name for (name,) in await found.fetchall()}
    missing = " and ".join(name for name in (STAR_ROLE, NUMBERS_ROLE) if name not in there)
    if missing:
        return Finding("analysts", f"{missing} is not there", "As a superuser: psql -f deploy/analysts.sql.")
    return Finding("analysts", "their roles are there")


async def _view(connection: psycopg.AsyncConnection, view: str, position: int | None) -> Finding:
    try:
        found = await connection.execute(sql.SQL("SELECT position FROM {}.checkpoint").format(sql.Identifier(view)))
    except psycopg.errors.UndefinedTable:
        return Finding(view, "not made yet", "Its service makes it at its start.")
    row = await found.fetchone()
    at = row[0] if row else 0
    behind = max(0, (position or 0) - at)
    return Finding(
        view,
        f"{behind} events behind the log" if behind else "up to date",
        "See docs/runbooks/view-behind.md." if behind > _LAG else "",
    )


def certificate(url: str, *, authorities: str | None = None) -> Finding:
    """How long the certificate at an https address is good for; `authorities` is a file of those trusted besides."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return Finding("certificate", f"{url} is not encrypted", "Put a proxy with TLS before it: deploy/caddy.")
    context = ssl.create_default_context(cafile=authorities)
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=_WAIT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            shown = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Finding(
            "certificate", f"{parts.hostname}: {error.verify_message}", "Renew it, or install its whole chain."
        )
    except OSError as error:
        return Finding(
            "certificate", f"{url} is not reached: {error}", "Start the proxy, or put RICHIAMO_PUBLIC_URL right."
        )
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    days = (ends - datetime.now(UTC)).days
    return Finding("certificate", f"good for {days} days", "Renew it." if days < _CERTIFICATE_DAYS else "")
