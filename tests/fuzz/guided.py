"""Which bytes break a parser? Mutations of samples, kept whenever they reach lines that none reached before.

No clock decides whether a parser hangs: the lines it runs are counted.
"""

import random
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import richiamo_ingest
import richiamo_kit
import richiamo_ops

_OURS = tuple(str(Path(package.__file__ or "").parent) for package in (richiamo_ingest, richiamo_kit, richiamo_ops))
_MOST_LINES = 3_000_000
"""Lines of ours for one body of some KiB, after which it counts as a hang."""
_LARGEST = 32 * 1024
_WORDS = (
    b"<", b">", b"</a>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<?xml version='1.0' encoding='utf-16'?>", b"]]>",
    b"[", b"]", b"{", b"}", b'"', b"\\u0000", b"null", b"1e999", b"-", b"[" * 3000, b"<a>" * 40, b'{"a":' * 2000,
    b",", b";", b"\t", b"\n", b"\r", b"|", b"#", b'""', b"=", b"&", b"%", b"%00", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xc3\x28", "²".encode(), "٣".encode(), b"9" * 400, b"0000-00-00 00:00:00", b"9999-12-31 23:59:59", b"24:00:00",
    b"2026-10-25 02:30:00", b"2026-03-29 02:30:00", b"unique_id", b"details", b"CONNECT", b"ABANDON", b"NaN",
    b":", b"\r\n", b"\r\n\r\n", b"Event: ", b"Cdr", b"DialEnd", b"AgentComplete", b"Timestamp: ", b"Linkedid: ",
)  # fmt: skip


class Hangs(Exception):
    """The parser runs on and on."""


class Guided:
    """One parser and the bodies that lead into all its corners, found so far."""

    def __init__(self, parse: Callable[[bytes], object], refusals: tuple[type[Exception], ...], seed: int) -> None:
        self._parse = parse
        self._refusals = refusals
        self._random = random.Random(seed)
        self._corpus: list[bytes] = []
        self._reached: set[tuple[CodeType, int, int]] = set()

    @property
    def reached(self) -> int:
        return len(self._reached)

    def feed(self, body: bytes) -> None:
        """Parse one body; keep it if it went where none went. Raises what the parser should not have raised."""
        fresh: set[tuple[CodeType, int, int]] = set()
        lines = 0

        def look(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal lines
            if not frame.f_code.co_filename.startswith(_OURS):
                return None
            last = frame.f_lineno

            def step(frame: FrameType, event: str, _argument: Any) -> Any:
                nonlocal lines, last
                if event == "line":
                    lines += 1
                    arc = frame.f_code, last, frame.f_lineno
                    last = frame.f_lineno
                    if arc not in self._reached:
                        fresh.add(arc)
                    if lines > _MOST_LINES:
                        raise Hangs(body[:200])
                return step

            return step

        before = sys.gettrace()
        sys.settrace(look)
        # XML is read in threads of its own.
        threading.settrace(look)
        try:
            self._parse(body)
        except self._refusals:
            pass  # In its own words: that is what is wanted.
        finally:
            threading.settrace(None)
            sys.settrace(before)
        if fresh:
            self._reached |= fresh
            self._corpus.append(body)

    def mutated(self) -> bytes:
        """A body made of one or two that led somewhere."""
        body = bytearray(self._random.choice(self._corpus))
        for _ in range(self._random.choice((1, 1, 2, 4, 8))):
            at, to = sorted(self._random.randrange(len(body) + 1) for _ in range(2))
            match self._random.randrange(6):
                case 0:
                    body[at:at] = self._random.choice(_WORDS)
                case 1:
                    body[at:to] = self._random.choice(_WORDS)
                case 2:
                    del body[at:to]
                case 3:
                    body[at:at] = body[at:to]
                case 4:
                    other = self._random.choice(self._corpus)
                    since = self._random.randrange(len(other) + 1)
                    body[at:to] = other[since : since + to - at + 20]
                case _:
                    if at < len(body):
                        body[at] ^= 1 << self._random.randrange(8)
        return bytes(body[:_LARGEST])


def kept(folder: Path, name: str) -> Sequence[bytes]:
    """What was found before, by the parser's name."""
    return [file.read_bytes() for file in sorted(folder.glob(f"{name}-*"))]
