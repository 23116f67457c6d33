"""How does a system come back from a backup? Into an empty installation; its views are folded anew at the start."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from nats.aio.client import Client
from rich.console import Console

from richiamo_events.language import CallMissed
from richiamo_kit import database
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.servers import Embedded, running
from richiamo_kit.store import snapshot
from richiamo_kit.store.connection import JetStreamError, api
from richiamo_kit.store.jetstream import JetStreamEventStore, connect
from richiamo_ops.backup import CREDENTIAL_COLUMNS, CREDENTIALS, KEY, MANIFEST, STREAMS, digest, key_file
from richiamo_ops.settings import Installation

_CREDENTIAL_TABLE = """
CREATE SCHEMA IF NOT EXISTS gateway;
CREATE TABLE IF NOT EXISTS gateway.credential (
    username text PRIMARY KEY, password_hash text NOT NULL, changed_at timestamptz NOT NULL
)
"""
"""As `richiamo_gateway.auth.schema` makes it; the gateway adds what is missing at its start."""


def restore(folder: Path, *, yes: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Bring back a backup into an installation that has no log yet, and verify it.

    Example: RICHIAMO_DATA_DIR=/srv/richiamo richiamo restore /backups/richiamo-2026-03-02 --yes

    Parameters
    ----------
    folder
        A folder that `richiamo backup` wrote.
    yes
        Do not ask first.
    """
    console = Console(stderr=True, highlight=False)
    manifest = verified(folder)
    installation = Installation()
    if (installation.folder / "run" / "endpoints.json").exists() and not installation.nats_url:
        raise Problem(409, "running", f"Richiamo runs with its data in {installation.folder}: stop it first.")
    question = f"Bring back {manifest['position']} events into {installation.folder}?"
    if not yes and console.input(f"{question} [y/N] ").strip().lower() not in {"y", "yes", "s", "si", "sì"}:
        console.print("Nothing was changed.")
        return 1
    asyncio.run(_restore(folder, manifest, installation, console))
    return 0


def verified(folder: Path) -> dict[str, Any]:
    """The manifest of a whole backup. Raises `Problem` when a file is missing or was changed."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise Problem(404, "no-backup", f"{folder} holds no whole backup: it has no {MANIFEST}.") from None
    for name, expected in manifest["sha256"].items():
        file = folder / name
        if not file.exists() or digest(file) != expected:
            raise Problem(409, "damaged-backup", f"{file} is missing or not what was saved: use another backup.")
    return manifest


async def _restore(folder: Path, manifest: dict[str, Any], installation: Installation, console: Console) -> None:
    async with _servers(installation) as (nats_url, database_url):
        client = await connect(nats_url, name="richiamo-restore", wait=5.0)
        try:
            await _bring_back(client, folder, manifest, console)
            key = key_file()
            key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(folder / KEY, key)
            key.chmod(0o600)
            await _bring_back_credentials(database_url, folder)
            await _verify(client, key, manifest)
        finally:
            await client.close()
    console.print(f"Brought back {manifest['position']} events. The views are folded when Richiamo starts.")


@asynccontextmanager
async def _servers(installation: Installation) -> AsyncIterator[tuple[str, str]]:
    """The servers to restore into: those of the environment, else the embedded ones of the data folder."""
    async with AsyncExitStack() as stack:
        installation.folder.mkdir(parents=True, exist_ok=True)
        embedded = Embedded.of(installation.folder)
        nats_url, database_url = installation.nats_url, installation.database_url
        if nats_url is None:
            nats_url = await stack.enter_async_context(running(embedded.nats))
        if database_url is None:
            database_url = await stack.enter_async_context(running(embedded.postgres))
        yield nats_url, database_url


async def _bring_back(client: Client, folder: Path, manifest: dict[str, Any], console: Console) -> None:
    present = (await api(client, "STREAM.NAMES")).get("streams")
    taken = set(present if isinstance(present, list) else ()) & set(STREAMS)
    if taken:
        raise Problem(409, "log-exists", "This installation has a log already: restore into an empty data folder.")
    with console.status("bringing back") as status:
        for stream in (one for one in STREAMS if one in manifest["streams"]):  # Older backups hold fewer.
            status.update(f"bringing back {stream}")
            try:
                await snapshot.bring_back(client, stream, folder / f"{stream}.snapshot", manifest["streams"][stream])
            except JetStreamError as error:
                raise Problem(409, "refused", f"NATS did not take {stream}: {error.description}") from error


async def _bring_back_credentials(database_url: str, folder: Path) -> None:
    async with await database.connect(database_url, application="richiamo-restore") as connection:
        await connection.execute(_CREDENTIAL_TABLE)
        await connection.execute("DELETE FROM gateway.credential")
        async with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY gateway.credential ({CREDENTIAL_COLUMNS}) FROM STDIN".encode()) as copy,
        ):
            await copy.write((folder / CREDENTIALS).read_bytes())


async def _verify(client: Client, key: Path, manifest: dict[str, Any]) -> None:
    """Every event can be read, the last one is the last one, and the key opens the directory."""
    last, lost = 0, None
    async for event in JetStreamEventStore(client).read():
        last = event.position
        if isinstance(event.data, CallMissed) and event.data.caller is not None:
            lost = event.data.caller
    if last != manifest["position"]:
        raise Problem(500, "not-whole", f"The log ends at {last} instead of {manifest['position']}: do not use it.")
    directory = NatsDirectory(client, read_key(key))
    if lost is not None:
        number = await directory.number_of(lost)
        if number is not None and await directory.find(number) != lost:
            raise Problem(500, "wrong-key", "The directory's key does not open the directory: do not use this.")
