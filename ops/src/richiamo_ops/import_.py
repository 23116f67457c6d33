"""How do call records in a file get in? Read as a stream, posted to ingest like the PBX's own, in parts.

Interrupted and repeated without harm: ingest knows each record by its content. Memory does not grow with the file.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import httpx
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from richiamo_ingest.asterisk.parse import Form, Layout
from richiamo_kit.errors import Problem, Unavailable
from richiamo_ops.asterisk_files import Part, asterisk_layout, parts_of
from richiamo_ops.endpoints import find
from richiamo_ops.record_files import Row, calls_of, rows_of_file
from richiamo_ops.settings import Installation

_CALLS_AT_ONCE = 500
_TRIES = 6
_SHOWN = 10
T = TypeVar("T")


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

    def merge(self, other: "Imported") -> None:
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.refused += other.refused
        self.reasons = [*self.reasons, *other.reasons][:_SHOWN]


def import_file(
    file: Path,
    *more: Path,
    pbx: str = "main",
    form: Annotated[Literal["auto", "kalliope", "queue_log", "master", "freepbx"], Parameter(name="--format")] = "auto",
    utc: bool = False,
    timezone: str = "",
) -> int:
    """Import call records from files: a Kalliope's JSON, XML, CSV or XLSX; an Asterisk's queue_log or Master.csv.

    It can be interrupted and repeated: what is known already is counted as a duplicate.

    Example: richiamo import cdr-2026-03.csv --pbx pisa

    Example: richiamo import /var/log/asterisk/queue_log.1 /var/log/asterisk/queue_log

    Parameters
    ----------
    file
        The file; its form is told by its content.
    more
        Further files of the same form, in order: a call may begin in one and end in the next.
    pbx
        The name of the PBX that the records come from.
    form
        The form of the file, when its content does not tell it: freepbx is an export of FreePBX's table cdr.
    utc
        The times of Master.csv or of the table are UTC (usegmtime=yes).
    timezone
        The time zone of the times, when it is not the site's.
    """
    files = [file, *more]
    for one in files:
        if not one.is_file():
            raise Problem(404, "no-such-file", f"There is no file {one}.")
    asterisk = _asterisk(files, form)
    ingest = find(Installation()).ingest
    console = Console(stderr=True, highlight=False)
    began = time.monotonic()
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress:
        whole = sum(one.stat().st_size for one in files)
        task = progress.add_task(file.name if not more else f"{len(files)} files", total=whole)
        query = {"pbx": pbx, **({"utc": "1"} if utc else {}), **({"timezone": timezone} if timezone else {})}

        def reached(position: int) -> None:
            progress.update(task, completed=position)

        if asterisk:
            imported = post_lines(parts_of(asterisk, reached), ingest, {**query, "format": asterisk[0][1].form.value})
        else:
            imported = Imported()
            for one in files:
                imported.merge(post(calls_of(rows_of_file(one, reached)), ingest, pbx, query))
        progress.update(task, completed=whole)
    seconds = time.monotonic() - began
    total = imported.accepted + imported.duplicates + imported.refused
    console.print(
        f"{total} calls in {seconds:.1f} s: {imported.accepted} taken, {imported.duplicates} known already, "
        f"{imported.refused} refused."
    )
    for reason in imported.reasons:
        console.print(f"  refused: {reason}", markup=False)
    if imported.refused > len(imported.reasons):
        console.print("  ... what is refused is kept in the quarantine of ingest.")
    return 1 if imported.refused else 0


def post(calls: Iterable[list[Row]], ingest: str, pbx: str, query: Mapping[str, str] | None = None) -> Imported:
    """Post the rows of whole calls in parts. Raises `Problem` when ingest refuses a part, `Unavailable` without it."""
    imported = Imported()
    with _client(ingest) as client:
        for part in _read_ahead(_parts(calls)):
            imported.add(_post_part(client, {**(query or {}), "pbx": pbx}, json=part))
    return imported


def post_lines(parts: Iterable[Part], ingest: str, query: Mapping[str, str]) -> Imported:
    """Post the lines of whole calls in parts; what is refused is named by its line. Raises as `post`."""
    imported = Imported()
    with _client(ingest) as client:
        for part in _read_ahead(parts):
            answer = _post_part(client, query, content=part.body(), headers={"content-type": "text/plain"})
            for one in answer["refused"]:
                one["reason"] = f"{part.places[one['index']]}: {one['reason']}"
            imported.add(answer)
    return imported


def _asterisk(files: Sequence[Path], form: str) -> list[tuple[Path, Layout]]:
    """The files with their layouts if they are an Asterisk's. Raises `Problem` when they are not all alike."""
    if form == "kalliope":
        return []
    named = None if form == "auto" else Form(form)
    layouts = [(file, asterisk_layout(file, named)) for file in files]
    found = [(file, layout) for file, layout in layouts if layout is not None]
    if found and (len(found) < len(files) or len({(one.form, one.separator, one.names) for _, one in found}) > 1):
        raise Problem(400, "mixed-files", "These files are not of one form: import them one after the other.")
    return found


def _client(ingest: str) -> httpx.Client:
    user = os.environ.get("RICHIAMO_PBX_USER", "")
    auth = httpx.BasicAuth(user, os.environ.get("RICHIAMO_PBX_PASSWORD", "")) if user else None
    return httpx.Client(base_url=ingest, auth=auth, timeout=60.0)


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


def _read_ahead(parts: Iterable[T]) -> Iterator[T]:
    """The next part is read while ingest works on the one before."""
    left = iter(parts)
    with ThreadPoolExecutor(1) as reading:
        following = reading.submit(next, left, None)
        while (part := following.result()) is not None:
            following = reading.submit(next, left, None)
            yield part


def _post_part(client: httpx.Client, query: Mapping[str, str], **body: Any) -> dict[str, Any]:
    for again in range(_TRIES):
        try:
            answer = client.post("/pbx/cdr", params=query, **body)
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
