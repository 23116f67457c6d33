"""How does a system come back from a backup? Into an empty installation; its views are folded anew at the start."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from nats.aio.client import Client
from psycopg import sql
from rich.console import Console

from richiamo_events.settings import SiteSettings
from richiamo_gateway.auth import schema
from richiamo_gateway.boards.storage import board
from richiamo_gateway.engine import make_engine
from richiamo_gateway.looks.storage import look
from richiamo_kit import database, roles
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.embedded import Embedded
from richiamo_kit.errors import Problem
from richiamo_kit.roles import owner_of
from richiamo_kit.servers import running
from richiamo_kit.settings import Settings
from richiamo_kit.store import snapshot
from richiamo_kit.store.api import JetStreamError, api
from richiamo_kit.store.jetstream import JetStreamEventStore, connect, ensure_streams
from richiamo_kit.store.streams import CHANGES, MARKS
from richiamo_kit.store.streams import ERASURES as REGISTER
from richiamo_ops import cut_log
from richiamo_ops.backup import ERASURES, KEY, MANIFEST, STREAMS, digest, key_file
from richiamo_ops.forgetting_again import Restored
from richiamo_ops.settings import Installation
from richiamo_ops.site import instant

MADE_ELSEWHERE = (board.name, look.name)
"""Named, so that these tables are among those that `schema.prepare` makes."""


@dataclass(frozen=True, slots=True)
class How:
    """What is asked for besides bringing everything back."""

    until: datetime | None = None
    repair: bool = False
    register: Path | None = None


def restore(
    folder: Path,
    *,
    until: str | None = None,
    register: Path | None = None,
    repair: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Bring back a backup into an installation that has no log yet, verify it, and forget again who was erased since.

    Example: RICHIAMO_DATA_DIR=/srv/richiamo richiamo restore /backups/richiamo-2026-03-02 --yes

    Parameters
    ----------
    folder
        A folder that `richiamo backup` wrote.
    until
        Only what had been recorded before this instant. Call records stay and are read again.
    register
        A newer backup, or its erasures.jsonl: whoever was erased after the backup that is brought back.
    repair
        Accept a directory older than the log: callers without a number are closed as erased.
    yes
        Do not ask first.
    """
    console = Console(stderr=True, highlight=False)
    manifest = verified(folder)
    installation, shared = Installation(), Settings()
    if (installation.folder / "run" / "endpoints.json").exists() and not installation.nats_url:
        raise Problem(409, "running", f"Richiamo runs with its data in {installation.folder}: stop it first.")
    defaults = SiteSettings(timezone=shared.site_timezone, country=shared.site_country)
    how = How(instant(until, defaults) if until else None, repair, register)
    question = f"Bring back {manifest['position']} events into {installation.folder}?"
    if not yes and console.input(f"{question} [y/N] ").strip().lower() not in {"y", "yes", "s", "si", "sì"}:
        console.print("Nothing was changed.")
        return 1
    asyncio.run(_restore(folder, manifest, installation, how, console))
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


async def _restore(
    folder: Path, manifest: dict[str, Any], installation: Installation, how: How, console: Console
) -> None:
    async with _servers(installation) as (nats_url, database_url):
        client = await connect(nats_url, name="richiamo-restore", wait=5.0)
        try:
            await bring_back(client, database_url, folder, manifest, key_file(), how, console)
        finally:
            await client.close()
    console.print("The views are folded when Richiamo starts.")


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
            await stack.enter_async_context(running(embedded.postgres))
            database_url = embedded.postgres.url_as(roles.OPS)
        yield nats_url, database_url


async def bring_back(  # noqa: PLR0917 - from where, to where, and how
    client: Client,
    database_url: str,
    folder: Path,
    manifest: dict[str, Any],
    key: Path,
    how: How,
    console: Console,
) -> None:
    """Everything of the backup, verified; a refusal leaves the installation as it was."""
    present = (await api(client, "STREAM.NAMES")).get("streams")
    taken = set(present if isinstance(present, list) else ()) & set(STREAMS)
    if taken:
        raise Problem(409, "log-exists", "This installation has a log already: restore into an empty data folder.")
    try:
        await _streams(client, folder, manifest, how, console)
        replicas = manifest["streams"][STREAMS[1]]["config"].get("num_replicas", 1)
        await ensure_streams(client, replicas=replicas)
        restored = Restored(client, NatsDirectory(client, read_key(folder / KEY)), JetStreamEventStore(client))
        if how.until is None:
            await _whole(restored, manifest)
        erased = await restored.forget([folder / ERASURES, *([how.register] if how.register else [])])
        closed = await restored.close_the_unknown(repair=how.repair)
        if how.until is not None:
            await restored.drop_strangers()
    except BaseException:
        for stream in (*STREAMS, CHANGES, REGISTER):
            await _delete(client, stream)
        raise
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(folder / KEY, key)
    key.chmod(0o600)
    await _bring_back_tables(database_url, folder, manifest)
    console.print(f"Brought back {await restored.store.last_position()} events.")
    if erased:
        console.print(f"{erased} callers that were erased after the backup are forgotten again.")
    if closed:
        console.print(f"{closed} callers whose number the directory does not know were closed as erased.")


async def _streams(client: Client, folder: Path, manifest: dict[str, Any], how: How, console: Console) -> None:
    # A mark vouches for records up to its instant: without it the PBX is asked for them again.
    wanted = [one for one in STREAMS if one in manifest["streams"] and not (how.until and one == MARKS)]
    with console.status("bringing back") as status:
        for stream in wanted:
            status.update(f"bringing back {stream}")
            try:
                await snapshot.bring_back(client, stream, folder / f"{stream}.snapshot", manifest["streams"][stream])
            except JetStreamError as error:
                raise Problem(409, "refused", f"NATS did not take {stream}: {error.description}") from error
        if how.until is not None:
            status.update("leaving out what came later")
            await cut_log.cut(client, how.until)


async def _delete(client: Client, stream: str) -> None:
    try:
        await api(client, f"STREAM.DELETE.{stream}", timeout=10.0)
    except JetStreamError as error:
        if error.status != 404:
            raise


async def _whole(restored: Restored, manifest: dict[str, Any]) -> None:
    """Every event can be read, and the last one is the last one."""
    last = 0
    async for event in restored.store.read():
        last = event.position
    if last != manifest["position"]:
        raise Problem(500, "not-whole", f"The log ends at {last} instead of {manifest['position']}: do not use it.")


async def _bring_back_tables(database_url: str, folder: Path, manifest: dict[str, Any]) -> None:
    async with await database.connect(database_url, application="richiamo-restore") as connection:
        owner = await owner_of(connection, "gateway")
    engine = make_engine(database_url, most=1, role=owner)
    try:
        await schema.prepare(engine)
    finally:
        await engine.dispose()
    async with await database.connect(database_url, application="richiamo-restore") as connection:
        for table, columns in manifest["tables"].items():
            name = sql.Identifier("gateway", table)
            await connection.execute(sql.SQL("DELETE FROM {}").format(name))
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                name, sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            async with connection.cursor() as cursor, cursor.copy(statement) as copy:
                await copy.write((folder / f"{table}.copy").read_bytes())
