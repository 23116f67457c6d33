"""How do call records in a file get in? Read as a stream, posted to ingest like the PBX's own, in parts.

Interrupted and repeated without harm: ingest knows each record by its content. Memory does not grow with the file.
"""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from richiamo_kit.errors import Problem, Unavailable
from richiamo_ops.endpoints import find
from richiamo_ops.record_files import Row, calls_of, rows_of_file
from richiamo_ops.settings import Installation

_CALLS_AT_ONCE = 500
_TRIES = 6
_SHOWN = 10


@dataclass(slots=True)
class Imported:
    """What ingest said of all parts."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)

    def add(self, answer: dict[str, Any]) -> None:
        self.accepted += answer["accepted"]
        self.duplicates += answer["duplicates"]
        self.refused += len(answer["refused"])
        for one in answer["refused"]:
            if len(self.reasons) < _SHOWN and one["reason"] not in self.reasons:
                self.reasons.append(one["reason"])


def import_file(file: Path, *, pbx: str = "main") -> int:
    """Import call records from a file: JSON, XML, CSV or XLSX, as the PBX shows or mails them.

    It can be interrupted and repeated: what is known already is counted as a duplicate.

    Example: richiamo import cdr-2026-03.csv --pbx pisa

    Parameters
    ----------
    file
        The file; its form is told by its content.
    pbx
        The name of the PBX that the records come from.
    """
    if not file.is_file():
        raise Problem(404, "no-such-file", f"There is no file {file}.")
    ingest = find(Installation()).ingest
    console = Console(stderr=True, highlight=False)
    began = time.monotonic()
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size)

        def reached(position: int) -> None:
            progress.update(task, completed=position)

        imported = post(calls_of(rows_of_file(file, reached)), ingest, pbx)
        progress.update(task, completed=file.stat().st_size)
    seconds = time.monotonic() - began
    total = imported.accepted + imported.duplicates + imported.refused
    console.print(
        f"{total} calls in {seconds:.1f} s: {imported.accepted} taken, {imported.duplicates} known already, "
        f"{imported.refused} refused."
    )
    for reason in imported.reasons:
        console.print(f"  refused: {reason}", markup=False)
    return 1 if imported.refused else 0


def post(calls: Iterable[list[Row]], ingest: str, pbx: str) -> Imported:
    """Post the rows of whole calls in parts. Raises `Problem` when ingest refuses a part, `Unavailable` without it."""
    user = os.environ.get("RICHIAMO_PBX_USER", "")
    auth = httpx.BasicAuth(user, os.environ.get("RICHIAMO_PBX_PASSWORD", "")) if user else None
    imported = Imported()
    with httpx.Client(base_url=ingest, auth=auth, timeout=60.0) as client:
        for part in _parts(calls):
            imported.add(_post_part(client, part, pbx))
    return imported


def _parts(calls: Iterable[list[Row]]) -> Iterator[list[Row]]:
    part: list[Row] = []
    count = 0
    for rows in calls:
        part.extend(rows)
        count += 1
        if count == _CALLS_AT_ONCE:
            yield part
            part, count = [], 0
    if part:
        yield part


def _post_part(client: httpx.Client, part: list[Row], pbx: str) -> dict[str, Any]:
    for again in range(_TRIES):
        try:
            answer = client.post("/pbx/cdr", params={"pbx": pbx}, json=part)
        except httpx.TransportError as error:
            if again == _TRIES - 1:
                raise Unavailable(f"Ingest does not answer at {client.base_url}: is Richiamo running?") from error
        else:
            if answer.status_code == httpx.codes.ACCEPTED:
                taken: dict[str, Any] = answer.json()
                return taken
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                raise _refusal(answer)
        time.sleep(min(5.0, 0.2 * 2**again))
    raise Unavailable("Ingest cannot keep call records now; try again later.")


def _refusal(answer: httpx.Response) -> Problem:
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        return Problem.from_json(answer.json())
    return Problem(answer.status_code, "refused", "Ingest refused the records", answer.text[:200])
