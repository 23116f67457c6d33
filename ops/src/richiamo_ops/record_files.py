"""Which rows are in a file of call records? Read as a stream, whatever its form, in constant memory."""

import csv
import io
import json
import re
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import load_workbook

from richiamo_ingest.kalliope.markup import rows_of
from richiamo_ingest.kalliope.records import plain_name
from richiamo_ingest.kalliope.values import UNIQUE_ID, first
from richiamo_ingest.reports import NotUnderstood
from richiamo_kit.errors import Problem

Row = dict[str, object]
Reached = Callable[[int], None]
"""Told how many bytes of the file are read."""

_OPEN_CALLS = 5000
"""Calls that wait for more of their legs; rows of one call lie near one another."""
_PART = 1 << 20
_LARGEST_ITEM = 8 << 20
_LARGEST_SHEET = 4 << 30
_LARGEST_RATIO = 200
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, SyntaxError, LookupError, AttributeError,
    TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError,
)  # fmt: skip
"""What the libraries of workbooks raise at broken ones."""
_ARRAY = re.compile(rb"\s*(?:\{\s*\"\w+\"\s*:\s*){0,3}\[")


def rows_of_file(path: Path, reached: Reached) -> Iterator[Row]:
    """The rows of a file. Raises `Problem` with a sentence when it holds no call records."""
    with path.open("rb") as file:
        start = file.read(4096)
        file.seek(0)
        shown = start.removeprefix(b"\xef\xbb\xbf").lstrip()
        try:
            if shown.startswith(b"PK"):
                yield from _sheet_rows(file, reached)
            elif shown[:1] in {b"[", b"{"}:
                yield from _json_rows(file, reached)
            elif shown[:1] == b"<":
                yield from _xml_rows(file, reached)
            else:
                yield from _csv_rows(file, reached)
        except NotUnderstood as error:
            raise Problem(400, "unreadable-file", f"{path.name} could not be read", str(error)) from error


def calls_of(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of each call together: those that repeat an id within some thousand calls are its legs."""
    waiting: OrderedDict[str, list[Row]] = OrderedDict()
    for number, row in enumerate(rows):
        flat = any(name.startswith("detail_") for name in row) and not row.get("details")
        key = first(row, UNIQUE_ID) if flat else ""
        waiting.setdefault(key or f"\0{number}", []).append(row)
        if key:
            waiting.move_to_end(key)
        while len(waiting) > _OPEN_CALLS:
            yield waiting.popitem(last=False)[1]
    yield from waiting.values()


def _named(row: Mapping[Any, Any]) -> Row:
    return {plain_name(name): value for name, value in row.items() if name is not None}


def _xml_rows(file: BinaryIO, reached: Reached) -> Iterator[Row]:
    for row in rows_of(file):
        reached(file.tell())
        yield row


def _csv_rows(file: BinaryIO, reached: Reached) -> Iterator[Row]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    try:
        header = next((line for line in text if line.strip()), "")
        separator = max(",;\t", key=header.count)
        names = [plain_name(name) for name in next(csv.reader([header], delimiter=separator), [])]
        if not set(names) & set(UNIQUE_ID):
            raise NotUnderstood("It is neither JSON, XML nor XLSX, and as CSV its first line names no unique_id.")
        for values in csv.reader((line.replace("\0", "") for line in text), delimiter=separator):
            if values:
                reached(file.tell())
                yield dict(zip(names, values, strict=False))
    except csv.Error as error:
        raise NotUnderstood(f"It is not CSV: {error}.") from None
    finally:
        # The file is its opener's to close.
        text.detach()


def _json_rows(file: BinaryIO, reached: Reached) -> Iterator[Row]:
    """The items of the first array, each decoded when it is whole; a single object is one call."""
    start = file.read(_PART).removeprefix(b"\xef\xbb\xbf")
    opened = _ARRAY.match(start)
    if not opened or first(_names_before(start[: opened.end()]), UNIQUE_ID):
        yield from _one_object(start + file.read(_LARGEST_ITEM))
        return
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    waiting, ended = start[opened.end() :], False
    text = ""
    while True:
        more = waiting.decode("utf-8", "replace")
        text, waiting = (text + more).lstrip(" \t\r\n,"), b""
        while text and not text.startswith("]"):
            try:
                item, end = decoder.raw_decode(text)
            except ValueError:
                break
            except RecursionError:
                raise NotUnderstood("The JSON is nested too deep.") from None
            if end == len(text) and not ended and not isinstance(item, dict | list):
                break
            yield _named(item) if isinstance(item, dict) else {"value": item}
            text = text[end:].lstrip(" \t\r\n,")
        if text.startswith("]"):
            return
        if ended or len(text) > _LARGEST_ITEM + _PART:
            raise NotUnderstood(f"The JSON ends or breaks in the middle, near {text[:60]!r}.")
        waiting = file.read(_PART)
        waiting += _rest_of_sign(file, waiting)
        ended = not waiting
        reached(file.tell())


def _rest_of_sign(file: BinaryIO, part: bytes) -> bytes:
    """The bytes that complete a sign of UTF-8 cut at the end of a part."""
    for back in range(1, min(4, len(part)) + 1):
        byte = part[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return file.read(max(0, length - back))
        if byte < 0x80:
            break
    return b""


def _names_before(opening: bytes) -> Mapping[str, object]:
    return dict.fromkeys(re.findall(r"\w+", opening.decode("utf-8", "replace")), "x")


def _one_object(body: bytes) -> Iterator[Row]:
    try:
        found = json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise NotUnderstood("It begins like JSON but is not.") from None
    if not isinstance(found, dict):
        raise NotUnderstood("It holds no call records.")
    inner = found.get("cdr")
    yield _named(inner if isinstance(inner, dict) else found)


def _sheet_rows(file: BinaryIO, reached: Reached) -> Iterator[Row]:
    try:
        yield from _sheet_rows_unless_damaged(file, reached)
    except _DAMAGED:
        raise NotUnderstood("It begins like a workbook but is not, or is damaged.") from None


def _sheet_rows_unless_damaged(file: BinaryIO, reached: Reached) -> Iterator[Row]:
    with zipfile.ZipFile(file) as archive:
        whole = sum(entry.file_size for entry in archive.infolist())
        packed = sum(entry.compress_size for entry in archive.infolist())
    if whole > _LARGEST_SHEET or whole > _LARGEST_RATIO * max(packed, 1024):
        raise NotUnderstood("The workbook would unpack to an unreasonable size and is refused.")
    file.seek(0)
    workbook = load_workbook(file, read_only=True, data_only=True)
    try:
        names: list[str] = []
        for number, cells in enumerate(workbook.worksheets[0].iter_rows(values_only=True)):
            if number % 500 == 0:
                reached(file.tell())
            if not names:
                found = [plain_name(cell) for cell in cells]
                names = found if set(found) & set(UNIQUE_ID) else []
            elif any(cell is not None for cell in cells):
                yield dict(zip(names, map(_cell, cells), strict=False))
        if not names:
            raise NotUnderstood("No row of the first sheet names a unique_id.")
    finally:
        workbook.close()


def _cell(value: object) -> object:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value if value is None else str(value)
