"""How is XML of a stranger read without harm? No DTD, no entities, no network, no deep nesting."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from lxml import etree

from richiamo_ingest.bounds import LARGEST_CALL, Bounded, Source
from richiamo_ingest.reports import NotUnderstood

T = TypeVar("T")

_NAMED = frozenset({"unique_id", "uniqueid", "id"})
_LEG_HOLDERS = frozenset({"details", "detail", "legs", "leg"})
_DEEPEST = 16
_MOST_NAMES = 2000
_MOST_WAITING = 20_000
"""Elements that may stand before the end of a call: all of its own, and those that belong to none."""
_MOST_SEEN = 2 * 1024 * 1024


def forgetting(read: Callable[[], T]) -> T:
    """Read XML in a thread of its own: the parser keeps every name that it saw for as long as its thread lives."""
    with ThreadPoolExecutor(1) as own:
        return own.submit(read).result()


class _SmallBodies:
    """Reads in one thread until it may have seen `_MOST_SEEN` bytes of names: to start one takes ten times the reading."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._seen = 0
        self._changing = Lock()

    def read(self, body: bytes) -> dict[str, str]:
        with self._changing:
            self._seen += len(body)
            if self._seen > _MOST_SEEN:
                self._thread.shutdown(wait=False)
                self._thread, self._seen = ThreadPoolExecutor(1), len(body)
            reading = self._thread.submit(_fields, body)
        return reading.result()


def fields_of(body: bytes) -> dict[str, str]:
    """The root's children as name and text. Raises `NotUnderstood` with the parser's reason."""
    return _small_bodies.read(body)


def _fields(body: bytes) -> dict[str, str]:
    root = _parsed(body)
    return {_name(child): (child.text or "") for child in root if isinstance(child.tag, str)}


_small_bodies = _SmallBodies()


def _parsed(body: bytes) -> Any:
    try:
        return _checked(body)
    except etree.XMLSyntaxError as error:
        try:
            # A template typed by hand may say UTF-8 and hold another code page.
            body.decode()
        except UnicodeDecodeError:
            return _again_as_latin(body, error)
        raise NotUnderstood(_reason(error)) from error


def _again_as_latin(body: bytes, error: etree.XMLSyntaxError) -> Any:
    _, opened, rest = body.decode("cp1252", "replace").partition("?>")
    try:
        return _checked((rest if opened else body.decode("cp1252", "replace")).encode())
    except etree.XMLSyntaxError:
        raise NotUnderstood(_reason(error)) from error


def _checked(body: bytes) -> Any:
    if not body.strip():
        raise NotUnderstood("The body is empty.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    root = etree.fromstring(body.strip(), parser)
    document: Any = root.getroottree().docinfo
    if document.doctype or document.internalDTD is not None:
        raise NotUnderstood("The XML holds a document type or entities, which are refused.")
    return root


def _reason(error: etree.XMLSyntaxError) -> str:
    return f"The body is not XML: {' '.join(str(error.msg).split())[:200]}."


def _name(element: Any) -> str:
    # Not by QName, which refuses names that the parser let through, such as `a24:00:00`.
    return str(element.tag).rpartition("}")[2].lower()


def rows_of(source: Source) -> Iterator[dict[str, object]]:
    """The calls of a document, one by one in constant memory: every element that holds an id of its own.

    Elements below one named `details` or `legs` become that call's list of legs.
    """
    bounded = Bounded(source, LARGEST_CALL, "call")
    try:
        for row in _walk(bounded):
            bounded.whole()
            yield row
    except etree.XMLSyntaxError as error:
        raise NotUnderstood(_reason(error)) from error


def _walk(source: Bounded) -> Iterator[dict[str, object]]:
    steps = etree.iterparse(
        source,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    names: list[str] = []
    known: set[str] = set()
    waiting = 0
    for step, element in steps:
        if not isinstance(element.tag, str):
            continue
        if step == "start":
            if not names and element.getroottree().docinfo.internalDTD is not None:
                raise NotUnderstood("The XML holds a document type or entities, which are refused.")
            names.append(_name(element))
            known.add(element.tag)
            known.update(element.attrib)
            if len(known) > _MOST_NAMES:
                raise NotUnderstood(
                    f"The XML has more than {_MOST_NAMES:,} different names, on line {element.sourceline}."
                )
            waiting += 1
            if len(names) > _DEEPEST:
                raise NotUnderstood(f"The XML is nested deeper than {_DEEPEST} elements, on line {element.sourceline}.")
            if waiting > _MOST_WAITING:
                raise NotUnderstood(f"{_MOST_WAITING:,} elements hold no call, up to line {element.sourceline}.")
            continue
        names.pop()
        if _LEG_HOLDERS.isdisjoint([*names, _name(element)]) and any(
            _name(child) in _NAMED and not len(child) for child in element if isinstance(child.tag, str)
        ):
            yield _row(element)
            waiting = 0
            element.clear()
            while (before := element.getprevious()) is not None:
                before.getparent().remove(before)


def _row(element: Any) -> dict[str, object]:
    row: dict[str, object] = {}
    legs: list[dict[str, object]] = []
    for child in element:
        if not isinstance(child.tag, str):
            continue
        if not len(child):
            row[_name(child)] = child.text or ""
            continue
        inner = [one for one in child if isinstance(one.tag, str)]
        several = [one for one in inner if len(one)]
        legs.extend(_row(one) for one in (several or [child]))
    if legs:
        row["details"] = legs
    return row
