"""Which rows are in JSON? Those of its array of calls, one by one in constant memory, or its one object."""

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain

from richiamo_ingest.bounds import LARGEST_CALL, OR_CP1252, PART, Source
from richiamo_ingest.kalliope import values
from richiamo_ingest.reports import NotUnderstood

LEGS = ("details", "detail", "legs")
"""Under which of these names a call's legs lie."""
_WRAPPERS = ("cdr", "records", "calls", "rows", "data", "items", "response")
_DEEPEST_WRAPPER = 3
_LARGEST_OBJECT = 16 * LARGEST_CALL
"""Bytes of what is no array of calls from its start on, and so is read as a whole."""
_SCALAR = r'(?:"[^"\\]{0,200}"|[\w.+-]{1,40})'
_ARRAY = re.compile(rf'\s*(?:\{{\s*(?:"\w+"\s*:\s*{_SCALAR}\s*,\s*){{0,20}}"\w+"\s*:\s*){{0,{_DEEPEST_WRAPPER}}}\[')
_NAME = re.compile(r'"(\w+)"\s*:')
_ANOTHER = re.compile(rf'"(?:{"|".join(_WRAPPERS)})"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")


def json_rows(source: Source) -> Iterator[object]:
    """The values of the first array, or the one object. Raises `NotUnderstood` with the number of the call."""
    decoder = codecs.getincrementaldecoder("utf-8")(OR_CP1252)
    text = decoder.decode(source.read(PART)).removeprefix("\ufeff")
    opened = _ARRAY.match(text)
    if opened is None or not _of_calls(opened[0]):
        yield from _unwrapped(_whole(text, source, decoder))
        return
    yield from _items(text[opened.end() :], source, decoder)


def _of_calls(opening: str) -> bool:
    """Whether the array is the calls', and not some list beside them or the legs of one call."""
    names = [name.lower() for name in _NAME.findall(opening)]
    return set(names).isdisjoint(values.UNIQUE_ID) and (not names or names[-1] in _WRAPPERS)


def _items(text: str, source: Source, utf8: codecs.IncrementalDecoder) -> Iterator[object]:
    # Numbers stay as they are written: an id such as 1511212918.10 is not a fraction.
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    number, at, ended = 1, 0, False
    while True:
        at = _end_of(text, at)
        if text.startswith("]", at):
            _nothing_after(text[at + 1 :] + utf8.decode(source.read(PART)))
            return
        if at < len(text):
            try:
                item, end = decoder.raw_decode(text, at)
            except RecursionError:
                raise NotUnderstood(f"Call {number} of the JSON is nested too deep.") from None
            except ValueError:
                pass  # Not all of it is here yet, or it is none: which, its size or the end will tell.
            else:
                # A number or a word at the very end may go on.
                if end < len(text) or ended or isinstance(item, dict | list):
                    yield item
                    number, at = number + 1, end
                    continue
        if ended or len(text) - at > LARGEST_CALL:
            raise NotUnderstood(f"Call {number} of the JSON ends or breaks in the middle, near {text[at : at + 60]!r}.")
        part = source.read(PART)
        ended = not part
        text, at = text[at:] + utf8.decode(part, ended), 0


def _end_of(text: str, at: int) -> int:
    between = _BETWEEN.match(text, at)
    return between.end() if between else at


def _nothing_after(rest: str) -> None:
    """Further fields beside the calls may follow; more calls would be overlooked."""
    shown = rest.strip()
    if shown and (shown[0] not in "},]" or _ANOTHER.search(shown)):
        raise NotUnderstood(f"Something follows the array of calls: {shown[:60]!r}.")


def _whole(start: str, source: Source, utf8: codecs.IncrementalDecoder) -> object:
    parts, size = [start], len(start)
    while part := source.read(PART):
        size += len(part)
        if size > _LARGEST_OBJECT:
            raise NotUnderstood(
                f"The JSON is no array of calls, and larger than {_LARGEST_OBJECT:,} bytes: name the array cdr."
            )
        parts.append(utf8.decode(part))
    try:
        return json.loads("".join([*parts, utf8.decode(b"", final=True)]), parse_float=str, parse_int=str)
    except RecursionError:
        raise NotUnderstood("The body begins like JSON but is nested too deep.") from None
    except ValueError as error:
        raise NotUnderstood(f"The body begins like JSON but is not: {str(error)[:120]}.") from None


def _unwrapped(found: object) -> list[object]:
    for _ in range(_DEEPEST_WRAPPER):
        if isinstance(found, list):
            return found
        if not isinstance(found, dict) or values.first(
            {values.plain_name(k): v for k, v in found.items()}, values.UNIQUE_ID
        ):
            break
        named = (found[name] for name in _WRAPPERS if isinstance(found.get(name), list | dict))
        other = (value for name, value in found.items() if isinstance(value, list) and name not in LEGS)
        inner = next(chain(named, other), None)
        if inner is None:
            break
        found = inner
    return found if isinstance(found, list) else [found]
