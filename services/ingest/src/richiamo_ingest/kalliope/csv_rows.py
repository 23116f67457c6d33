"""Which rows are in CSV? Its lines under the names of the first, one by one in constant memory."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from richiamo_ingest.bounds import MOST_FIELDS, OR_CP1252
from richiamo_ingest.kalliope import values
from richiamo_ingest.reports import NotUnderstood

_LONGEST_ROW = 1 << 16
"""Characters of one row, over however many lines its values run."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class _Lines:
    """The lines of a text, and where the row stands that is being read of them."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._row = 0
        self.number = 0
        self.row_begins = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self._row += len(line)
        if self._row > _LONGEST_ROW:
            raise NotUnderstood(
                f"The row that begins on line {self.row_begins} is longer than {_LONGEST_ROW:,} characters; "
                "a quotation mark may be missing."
            )
        return line.replace("\0", "")

    def ended(self) -> int:
        """The row ended; answers the line on which it began."""
        began, self.row_begins, self._row = self.row_begins, self.number + 1, 0
        return began


def csv_rows(source: BinaryIO) -> Iterator[dict[str, object]]:
    """The rows by their columns' names. Raises `NotUnderstood` with the number of the line."""
    if source.read(len(_UTF_16[0])) in _UTF_16:
        raise NotUnderstood("It is text in UTF-16: save it as UTF-8.")
    source.seek(0)
    text = io.TextIOWrapper(source, encoding="utf-8-sig", errors=OR_CP1252, newline="")
    lines = _Lines(text)
    try:
        header = _header(lines)
        separator = max(",;\t", key=header.count)
        names = [values.plain_name(name) for name in next(csv.reader([header], delimiter=separator), [])]
        if set(names).isdisjoint(values.UNIQUE_ID):
            raise NotUnderstood("It is neither JSON nor XML, and as CSV its first line names no unique_id.")
        _few(names, lines.ended())
        for row in csv.reader(lines, delimiter=separator):
            began = lines.ended()
            if row:
                _few(row, began)
                yield dict(zip(names, row, strict=False))
    except csv.Error as error:
        raise NotUnderstood(f"Line {lines.number} is not CSV: {error}.") from None
    finally:
        # The source is its opener's to close.
        text.detach()


def _header(lines: _Lines) -> str:
    for line in lines:
        if line.strip():
            return line
        lines.ended()
    return ""


def _few(row: list[str], line: int) -> None:
    if len(row) > MOST_FIELDS:
        raise NotUnderstood(f"Line {line} has {len(row):,} columns; {MOST_FIELDS} are the most.")
