"""What does an event look like as a line, and where does an interrupted file of lines go on?"""

import fcntl
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from richiamo_events import wire
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_kit.errors import Problem
from richiamo_ops.replaying.target import Held

_BEGINNING = b'{"position": '
_BLOCK = 64 * 1024


class Lines:
    """Writes JSON lines to an open text file."""

    held: Held | None = None
    """The last event that was there already."""

    def __init__(self, out: IO[str], held: Held | None = None) -> None:
        self._out = out
        self.held = held

    async def write(self, events: Sequence[Recorded]) -> None:
        """Returns when whoever reads the file can see them."""
        self._out.writelines(as_line(event) for event in events)
        self._out.flush()


@asynccontextmanager
async def file_of_lines(path: Path) -> AsyncIterator[Lines]:
    """The file, made or gone on with; a line that a kill cut short is removed first.

    Raises `Problem` for a file of something else, and while another replay writes into it.
    """
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(409, "busy", f"Another replay writes into {path}.") from None
        held = _last(file, path)
        with path.open("a", encoding="utf-8") as out:
            yield Lines(out, held)
            out.flush()
            os.fsync(out.fileno())


def _last(file: IO[bytes], path: Path) -> Held | None:
    """The last whole line's event, behind which the file is cut off; None for an empty file."""
    file.seek(0)
    if not _BEGINNING.startswith(beginning := file.read(len(_BEGINNING))):
        raise _something_else(path)
    end = file.seek(0, os.SEEK_END)
    tail = b""
    while end and tail.count(b"\n") < 2:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        tail = file.read(end - start) + tail
        end = start
    whole, newline, cut_short = tail.rpartition(b"\n")
    if cut_short:
        file.truncate(file.seek(0, os.SEEK_END) - len(cut_short))
    if not newline or len(beginning) < len(_BEGINNING):
        return None
    try:
        told = json.loads(whole.rpartition(b"\n")[2])
        return Held(int(told["position"]), str(told["id"]))
    except (ValueError, KeyError, TypeError):
        raise _something_else(path) from None


def _something_else(path: Path) -> Problem:
    return Problem(409, "something-else", f"{path} holds something else than a replay: choose another name.")


def encoded(event: Recorded) -> tuple[dict[str, str], bytes]:
    """Headers and body as the log holds them."""
    return wire.encode(
        NewEvent(
            id=event.id,
            subject=event.subject,
            data=event.data,
            occurred_at=event.occurred_at,
            actor=event.actor,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
        )
    )


def as_line(event: Recorded) -> str:
    """One event as a line of JSON: its envelope and, under `data`, its body."""
    headers, body = encoded(event)
    told = {
        "position": event.position,
        "recorded_at": event.recorded_at.isoformat(),
        "type": headers["ce-type"],
        "version": int(headers["ce-dataversion"]),
        "id": event.id,
        "subject": event.subject,
        "occurred_at": event.occurred_at.isoformat(),
        "actor": event.actor,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "data": json.loads(body),
    }
    return json.dumps(told, ensure_ascii=False) + "\n"
