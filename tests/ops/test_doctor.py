"""Does the doctor see what is wrong, and only that? With real servers, some of them ill."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from richiamo_kit import database
from richiamo_kit.directory import read_key
from richiamo_kit.roles import ROLES
from richiamo_kit.servers import free_port
from richiamo_kit.settings import Settings
from richiamo_kit.store.api import api
from richiamo_kit.store.connection import connect
from richiamo_kit.store.streams import EVENTS, ensure_streams
from richiamo_ops.backup import MANIFEST
from richiamo_ops.doctor import Finding, certificate, examine
from richiamo_ops.settings import Installation
from tests.certificates import certify


def installed(folder: Path, nats_url: str, database_url: str) -> Installation:
    read_key(folder / "secrets" / "directory.key")
    return Installation(
        data_dir=folder,
        nats_url=nats_url,
        database_url=database_url,
        gateway_port=free_port(),
        ingest_port=free_port(),
    )


async def found(installation: Installation) -> dict[str, Finding]:
    return {one.part: one async for one in examine(installation, Settings())}


@pytest.mark.servers
async def test_what_runs_is_well_and_what_does_not_is_named(nats_url: str, database_url: str, tmp_path: Path) -> None:
    client = await connect(nats_url)
    await ensure_streams(client)
    await client.close()
    findings = await found(installed(tmp_path, nats_url, database_url))
    wrong = {part for part, one in findings.items() if one.remedy}
    views = {"view_worklist", "view_calls", "view_tracker", "view_reporting", "view_audit"}
    assert wrong - {"disk"} == {"gateway", "ingest", "role"} | views
    assert "is a superuser" in findings["role"].sentence
    assert "richiamo serve gateway" in findings["gateway"].remedy
    assert findings["view_worklist"].sentence == "not made yet"
    assert {"clock of NATS", "clock of PostgreSQL"} <= findings.keys()


@pytest.mark.servers
async def test_a_log_from_which_events_can_be_deleted_is_no_log(
    nats_url: str, database_url: str, tmp_path: Path
) -> None:
    client = await connect(nats_url)
    await api(client, f"STREAM.CREATE.{EVENTS}", {"name": EVENTS, "subjects": ["richiamo.events.>"]})
    await client.close()
    findings = await found(installed(tmp_path, nats_url, database_url))
    assert "deny_delete" in findings[f"stream {EVENTS}"].sentence
    assert findings["stream CDR"].remedy == "It is made when a service starts."


@pytest.mark.parametrize(
    ("hours", "remedy"), [(None, "--keep 14"), (25, ""), (27, "journalctl")], ids=["none", "of last night", "late"]
)
async def test_a_night_without_a_backup_is_seen(tmp_path: Path, hours: int | None, remedy: str) -> None:
    backups = tmp_path / "backups"
    now = datetime.now(UTC)
    for age, whole in ((hours, True), (1, False), (100, True)):
        if age is not None and hours is not None:
            saved = backups / (now - timedelta(hours=age)).strftime("%Y-%m-%dT%H-%M-%SZ")
            saved.mkdir(parents=True)
            if whole:
                (saved / MANIFEST).touch()
    backups.mkdir(exist_ok=True)
    finding = (await found(Installation(data_dir=tmp_path, backups=backups)))["backup"]
    assert (remedy in finding.remedy) if remedy else not finding.remedy
    assert hours is None or f"{hours} hours" in finding.sentence


@pytest.mark.servers
async def test_it_goes_on_where_the_log_is_away(database_url: str, tmp_path: Path) -> None:
    installation = installed(tmp_path, f"nats://127.0.0.1:{free_port()}", database_url)
    key = tmp_path / "secrets" / "directory.key"
    key.chmod(0o644)
    findings = await found(installation)
    assert findings["nats"].remedy
    assert findings["key"].remedy == f"chmod 600 {key}"
    assert not findings["database"].remedy


@pytest.mark.servers
async def test_a_role_has_the_rights_it_needs_and_no_more(nats_url: str, database_url: str, tmp_path: Path) -> None:
    parts = urlsplit(database_url)
    as_plain = urlunsplit(parts._replace(netloc=f"plain:word@{parts.hostname}:{parts.port}"))
    installation = installed(tmp_path, nats_url, as_plain)
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute("CREATE ROLE plain LOGIN PASSWORD 'word'")
        try:
            assert (await found(installation))["role"].remedy == "Grant them: deploy/roles.sql."
            await connection.execute("GRANT pg_checkpoint, pg_read_all_stats TO plain")
            await connection.execute("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO plain")
            assert not (await found(installation))["role"].remedy
        finally:
            await connection.execute("DROP OWNED BY plain")
            await connection.execute("DROP ROLE plain")


@pytest.mark.servers
async def test_what_a_service_does_not_own_is_named(nats_url: str, database_url: str, tmp_path: Path) -> None:
    installation = installed(tmp_path, nats_url, database_url)
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA gateway")
        await connection.execute("CREATE SCHEMA view_worklist")
        await connection.execute("CREATE TABLE view_worklist.number (n int)")
        await connection.execute("ALTER SCHEMA view_worklist OWNER TO richiamo_queue")
        finding = (await found(installation))["owners"]
        await connection.execute(ROLES.encode())
    assert finding.sentence == "gateway is not richiamo_gateway's; view_worklist is not richiamo_queue's"
    assert "deploy/roles.sql" in finding.remedy
    assert not (await found(installation))["owners"].remedy


@pytest.mark.servers
async def test_the_one_role_of_an_earlier_version_is_to_log_in_no_more(
    nats_url: str, database_url: str, tmp_path: Path
) -> None:
    parts = urlsplit(database_url)
    as_another = urlunsplit(parts._replace(netloc=f"another:word@{parts.hostname}:{parts.port}"))
    installation = installed(tmp_path, nats_url, as_another)
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute("CREATE ROLE another SUPERUSER LOGIN PASSWORD 'word'")
    async with await database.connect(as_another, autocommit=True) as connection:
        await connection.execute("ALTER ROLE richiamo RENAME TO before")
        try:
            await connection.execute("CREATE ROLE richiamo LOGIN")
            finding = (await found(installation))["owners"]
            await connection.execute(finding.remedy.encode())
            assert not (await found(installation))["owners"].remedy
        finally:
            await connection.execute("DROP ROLE IF EXISTS richiamo")
            await connection.execute("ALTER ROLE before RENAME TO richiamo")
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute("DROP ROLE another")
    assert finding.sentence == "richiamo, the one role of an earlier version, can still log in"


@pytest.mark.servers
async def test_analysts_roles_that_are_missing_are_named(nats_url: str, database_url: str, tmp_path: Path) -> None:
    installation = installed(tmp_path, nats_url, database_url)
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute("ALTER ROLE richiamo_bi_numbers RENAME TO away")
        try:
            finding = (await found(installation))["analysts"]
        finally:
            await connection.execute("ALTER ROLE away RENAME TO richiamo_bi_numbers")
    assert finding.sentence == "richiamo_bi_numbers is not there"
    assert "deploy/analysts.sql" in finding.remedy
    assert not (await found(installation))["analysts"].remedy


async def test_without_a_running_system_it_says_so(tmp_path: Path) -> None:
    findings = await found(Installation(data_dir=tmp_path))
    assert "does not run" in findings["richiamo"].sentence


@asynccontextmanager
async def encrypted(folder: Path, *, days: int) -> AsyncIterator[tuple[str, Path]]:
    """A TLS server whose certificate is good for so many days: its address, and the file that makes it trusted."""
    chain = certify(folder, days=days)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, folder / "key.pem")

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    port = free_port()
    server = await asyncio.start_server(answer, "localhost", port, ssl=context)
    async with server:
        yield f"https://localhost:{port}", chain


@pytest.mark.parametrize(
    ("days", "sentence", "ill"), [(90, "good for 90 days", False), (5, "good for 5 days", True), (-2, "expired", True)]
)
async def test_a_certificate_is_renewed_in_time(tmp_path: Path, days: int, sentence: str, *, ill: bool) -> None:
    async with encrypted(tmp_path, days=days) as (url, chain):
        finding = await asyncio.to_thread(certificate, url, authorities=str(chain))
    assert sentence in finding.sentence
    assert bool(finding.remedy) is ill


def test_an_address_without_tls_is_told() -> None:
    assert "deploy/caddy" in certificate("http://calls.example.com").remedy
