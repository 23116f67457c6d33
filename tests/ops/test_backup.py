"""Is everything there again after a disaster: every event at its position and instant, every number, every password?"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, NoteId, Username
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.store.connection import api
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.backup import STREAMS, save
from richiamo_ops.endpoints import Endpoints
from richiamo_ops.restore import _CREDENTIAL_TABLE, _bring_back, _bring_back_credentials, _verify, verified
from richiamo_ops.site import Site
from richiamo_queue.notes.kept import NatsNotes
from richiamo_queue.notes.port import Note
from tests.ops.test_rebuild import lose

pytestmark = pytest.mark.servers

QUIET = Console(quiet=True)
EPOCH = datetime(2026, 3, 2, tzinfo=UTC)


async def everything(store: JetStreamEventStore) -> list[Recorded]:
    return [event async for event in store.read()]


async def test_a_backup_brings_back_log_directory_and_credentials(
    event_store: JetStreamEventStore, database_url: str, tmp_path: Path
) -> None:
    key = tmp_path / "directory.key"
    site = Site(
        store=event_store,
        directory=NatsDirectory(event_store.client, read_key(key)),
        database_url=database_url,
        defaults=SiteSettings(),
        found=Endpoints("", "", "", "", 0),
    )
    for number in range(5):
        await lose(site, number)
    notes, rossi = NatsNotes(event_store.client), CallerId("rossi")

    async def newest() -> bool:
        return True

    await notes.keep(rossi, Note(version=NoteId("n1"), text="invoice", by=Username("anna"), at=EPOCH), newest)
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute(_CREDENTIAL_TABLE)
        await connection.execute("INSERT INTO gateway.credential VALUES ('anna', '$argon2id$x', now())")
    before = await everything(event_store)
    folder = tmp_path / "backup"
    folder.mkdir()
    await save(site, folder, key, QUIET)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}

    await lose(site, 6)  # After the backup: it is not in it.
    for stream in STREAMS:
        await api(event_store.client, f"STREAM.DELETE.{stream}")
    async with await database.connect(database_url, autocommit=True) as connection:
        await connection.execute("DROP SCHEMA gateway CASCADE")

    manifest = verified(folder)
    await _bring_back(event_store.client, folder, manifest, QUIET)
    await _bring_back_credentials(database_url, folder)
    await _verify(event_store.client, key, manifest)
    assert await everything(event_store) == before
    kept = await notes.read(rossi)
    assert kept is not None
    assert kept.text == "invoice"
    found = NatsDirectory(event_store.client, read_key(key))
    assert await found.find("+390501000003") is not None
    assert await found.find("+390501000006") is None
    async with await database.connect(database_url) as connection:
        rows = await connection.execute("SELECT username, password_hash FROM gateway.credential")
        assert await rows.fetchall() == [("anna", "$argon2id$x")]

    with pytest.raises(Problem, match="log-exists"):
        await _bring_back(event_store.client, folder, manifest, QUIET)
    await lose(site, 7)
    assert (await everything(event_store))[-1].position == 6, "the log goes on where the backup ended"


def test_a_changed_or_missing_file_is_found_before_anything_is_touched(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no-backup"):
        verified(tmp_path)
    (tmp_path / "manifest.json").write_text('{"sha256": {"EVENTS.snapshot": "0"}}')
    with pytest.raises(Problem, match="damaged-backup"):
        verified(tmp_path)
