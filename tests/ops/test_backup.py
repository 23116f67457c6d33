"""Is everything there again after a disaster: every event at its position and instant, every number, every password?"""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId, CallId, NoteId, Username
from richiamo_events.language import CallerErased
from richiamo_events.settings import SiteSettings
from richiamo_gateway.auth import schema
from richiamo_gateway.engine import make_engine
from richiamo_kit import database
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.store.api import api
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import ERASURES as REGISTER
from richiamo_ops.backup import STREAMS, save
from richiamo_ops.endpoints import Endpoints
from richiamo_ops.restore import How, bring_back, verified
from richiamo_ops.site import Site
from richiamo_queue.notes.kept import NatsNotes
from richiamo_queue.notes.port import Note
from tests.ops.test_rebuild import lose

pytestmark = pytest.mark.servers

QUIET = Console(quiet=True)
EPOCH = datetime(2026, 3, 2, tzinfo=UTC)


async def everything(store: JetStreamEventStore) -> list[Recorded]:
    return [event async for event in store.read()]


class Installed:
    """A site that can be saved, lost and brought back."""

    def __init__(self, store: JetStreamEventStore, database_url: str, folder: Path) -> None:
        self.store = store
        self.key = folder / "directory.key"
        self.folder = folder
        self.site = Site(
            store=store,
            directory=NatsDirectory(store.client, read_key(self.key)),
            database_url=database_url,
            defaults=SiteSettings(),
            found=Endpoints("", "", "", "", 0),
        )

    async def prepare(self) -> None:
        engine = make_engine(self.site.database_url, most=1)
        await schema.prepare(engine)
        await engine.dispose()

    async def save(self, name: str) -> Path:
        backup = self.folder / name
        backup.mkdir()
        await save(self.site, backup, self.key, QUIET)
        return backup

    async def lose_everything(self) -> None:
        for stream in (*STREAMS, REGISTER):
            await api(self.store.client, f"STREAM.DELETE.{stream}")
        async with await database.connect(self.site.database_url, autocommit=True) as connection:
            await connection.execute("DROP SCHEMA gateway CASCADE")

    async def bring_back(self, backup: Path, how: How | None = None) -> None:
        await bring_back(
            self.store.client, self.site.database_url, backup, verified(backup), self.key, how or How(), QUIET
        )

    def directory(self) -> NatsDirectory:
        """As a service that starts now sees it."""
        return NatsDirectory(self.store.client, read_key(self.key))

    async def streams(self) -> set[str]:
        names = (await api(self.store.client, "STREAM.NAMES")).get("streams")
        return set(names) if isinstance(names, list) else set()


@pytest_asyncio.fixture
async def here(event_store: JetStreamEventStore, database_url: str, tmp_path: Path) -> Installed:
    installed = Installed(event_store, database_url, tmp_path)
    await installed.prepare()
    return installed


async def test_a_backup_brings_back_log_directory_notes_and_the_gateways_tables(here: Installed) -> None:
    site, store = here.site, here.store
    for number in range(5):
        await lose(site, number)
    notes, rossi = NatsNotes(store.client), CallerId("rossi")

    async def newest() -> bool:
        return True

    await notes.keep(rossi, Note(version=NoteId("n1"), text="invoice", by=Username("anna"), at=EPOCH), newest)
    async with await database.connect(site.database_url, autocommit=True) as connection:
        await connection.execute("INSERT INTO gateway.credential VALUES ('anna', '$argon2id$x', now())")
        await connection.execute(
            "INSERT INTO gateway.board (id, owner, title, published, widgets) VALUES ('b', 'anna', 'Wall', true, '[]')"
        )
    before = await everything(store)
    backup = await here.save("backup")
    assert {file.stat().st_mode & 0o777 for file in backup.iterdir()} == {0o600}

    await lose(site, 6)  # After the backup: it is not in it.
    await here.lose_everything()
    await here.bring_back(backup)
    assert await everything(store) == before
    kept = await notes.read(rossi)
    assert kept is not None
    assert kept.text == "invoice"
    assert await here.directory().find("+390501000003") is not None
    assert await here.directory().find("+390501000006") is None
    async with await database.connect(site.database_url) as connection:
        rows = await connection.execute("SELECT username, password_hash FROM gateway.credential")
        assert await rows.fetchall() == [("anna", "$argon2id$x")]
        rows = await connection.execute("SELECT owner, title FROM gateway.board")
        assert await rows.fetchall() == [("anna", "Wall")]

    with pytest.raises(Problem, match="log-exists"):
        await here.bring_back(backup)
    await lose(site, 7)
    assert (await everything(store))[-1].position == 6, "the log goes on where the backup ended"


