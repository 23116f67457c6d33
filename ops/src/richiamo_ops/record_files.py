"""Which rows are in a file of call records? Read as a stream, whatever its form, in constant memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from richiamo_ingest.kalliope.csv_rows import csv_rows
from richiamo_ingest.kalliope.json_rows import json_rows
from richiamo_ingest.kalliope.markup import rows_of
from richiamo_ingest.kalliope.values import UNIQUE_ID, first, plain_name
from richiamo_ingest.reports import NotUnderstood
from richiamo_kit.errors import Problem
from richiamo_ops.workbooks import workbook_rows

Row = dict[str, object]
Reached = Callable[[int], None]
"""Told how many bytes of the file are read."""

_OPEN_CALLS = 5000
"""Calls that wait for more of their legs; rows of one call lie near one another."""
_MOST_ROWS_OF_A_CALL = 1000


def rows_of_file(path: Path, reached: Reached) -> Iterator[Row]:
    """The rows of a file. Raises `Problem` with a sentence when it holds no call records."""
    with path.open("rb") as file:
        shown = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        file.seek(0)
        before = 0
        try:
            for row in workbook_rows(file) if shown.startswith(b"PK") else _rows(file, shown[:1]):
                if (position := file.tell()) != before:
                    before = position
                    reached(position)
                yield _named(row) if isinstance(row, dict) else {"value": row}
        except NotUnderstood as error:
            raise Problem(400, "unreadable-file", f"{path.name} could not be read", str(error)) from error


def _rows(file: BinaryIO, first_sign: bytes) -> Iterable[object]:
    if first_sign in {b"[", b"{"}:
        return json_rows(file)
    if first_sign == b"<":
        return rows_of(file)
    return csv_rows(file)


def calls_of(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of each call together: those that repeat an id within some thousand calls are its legs."""
    waiting: OrderedDict[str, list[Row]] = OrderedDict()
    for row in rows:
        flat = any(name.startswith("detail_") for name in row) and not row.get("details")
        key = first(row, UNIQUE_ID) if flat else ""
        if not key:
            yield [row]
            continue
        of_call = waiting.setdefault(key, [])
        # One too many tells ingest that there are too many.
        if len(of_call) <= _MOST_ROWS_OF_A_CALL:
            of_call.append(row)
        waiting.move_to_end(key)
        while len(waiting) > _OPEN_CALLS:
            yield waiting.popitem(last=False)[1]
    yield from waiting.values()


def _named(row: Mapping[Any, Any]) -> Row:
    return {plain_name(name): value for name, value in row.items() if name is not None}
