"""A running ingest on real servers, and what a test wants to know about the log behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from pydantic import SecretStr

from richiamo_ingest.settings import IngestSettings
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.ingest.running import RunningIngest, running_ingest


@pytest_asyncio.fixture
async def ingest(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, tmp_path: Path
) -> AsyncIterator[RunningIngest]:
    settings = IngestSettings(
        nats_url=SecretStr(nats_url), database_url=SecretStr(database_url), data_dir=tmp_path, ingest_port=0
    )
    async with running_ingest(settings, event_store) as running:
        yield running