async def test_who_was_erased_after_the_backup_is_erased_again_by_a_newer_register(here: Installed) -> None:
    await lose(here.site, 1)
    await lose(here.site, 2)
    older = await here.save("older")
    first = await here.site.directory.resolve("+390501000001")
    await here.site.directory.register_erasure(first, EPOCH)
    await here.site.directory.forget(first)
    newer = await here.save("newer")
    await here.lose_everything()
    await here.bring_back(older, How(register=newer))
    assert await here.directory().number_of(first) is None
    assert await here.directory().find("+390501000001") is None
    assert await here.directory().find("+390501000002") is not None
    assert await here.directory().erased_since("+390501000001", EPOCH - timedelta(days=1))
    (closing,) = [one for one in await everything(here.store) if isinstance(one.data, CallerErased)]
    assert closing.data == CallerErased(
        caller=first, by=Username("system"), reason="erased after the backup", calls=(CallId("main", "1.0"),)
    )


async def test_a_number_that_called_again_after_its_erasure_keeps_its_new_entry(here: Installed) -> None:
    await lose(here.site, 1)
    first = await here.site.directory.resolve("+390501000001")
    await here.site.directory.register_erasure(first, EPOCH)
    await here.site.directory.forget(first)
    second = await here.site.directory.resolve("+390501000001")
    await here.store.append(
        [
            NewEvent(
                id="gone",
                subject=subjects.caller(first),
                data=CallerErased(caller=first, by=Username("root"), reason=""),
                occurred_at=EPOCH,
                actor="user:root",
                correlation_id="k",
            )
        ]
    )
    backup = await here.save("backup")
    await here.lose_everything()
    await here.bring_back(backup)
    assert await here.directory().find("+390501000001") == second


async def test_a_directory_older_than_the_log_is_refused_and_nothing_is_left_of_the_try(here: Installed) -> None:
    await lose(here.site, 1)
    older = await here.save("older")
    await lose(here.site, 2)
    mixed = await here.save("mixed")
    for name in ("KV_CALLERS.snapshot",):
        shutil.copyfile(older / name, mixed / name)
    manifest, earlier = (json.loads((folder / "manifest.json").read_text()) for folder in (mixed, older))
    manifest["streams"]["KV_CALLERS"] = earlier["streams"]["KV_CALLERS"]
    manifest["sha256"]["KV_CALLERS.snapshot"] = earlier["sha256"]["KV_CALLERS.snapshot"]
    (mixed / "manifest.json").write_text(json.dumps(manifest))
    await here.lose_everything()
    with pytest.raises(Problem, match="directory-older"):
        await here.bring_back(mixed)
    assert not set(STREAMS) & await here.streams()
    await here.bring_back(mixed, How(repair=True))
    (closing,) = [one.data for one in await everything(here.store) if isinstance(one.data, CallerErased)]
    assert closing.reason == "the directory lost the number"
    assert closing.calls == (CallId("main", "2.0"),)


async def test_an_instant_brings_back_what_was_recorded_before_it_and_nobody_who_came_after(here: Installed) -> None:
    for number in (1, 2, 3):
        await lose(here.site, number)
    before = await everything(here.store)
    backup = await here.save("backup")
    await here.lose_everything()
    await here.bring_back(backup, How(until=before[2].recorded_at))
    assert await everything(here.store) == before[:2], "positions and instants as they were"
    assert await here.store.last_position() == 2
    assert await here.directory().find("+390501000002") is not None
    assert await here.directory().find("+390501000003") is None
    await lose(here.site, 4)
    assert (await everything(here.store))[-1].position == 3


def test_a_changed_or_missing_file_is_found_before_anything_is_touched(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no-backup"):
        verified(tmp_path)
    (tmp_path / "manifest.json").write_text('{"sha256": {"EVENTS.snapshot": "0"}}')
    with pytest.raises(Problem, match="damaged-backup"):
        verified(tmp_path)
