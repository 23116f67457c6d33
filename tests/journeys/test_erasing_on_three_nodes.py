"""Is a person gone from three NATS nodes too? From their streams at once, from their consensus logs soon after."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from richiamo_events.ids import NoteId, Username
from richiamo_kit.directory import NatsDirectory
from richiamo_kit.raw_records import erase_raw_records, kept_by_several_nodes
from richiamo_kit.store.client import LogClient
from richiamo_kit.store.connection import connect
from richiamo_kit.store.publish import publish
from richiamo_kit.store.streams import CDR, DIRECTORY, NOTES, QUARANTINE, ensure_streams
from richiamo_queue.notes.kept import NatsNotes
from richiamo_queue.notes.port import Note
from tests.journeys import edge as pbx
from tests.journeys import people
from tests.journeys.edge import Edge
from tests.journeys.system import System, command
from tests.journeys.waiting import eventually
from tests.kit.cluster import three_nodes
from tests.kit.servers import digits_anywhere

pytestmark = [pytest.mark.servers, pytest.mark.slow]

NUMBER = "0502718281"
DIGITS = b"502718281"


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[str]:
    async with three_nodes(tmp_path) as nodes:
        yield nodes.url


@pytest_asyncio.fixture
async def client(cluster: str) -> AsyncIterator[LogClient]:
    connected = await connect(cluster, name="test")
    await ensure_streams(connected, replicas=3)
    yield connected
    await connected.close()


async def test_no_stream_of_any_node_holds_what_was_erased_and_it_is_said_that_consensus_logs_do(
    client: LogClient, tmp_path: Path
) -> None:
    directory, notes = NatsDirectory(client, b"k" * 32), NatsNotes(client)
    caller = await directory.resolve(f"+39{NUMBER}")
    await publish(client, "richiamo.cdr.main", f'{{"caller": "{NUMBER}"}}'.encode(), message_id="r")
    await publish(client, "richiamo.quarantine.main", f"<caller>{NUMBER}".encode(), message_id="q")

    async def still_newest() -> bool:
        return True

    note = Note(version=NoteId("n"), text=f"at {NUMBER} in the evening", by=Username("anna"), at=pbx.now())
    await notes.keep(caller, note, still_newest)
    held = {CDR, QUARANTINE, DIRECTORY, NOTES}
    async with asyncio.timeout(60):
        while streams_with_digits(tmp_path) != {(node, stream) for node in "012" for stream in held}:
            await asyncio.sleep(0.05)
    await notes.forget(caller)
    assert await erase_raw_records(client, f"+39{NUMBER}") == 2
    await directory.forget(caller)
    async with asyncio.timeout(60):
        while streams_with_digits(tmp_path):
            await asyncio.sleep(0.05)
    consensus = digits_anywhere(tmp_path, DIGITS)
    assert consensus
    assert all("$SYS" in file.parts for file in consensus)
    assert await kept_by_several_nodes(client), "so `erase` says it, and waits"


def streams_with_digits(folder: Path) -> set[tuple[str, str]]:
    """(node, stream) for every stream whose files hold the digits."""
    found = [file.relative_to(folder).parts for file in digits_anywhere(folder, DIGITS)]
    return {(parts[0], parts[parts.index("streams") + 1]) for parts in found if "streams" in parts}


@pytest.mark.soak
@pytest.mark.skipif(
    int(os.environ.get("RICHIAMO_SOAK_SECONDS", "0")) < 300, reason="NATS compacts only after three minutes: make soak"
)
async def test_when_erase_returns_no_file_of_any_node_holds_the_digits(cluster: str, tmp_path: Path) -> None:
    await asyncio.to_thread(erased_by_the_command, cluster, tmp_path)


def erased_by_the_command(cluster: str, nodes: Path) -> None:
    own = System(environment={"RICHIAMO_NATS_URL": cluster, "RICHIAMO_NATS_REPLICAS": "3"})
    own.start()
    try:
        edge, admin = Edge(own), people.admin(own)
        edge.records(pbx.lost(NUMBER, "Vendite", pbx.now() - timedelta(minutes=5)))
        (row,) = eventually(lambda: admin.requests("all", queue="Vendite"))
        written = admin.api.put(f"/callers/{row['caller_id']}/note", json={"text": f"call {NUMBER}"})
        assert written.status_code == 200, written.text
        assert digits_anywhere(nodes, DIGITS)
        done = subprocess.run(
            [command(), "erase", NUMBER, "--yes"],
            env=own.variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "until NATS compacts them" in done.stderr
        assert digits_anywhere(nodes, DIGITS) == []
        assert digits_anywhere(own.folder, DIGITS) == []
    finally:
        own.stop()
