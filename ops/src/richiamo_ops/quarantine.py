"""What did the PBX send that could not be understood, and how does it get in after all?"""

import asyncio
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import track
from rich.prompt import Confirm
from rich.table import Table

from richiamo_kit import quarantine
from richiamo_kit.errors import Problem
from richiamo_kit.logging import masked_in
from richiamo_kit.quarantine import Entry
from richiamo_ops.asking import Ask, asking
from richiamo_ops.site import Site, reached, settings_now

app = App(name="quarantine", help="List, repair and submit again what the PBX sent and nobody could read.")
_SUBJECT = "richiamo.ingest.quarantine"
_SHOWN = 60


@app.command(name="list")
def list_entries(*, full: bool = False) -> None:
    """List the entries, the oldest first; phone numbers are masked.

    Example: richiamo quarantine list

    Parameters
    ----------
    full
        Show phone numbers in full.
    """
    asyncio.run(_list(full=full))


@app.command
def show(entry: int, *, full: bool = False) -> None:
    """Print one entry: why it was refused, when it was first received, and what came.

    Example: richiamo quarantine show 12 --full

    Parameters
    ----------
    entry
        Its number, from the list.
    full
        Show phone numbers in full.
    """
    asyncio.run(_show(entry, full=full))


@app.command
def repair(entry: int, *, file: Path | None = None, keep: bool = False) -> int:
    """Correct an entry in your editor ($VISUAL or $EDITOR) and submit it again, as of when it was first received.

    Example: richiamo quarantine repair 12

    Example: richiamo quarantine repair 12 --file corrected.xml

    Parameters
    ----------
    entry
        Its number, from the list.
    file
        Take the corrected text from this file instead of an editor.
    keep
        Only store the corrected text; submit it later.
    """
    return asyncio.run(_repair(entry, file, keep=keep))


@app.command
def submit(*entries: int, all_: Annotated[bool, Parameter(name="--all", negative="")] = False) -> int:
    """Submit entries again, as of when they were first received; what is still refused stays, with its reason.

    Example: richiamo quarantine submit --all

    Parameters
    ----------
    entries
        Their numbers, from the list.
    all_
        Every entry; after a new version, say, that understands more.
    """
    return asyncio.run(_submit(entries, every=all_))


