"""How is everything saved that cannot be folded again? The log first, then what lies beside it, into one folder."""

import asyncio
import hashlib
import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from rich.console import Console

from richiamo_kit import database
from richiamo_kit.erasures import registered
from richiamo_kit.errors import Problem
from richiamo_kit.settings import Settings
from richiamo_kit.store import snapshot
from richiamo_kit.store.streams import CDR, DIRECTORY, EVENTS, MARKS, NOTES, QUARANTINE
from richiamo_ops.settings import Installation
from richiamo_ops.site import Site, reached

MANIFEST = "manifest.json"
KEY = "directory.key"
ERASURES = "erasures.jsonl"
STREAMS = (MARKS, EVENTS, DIRECTORY, NOTES, CDR, QUARANTINE)
"""In the order in which they are saved: whatever an event names must still be found in what is saved after it, and
a mark must not be ahead of the records it vouches for.
"""

_NAME = "%Y-%m-%dT%H-%M-%SZ"
_NAMED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")

TABLES = ("credential", "identity", "board", "look")
"""Of the schema `gateway`: passwords, who is who at the identity provider, boards, how users like their lists."""


def backup(folder: Path, *, keep: int | None = None) -> int:
    """Save the log and all that is beside it, while the system runs; views are not saved, they follow from the log.

    Beside it are the caller directory with its key, notes, raw records, passwords, boards and the erasure register.
    The folder holds numbers and password hashes: keep it as safe as the system itself.

    Example: richiamo backup /backups/richiamo-2026-03-02

    Parameters
    ----------
    folder
        A folder that does not exist yet, or is empty; with --keep the folder of all backups.
    keep
        Make a backup below the folder, named after the instant, and remove all but so many of the newest there.
    """
    if keep is not None and keep < 1:
        raise Problem(400, "no-backup", "At least one backup has to be kept.")
    target = folder if keep is None else folder / datetime.now(UTC).strftime(_NAME)
    if target.exists() and any(target.iterdir()):
        raise Problem(409, "folder-in-use", f"{target} is not empty: give the backup a folder of its own.")
    try:
        saved = asyncio.run(_backup(target))
    except BaseException:
        # A part of a backup would fill the disk on which the next finds no room.
        shutil.rmtree(target, ignore_errors=True)
        raise
    if keep is not None:
        remove_older(folder, keep)
    return saved


def newest(folder: Path) -> datetime | None:
    """When the newest whole backup of a folder of backups was begun; None when there is none."""
    whole = [one.name for one in folder.iterdir() if _NAMED.fullmatch(one.name) and (one / MANIFEST).exists()]
    return datetime.strptime(max(whole), _NAME).replace(tzinfo=UTC) if whole else None


def remove_older(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` whole backups of a folder, and those older than they are that were cut short."""
    made = sorted((one for one in folder.iterdir() if _NAMED.fullmatch(one.name)), reverse=True)
    whole = [one for one in made if (one / MANIFEST).exists()]
    for one in made[made.index(whole[:keep][-1]) + 1 :] if whole else ():
        shutil.rmtree(one)


async def _backup(folder: Path) -> int:
    console = Console(stderr=True, highlight=False)
    async with reached("backup") as site:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        manifest = await save(site, folder, key_file(), console)
    console.print(f"Saved {manifest['position']} events and what lies beside them in {folder}.")
    return 0


def key_file() -> Path:
    """Where the directory's hash key of this installation is."""
    return Settings().directory_key_file or Installation().folder / "secrets" / KEY


async def save(site: Site, folder: Path, key: Path, console: Console) -> dict[str, Any]:
    """Write the backup; its manifest comes last, so that a folder without one is no backup."""
    streams: dict[str, Any] = {}
    with console.status("saving") as status:
        for stream in STREAMS:
            status.update(f"saving {stream}")
            streams[stream] = await snapshot.save(site.store.client, stream, folder / f"{stream}.snapshot")
        tables = await _save_tables(site.database_url, folder)
        # Last: whoever was erased while we saved is known to it.
        with (folder / ERASURES).open("w") as out:
            async for _, erasure in registered(site.store.client):
                out.write(erasure.as_json() + "\n")
        shutil.copyfile(key, folder / KEY)
    manifest = {
        "format": 1,
        "taken_at": datetime.now(UTC).isoformat(),
        "position": streams[EVENTS]["state"]["last_seq"],
        "streams": streams,
        "tables": tables,
        "sha256": {file.name: digest(file) for file in sorted(folder.iterdir())},
    }
    for file in folder.iterdir():
        file.chmod(0o600)
    part = folder / f".{MANIFEST}"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(manifest, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    part.rename(folder / MANIFEST)
    return manifest


async def _save_tables(database_url: str, folder: Path) -> dict[str, list[str]]:
    """Copy each table into a file of its own; answers the columns of each, none for what is not there."""
    saved: dict[str, list[str]] = {}
    async with await database.connect(database_url, application="richiamo-backup") as connection:
        for table in TABLES:
            found = await connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'gateway' AND table_name = %s"
                " ORDER BY ordinal_position",
                (table,),
            )
            columns = [str(row[0]) for row in await found.fetchall()]
            if not columns:
                continue
            statement = sql.SQL("COPY gateway.{} ({}) TO STDOUT").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with (folder / f"{table}.copy").open("wb") as out:
                async with connection.cursor() as cursor, cursor.copy(statement) as rows:
                    async for row in rows:
                        out.write(row)
            saved[table] = columns
    return saved


def digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
