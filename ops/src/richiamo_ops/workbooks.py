"""Which rows are in a workbook? Those of its first sheet, and no part of it may grow without bound.

The library reads parts whole and keeps what it has read, so rows and shared strings are walked here, each let go
when it is taken; the library tells what a cell means. Any other part is bounded by its size.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO

from lxml import etree
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from richiamo_ingest.bounds import LARGEST_CALL, MOST_FIELDS, Bounded, Source
from richiamo_ingest.kalliope.values import UNIQUE_ID, plain_name
from richiamo_ingest.reports import NotUnderstood

_LARGEST_PART = 1 << 19
"""Bytes of a part that is read as a whole: the styles, the list of sheets."""
_LARGEST_SHEET = 4 << 30
_LARGEST_RATIO = 200
_MOST_PARTS = 1000
_MOST_ROWS = 1 << 20
"""A sheet has no more."""
_MOST_STRINGS = 1_000_000
_LARGEST_STRINGS = 64 << 20
_LARGEST_STRING = 1 << 18
"""Bytes of one, as it is written with its formatting."""
_ROW, _ROWS, _STRING = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("row", "sheetData", "si"))
_TEXT = etree.XPath("m:t/text() | m:r/m:t/text()", namespaces={"m": SHEET_MAIN_NS}, smart_strings=False)
"""Of a shared string: all of it, or its runs, without what tells how it is read aloud."""
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, SyntaxError, LookupError, AttributeError,
    TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError,
)  # fmt: skip
"""What the libraries of workbooks raise at broken ones."""


def workbook_rows(file: BinaryIO) -> Iterator[dict[str, object]]:
    """The rows below the first that names a unique_id. Raises `NotUnderstood` with the number of the row."""
    try:
        with _Parts(file) as parts:
            parts.check()
            yield from _named(_rows(parts, file))
    except _DAMAGED:
        raise NotUnderstood("It begins like a workbook but is not, or is damaged.") from None


class _Parts(zipfile.ZipFile):
    """The archive; what is read of it as a whole is small. A part is never longer than the archive says."""

    def check(self) -> None:
        """Refuse a bomb before anything is unpacked."""
        parts = self.infolist()
        whole, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
        if whole > _LARGEST_SHEET or whole > _LARGEST_RATIO * max(packed, 1024):
            raise NotUnderstood("The workbook would unpack to an unreasonable size and is refused.")
        if len(parts) > _MOST_PARTS:
            raise NotUnderstood(f"The workbook has {len(parts):,} parts; {_MOST_PARTS:,} are the most.")

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """A whole part. Raises `NotUnderstood` when it is large."""
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if part.file_size > _LARGEST_PART:
            raise NotUnderstood(f"{part.filename} of the workbook is larger than {_LARGEST_PART:,} bytes.")
        return super().read(part, pwd)


def _rows(parts: _Parts, file: BinaryIO) -> Iterator[list[object]]:
    """The rows of the first sheet."""
    reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
    reader.archive = parts
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(parts, reader.wb)
    sheet = next((found.target for _, found in reader.parser.find_sheets() if found.Type.endswith("/worksheet")), None)
    if sheet is None:
        raise NotUnderstood("The workbook holds no sheet.")
    package: Any = reader.package
    book: Any = reader.wb
    table = package.find(SHARED_STRINGS)
    cells = WorkSheetParser(
        BytesIO(),
        _strings(parts, table.PartName[1:]) if table else [],
        data_only=True,
        epoch=book.epoch,
        date_formats=book._date_formats,  # noqa: SLF001 - which styles are dates, nothing else tells
        timedelta_formats=book._timedelta_formats,  # noqa: SLF001
    )
    with parts.open(sheet) as source:
        for number, row in enumerate(_elements(source, _ROW, LARGEST_CALL, "row"), 1):
            if len(row) > MOST_FIELDS:
                raise NotUnderstood(f"Row {number} has {len(row):,} columns; {MOST_FIELDS} are the most.")
            if number > _MOST_ROWS:
                raise NotUnderstood(f"The sheet has more than {_MOST_ROWS:,} rows.")
            cells.row_counter, cells.col_counter = number, 0
            yield _in_columns([cells.parse_cell(cell) for cell in row], number)


def _in_columns(cells: list[dict[str, Any]], number: int) -> list[object]:
    """The values by column, with None where there is none."""
    values: list[object] = []
    for cell in cells:
        column = cell["column"]
        if column > MOST_FIELDS:
            raise NotUnderstood(f"Row {number} has a cell in column {column:,}; {MOST_FIELDS} are the most.")
        values.extend([None] * (column - len(values)))
        values[column - 1] = cell["value"]
    return values


def _strings(parts: _Parts, name: str) -> list[str]:
    if parts.getinfo(name).file_size > _LARGEST_STRINGS:
        raise NotUnderstood(f"The workbook's texts are larger than {_LARGEST_STRINGS:,} bytes; save it as CSV.")
    found: list[str] = []
    with parts.open(name) as source:
        for element in _elements(source, _STRING, _LARGEST_STRING, "text"):
            texts: Any = _TEXT(element)
            found.append("".join(texts))
            if len(found) > _MOST_STRINGS:
                raise NotUnderstood(f"The workbook has more than {_MOST_STRINGS:,} texts; save it as CSV.")
    return found


def _elements(source: Source, tag: str, most: int, unit: str) -> Iterator[Any]:
    """The elements of one name, each let go when the next is asked for."""
    bounded = Bounded(source, most, unit)
    steps = etree.iterparse(bounded, tag=(tag, _ROWS), resolve_entities=False, no_network=True, load_dtd=False)
    for _, element in steps:
        if element.getroottree().docinfo.internalDTD is not None:
            raise NotUnderstood("The workbook holds a document type or entities, which are refused.")
        if element.tag == _ROWS:
            return
        bounded.whole()
        yield element
        element.clear()
        while (before := element.getprevious()) is not None:
            before.getparent().remove(before)


def _named(rows: Iterator[list[object]]) -> Iterator[dict[str, object]]:
    names: list[str] = []
    for cells in rows:
        if not names:
            found = [plain_name(cell) for cell in cells]
            names = found if set(found) & set(UNIQUE_ID) else []
        elif any(cell is not None for cell in cells):
            yield dict(zip(names, map(_cell, cells), strict=False))
    if not names:
        raise NotUnderstood("No row of the first sheet names a unique_id.")


def _cell(value: object) -> object:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value if value is None else str(value)