@app.command
def drop(
    *entries: int,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Forget entries for good.

    Example: richiamo quarantine drop 12 13 --yes

    Parameters
    ----------
    entries
        Their numbers, from the list.
    all_
        Every entry.
    yes
        Do not ask first.
    """
    return asyncio.run(_drop(entries, every=all_, yes=yes))


async def _list(*, full: bool) -> None:
    out = Console(highlight=False)
    async with reached("quarantine") as site:
        zone = (await settings_now(site)).zone
        table = Table("Entry", "Received", "PBX", "From", "Reason", "What came", box=None)
        count = 0
        async for entry in quarantine.entries(site.store.client):
            count += 1
            when = entry.received_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
            cells = (str(entry.position), when, entry.pbx, entry.source, entry.reason, _start(entry))
            table.add_row(*(_visible(cell, full=full) if index > 3 else cell for index, cell in enumerate(cells)))
        if count:
            out.print(table)
        Console(stderr=True, highlight=False).print(f"{count} entries." if count != 1 else "1 entry.")


async def _show(number: int, *, full: bool) -> None:
    out = Console(highlight=False, soft_wrap=True)
    async with reached("quarantine") as site:
        entry = await _entry(site, number)
        zone = (await settings_now(site)).zone
    for name, value in (
        ("entry", str(entry.position)),
        ("received", entry.received_at.astimezone(zone).isoformat(timespec="seconds")),
        ("pbx", entry.pbx),
        ("from", entry.source),
        ("reason", _visible(entry.reason, full=full)),
        ("content type", entry.content_type),
        ("query", _visible(entry.query, full=full)),
    ):
        out.print(f"{name:>12}: {value}", markup=False)
    out.print()
    out.print(_visible(entry.text, full=full), markup=False)


async def _repair(number: int, file: Path | None, *, keep: bool) -> int:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    async with reached("quarantine") as site, asking(site) as ask:
        entry = await _entry(site, number)
        text = await asyncio.to_thread(_corrected, entry, file)
        repaired = await ask(f"{_SUBJECT}.repair", {"entry": number, "body": text})
        if repaired["problem"]:
            console.print(
                f"Kept as entry {repaired['entry']}, but it cannot be read yet: {repaired['problem']}", markup=False
            )
            return 1
        if keep:
            console.print(f"Kept as entry {repaired['entry']}; it can be read now.")
            return 0
        return await _submit_each(ask, [int(repaired["entry"])], console)


async def _submit(numbers: Sequence[int], *, every: bool) -> int:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    async with reached("quarantine") as site, asking(site) as ask:
        return await _submit_each(ask, await _named(site, numbers, every=every), console)


async def _submit_each(ask: Ask, numbers: Sequence[int], console: Console) -> int:
    accepted = duplicates = 0
    refused: list[str] = []
    for number in track(numbers, "submitting", console=console, disable=len(numbers) < 2):
        try:
            taken = await ask(f"{_SUBJECT}.submit", {"entry": number})
        except Problem as problem:
            if problem.status not in {404, 409}:
                raise
            refused.append(f"entry {number}: {problem.detail or problem.title}")
            continue
        accepted += taken["accepted"]
        duplicates += taken["duplicates"]
        refused += [f"entry {number}, a part of it: {reason}" for reason in taken["refused"]]
    console.print(f"{accepted} taken, {duplicates} known already, {len(refused)} refused.")
    for reason in refused:
        console.print(f"  {reason}", markup=False)
    return 1 if refused else 0


async def _drop(numbers: Sequence[int], *, every: bool, yes: bool) -> int:
    console = Console(stderr=True, highlight=False)
    async with reached("quarantine") as site, asking(site) as ask:
        named = await _named(site, numbers, every=every)
        if named and not yes and not Confirm.ask(f"Forget {len(named)} for good?", console=console, default=False):
            console.print("Nothing was changed.")
            return 1
        for number in track(named, "dropping", console=console, disable=len(named) < 2):
            await ask(f"{_SUBJECT}.drop", {"entry": number})
        console.print(f"{len(named)} dropped.")
    return 0


async def _named(site: Site, numbers: Sequence[int], *, every: bool) -> list[int]:
    if every == bool(numbers):
        raise Problem(400, "no-entry", "Name the entries by their numbers, or write --all.")
    if not every:
        return list(dict.fromkeys(numbers))
    return [entry.position async for entry in quarantine.entries(site.store.client)]


async def _entry(site: Site, number: int) -> Entry:
    entry = await quarantine.entry_at(site.store.client, number) if number > 0 else None
    if entry is None:
        raise Problem(404, "no-such-entry", f"The quarantine holds no entry {number}.")
    return entry


def _corrected(entry: Entry, file: Path | None) -> str:
    if file is not None:
        return file.read_text()
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise Problem(400, "no-editor", "Set $EDITOR, or give the corrected text with --file.")
    # Readable by its owner alone, for it holds numbers, and gone afterwards.
    with tempfile.TemporaryDirectory(prefix="richiamo-quarantine-") as folder:
        text = Path(folder) / f"entry-{entry.position}.txt"
        text.write_text(entry.text, newline="")
        if subprocess.run([*shlex.split(editor), str(text)], check=False).returncode:
            raise Problem(400, "not-edited", "The editor ended with an error; nothing was changed.")
        return text.read_text()


def _start(entry: Entry) -> str:
    line = " ".join(entry.text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _visible(text: str, *, full: bool) -> str:
    return text if full else masked_in(text)
