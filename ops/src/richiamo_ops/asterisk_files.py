"""Which lines of an Asterisk's file belong together? Whole calls, put into parts that ingest reads at once.

The file is read once, as a stream; the lines of a call may lie as far apart as thousands of other calls.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from richiamo_ingest.asterisk.parse import RESTARTED, Form, Layout, call_of, layout_of
from richiamo_ingest.asterisk.translate import MOST_LINES
from richiamo_ingest.reports import NotUnderstood
from richiamo_kit.errors import Problem

_OPEN_CALLS = 20_000
"""Calls that wait for more of their lines."""
_LINES_A_PART = 5_000
_LONGEST_LINE = 65_536
_RESTARTS_KEPT = 100
_FIRST_LINE = 8_192
_WORKBOOK = b"PK"

Reached = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands: for words such as `queue_log, line 17`."""

    file: Path
    number: int

    def __str__(self) -> str:
        return f"{self.file.name}, line {self.number}"


@dataclass(slots=True)
class Part:
    """Lines for ingest, and where each of them stands."""

    lines: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def add(self, line: str, place: Place) -> None:
        self.lines.append(line)
        self.places.append(place)

    def body(self) -> bytes:
        return "\n".join(self.lines).encode()


def asterisk_layout(file: Path, named: Form | None) -> Layout | None:
    """The layout of a file, by its first line or as named; None when it is no Asterisk's. Raises `Problem`."""
    with file.open("rb") as opened:
        start = opened.read(_FIRST_LINE)
    if start.startswith(_WORKBOOK):
        return None
    first = start.decode("utf-8", "replace").lstrip("\ufeff\r\n").partition("\n")[0]
    try:
        return layout_of(first, named)
    except NotUnderstood as error:
        raise Problem(400, "unreadable-file", f"{file.name} could not be read", str(error)) from error


def parts_of(files: Sequence[tuple[Path, Layout]], reached: Reached) -> Iterator[Part]:
    """The files' lines in parts of whole calls. Lines that cannot be read go along: ingest names and keeps them."""
    waiting: OrderedDict[str, list[tuple[str, Place]]] = OrderedDict()
    restarts: list[tuple[str, Place]] = []
    layout = files[0][1]
    part = _begun(layout, files[0][0])
    for line, place in _lines(files, reached):
        key = call_of(line, layout)
        if key == RESTARTED:
            restarts = [*restarts[-_RESTARTS_KEPT:], (line, place)]
            continue
        if key is None:
            part.add(line, place)
        else:
            of_call = waiting.setdefault(key, [])
            if len(of_call) <= MOST_LINES:
                of_call.append((line, place))
            waiting.move_to_end(key)
        while len(waiting) > _OPEN_CALLS:
            for one in waiting.popitem(last=False)[1]:
                part.add(*one)
        if len(part.lines) >= _LINES_A_PART:
            yield _ended(part, restarts)
            part = _begun(layout, place.file)
    while waiting:
        for one in waiting.popitem(last=False)[1]:
            part.add(*one)
        if len(part.lines) >= _LINES_A_PART:
            yield _ended(part, restarts)
            part = _begun(layout, files[-1][0])
    yield _ended(part, restarts)


def _begun(layout: Layout, file: Path) -> Part:
    part = Part()
    if layout.header:
        part.add(layout.header, Place(file, 1))
    return part


def _ended(part: Part, restarts: Sequence[tuple[str, Place]]) -> Part:
    for one in restarts:
        part.add(*one)
    return part


def _lines(files: Sequence[tuple[Path, Layout]], reached: Reached) -> Iterator[tuple[str, Place]]:
    done = 0
    for file, layout in files:
        with file.open("rb") as opened:
            number, goes_on = 0, False
            while line := opened.readline(_LONGEST_LINE):
                done += len(line)
                # Of a line that is too long its beginning goes along, to be refused by its number.
                is_rest, goes_on = goes_on, not line.endswith(b"\n")
                if is_rest:
                    continue
                number += 1
                shown = _text(line).strip("\r\n")
                if shown.strip() and shown.removeprefix("\ufeff") != layout.header:
                    reached(done)
                    yield shown, Place(file, number)


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
