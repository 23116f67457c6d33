"""How much of a stranger's bytes is read before something whole comes of them? So much and no more.

The memory that a reader needs is that of its largest call, never that of its source: what does not end within
these bounds is refused in a sentence that says where it stands.
"""

import codecs
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

from richiamo_ingest.reports import NotUnderstood

LARGEST_CALL = 1 << 19
"""Bytes of one call with all its legs, which is some hundred KiB at most."""
MOST_FIELDS = 500
"""Names of one row: a PBX writes some forty."""
MOST_ROWS = 200_000
"""Rows or lines of one body: some days of a large call centre."""
PART = 1 << 16

OR_CP1252 = "richiamo.or-cp1252"
"""How bytes that are no UTF-8 are decoded: as the code page in which older programs write."""
_NOTHING = object()


class Source(Protocol):
    """What is read from: a file, a part of an archive, bytes."""

    def read(self, size: int, /) -> bytes: ...


class Bounded:
    """A source that gives out `most` bytes and then refuses, until `whole` says that something came of them."""

    def __init__(self, source: Source, most: int, unit: str) -> None:
        self._source = source
        self._most = most
        self._unit = unit
        self._read = 0
        self._whole = 0

    def read(self, size: int = PART, /) -> bytes:
        """Up to `size` bytes, never all at once. Raises `NotUnderstood`."""
        part = self._source.read(size if 0 <= size < PART else PART)
        self._read += len(part)
        if self._read - self._whole > self._most:
            raise NotUnderstood(f"No {self._unit} ends within {self._most:,} bytes after byte {self._whole:,}.")
        return part

    def whole(self) -> None:
        """Something ended: what is read from now on counts anew."""
        self._whole = self._read


def at_most(rows: Iterable[object], most: int = MOST_ROWS) -> Iterator[object]:
    """The rows of one body. Raises `NotUnderstood` when they are more."""
    given = iter(rows)
    yield from islice(given, most)
    if next(given, _NOTHING) is not _NOTHING:
        raise NotUnderstood(f"The body holds more than {most:,} rows; send it in parts.")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(OR_CP1252, _as_cp1252)
