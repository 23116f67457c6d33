"""With what does a command of ops work in a test? A log, a directory and a database of the test's own."""

from pathlib import Path

import pytest

from richiamo_events.settings import SiteSettings
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.endpoints import Endpoints
from richiamo_ops.site import Site


@pytest.fixture
def site(event_store: JetStreamEventStore, database_url: str, tmp_path: Path) -> Site:
    return Site(
        store=event_store,
        directory=NatsDirectory(event_store.client, read_key(tmp_path / "directory.key")),
        database_url=database_url,
        defaults=SiteSettings(),
        found=Endpoints("", "", "", "", 0),
    )
