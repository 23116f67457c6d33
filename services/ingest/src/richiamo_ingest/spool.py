"""Where do reports wait while the log is away? In files of their own, fsynced before the PBX is answered.

Delivery: an entry leaves the spool only after everything in it was acknowledged, so after a crash it may be
written again; the ids of events and messages are the same then, so once in effect. Entries leave in the
order in which they came.
"""

import asyncio
import os
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from richiamo_ingest.reports import REPORTS, LostReport, PutAside, RecordReport, ServedReport
from richiamo_kit import metrics

AnyReport = LostReport | ServedReport | RecordReport | PutAside

_log = structlog.get_logger(__name__)
_LARGEST_SEGMENT = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """The oldest entries and where they end; give it back to `done` when they are in the log."""

    entries: list[list[AnyReport]]
    segment: int
    end: int


@dataclass(slots=True)
class _Segment:
    """One file: entries are appended at its end and taken at `read_to`."""

    number: int
    path: Path
    size: int
    read_to: int
    entries: int

    @property
    def mark(self) -> Path:
        return self.path.with_suffix(".done")


class Spool:
    """A queue of reports on the local disk. One process uses a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._segments: deque[_Segment] = deque(self._found())
        self._lock = asyncio.Lock()
        self._count()

    @property
    def entries(self) -> int:
        """How many entries wait."""
        return sum(segment.entries for segment in self._segments)

    async def append(self, reports: Sequence[AnyReport]) -> None:
        """Store the reports as one entry; returns when they are on the disk. Raises OSError when they are not."""
        body = REPORTS.dump_json(list(reports))
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        async with self._lock:
            if not self._segments or self._segments[-1].size >= _LARGEST_SEGMENT:
                self._segments.append(self._new())
            segment = self._segments[-1]
            await asyncio.to_thread(_write, segment.path, line, segment.size)
            segment.size += len(line)
            segment.entries += 1
        self._count()

    async def oldest(self, most: int = 200) -> Taken | None:
        """The oldest entries, at most so many, left where they are; None when nothing waits."""
        async with self._lock:
            segment = next((one for one in self._segments if one.entries), None)
            if segment is None:
                return None
            return await asyncio.to_thread(_read, segment, most)

    async def done(self, taken: Taken) -> None:
        """Forget these entries: the log has them."""
        async with self._lock:
            segment = self._segments[0]
            while segment.number != taken.segment:
                self._drop()
                segment = self._segments[0]
            segment.read_to = taken.end
            segment.entries -= len(taken.entries)
            if segment.entries:
                await asyncio.to_thread(_mark, segment)
            else:
                self._drop()
        self._count()

    def _drop(self) -> None:
        segment = self._segments.popleft()
        segment.path.unlink(missing_ok=True)
        segment.mark.unlink(missing_ok=True)

    def _new(self) -> _Segment:
        taken = [int(path.stem) for path in self._folder.glob("*.spool")]
        number = max([0, *taken, *(segment.number for segment in self._segments)]) + 1
        path = self._folder / f"{number:012d}.spool"
        path.touch(mode=0o600)
        _sync_folder(self._folder)
        return _Segment(number, path, 0, 0, 0)

    def _found(self) -> list[_Segment]:
        """What an earlier process left. A torn last line was never acknowledged: it is cut off."""
        found = []
        for path in sorted(self._folder.glob("*.spool")):
            segment = _Segment(int(path.stem), path, 0, 0, 0)
            if segment.mark.exists():
                segment.read_to = int(segment.mark.read_text() or 0)
            with path.open("rb") as file:
                file.seek(segment.read_to)
                for line in file:
                    if not _whole(line):
                        break
                    segment.entries += 1
                    segment.size += len(line)
            segment.size += segment.read_to
            if segment.size < path.stat().st_size:
                _log.warning("spool_torn_line_cut", segment=segment.number)
                os.truncate(path, segment.size)
            found.append(segment)
        return found

    def _count(self) -> None:
        metrics.SPOOLED.set(self.entries)


def _whole(line: bytes) -> bool:
    return line.endswith(b"\n") and len(line) > 10 and line[:8] == b"%08x" % zlib.crc32(line[9:-1])


def _write(path: Path, line: bytes, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(size)
        try:
            file.write(line)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, size)
            raise


def _read(segment: _Segment, most: int) -> Taken:
    entries: list[list[AnyReport]] = []
    end = segment.read_to
    with segment.path.open("rb") as file:
        file.seek(end)
        while len(entries) < most and end < segment.size:
            line = file.readline()
            if not _whole(line):
                raise OSError(f"the spool's segment {segment.number} is damaged at byte {end}")
            entries.append(list(REPORTS.validate_json(line[9:-1])))
            end += len(line)
    return Taken(entries, segment.number, end)


def _mark(segment: _Segment) -> None:
    """Remember how far we are. Without fsync: an older mark only means writing again what is known."""
    fresh = segment.mark.with_suffix(".new")
    fresh.write_text(str(segment.read_to))
    fresh.replace(segment.mark)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
