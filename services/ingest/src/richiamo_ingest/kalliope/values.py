"""What does one value in a PBX's text mean? Absent, a time in its own zone, a number of seconds, a yes."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from richiamo_events.numbers import is_placeholder
from richiamo_ingest.reports import NotUnderstood

UNIQUE_ID = ("unique_id", "uniqueid", "id")
_LONGEST_TEXT = 300
_LONGEST_ID = 128
_YES = frozenset({"1", "true", "yes", "y", "si", "sì", "on"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EPOCH = re.compile(r"(?:[\w-]*-)?(\d{9,10})\.\d+")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d(?:\.\d+)?)")
_NEAR = timedelta(hours=2)
_DAY = timedelta(days=1)
_EARLIEST_YEAR = 1990
_LATEST_YEAR = 2100
_REMEMBERED = 4096
"""Times that are not read again: those of the legs of a call are nearly the same."""


def text(value: object) -> str:
    """A value as text; an absent one, or a placeholder that the PBX never replaced, is empty."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, str) and value.isascii() and value.isprintable() and "%" not in value:
        # Nearly all are: nothing to put right.
        return value.strip()[:_LONGEST_TEXT].strip()
    shown = str(value).strip()
    if isinstance(value, bool):
        shown = shown.lower()
    shown = _CONTROL.sub(" ", shown).encode("utf-8", "replace").decode()[:_LONGEST_TEXT].strip()
    return "" if is_placeholder(shown) else shown


def first(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first of these fields that holds something."""
    return next((found for name in names if (found := text(fields.get(name)))), "")


def unique_id(fields: Mapping[str, object]) -> str:
    """The call's id under any of its names. Raises `NotUnderstood` when there is none."""
    found = first(fields, UNIQUE_ID)
    if not found:
        raise NotUnderstood("The unique_id of the call is missing.")
    if len(found) > _LONGEST_ID:
        raise NotUnderstood(f"The unique_id is longer than {_LONGEST_ID} characters.")
    return found


def seconds(value: object, name: str) -> float | None:
    """Seconds with or without decimals, or `hh:mm:ss`; None when absent."""
    shown = text(value)
    if not shown:
        return None
    clock = _CLOCK.fullmatch(shown)
    if clock:
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
    try:
        found = float(shown.replace(",", ".", 1))
    except ValueError:
        raise NotUnderstood(f"{name} is not a number of seconds: {shown[:40]!r}.") from None
    if not math.isfinite(found) or found < 0 or found > _DAY.total_seconds() * 366:
        raise NotUnderstood(f"{name} is not a possible number of seconds: {shown[:40]!r}.")
    return found


def yes(value: object) -> bool:
    return text(value).lower() in _YES


def plain_name(name: object) -> str:
    """The name of a field as it is known here, however it is dressed up."""
    shown = str(name)
    if shown.islower() and shown.isidentifier():
        return shown
    return shown.strip().lstrip("#").strip().lower().replace(" ", "_")


class LocalTimes:
    """Reads the times of one call. They carry no zone: they are in the PBX's.

    In the doubled hour of autumn the epoch inside the unique_id says which of the two is the start; what
    follows is the first that does not lie before it (`domain.md` rule 12).
    """

    def __init__(self, zone: ZoneInfo, call_id: str) -> None:
        self._zone = zone
        epoch = _EPOCH.fullmatch(call_id)
        self._near = datetime.fromtimestamp(int(epoch[1]), UTC) if epoch else None
        self._start: datetime | None = None

    def start(self, value: object, name: str) -> datetime | None:
        """The start of the call, on which the reading of all later times rests."""
        candidates = self._candidates(value, name)
        if not candidates:
            return None
        near = self._near
        if len(candidates) == 1 or near is None or min(abs(at - near) for at in candidates) > _NEAR:
            self._start = candidates[0]
        else:
            self._start = min(candidates, key=lambda at: abs(at - near))
        return self._start

    def later(self, value: object, name: str) -> datetime | None:
        """A time in the same call, not before its start."""
        candidates = self._candidates(value, name)
        if not candidates:
            return None
        since = self._start or self._near
        if since is None:
            return candidates[0]
        return next((at for at in candidates if at >= since - timedelta(seconds=1)), candidates[-1])

    def _candidates(self, value: object, name: str) -> Sequence[datetime]:
        """The one instant it can mean, or both of the doubled hour, the earlier first."""
        try:
            if isinstance(value, datetime):
                return _instants(value, self._zone)
            return _read(text(value), self._zone)
        except ValueError as error:
            raise NotUnderstood(f"{name} {error}") from None


@lru_cache(_REMEMBERED)
def _read(shown: str, zone: ZoneInfo) -> Sequence[datetime]:
    """What a text means. Raises `ValueError` with the end of a sentence."""
    if not shown or shown.startswith("0000-00-00"):
        return ()
    try:
        read = datetime.fromisoformat(shown)
    except ValueError:
        raise ValueError(f"is not a time like 2018-05-08 12:00:00: {shown[:40]!r}.") from None
    return _instants(read, zone)


def _instants(read: datetime, zone: ZoneInfo) -> Sequence[datetime]:
    if not _EARLIEST_YEAR <= read.year <= _LATEST_YEAR:
        raise ValueError(f"lies outside the years {_EARLIEST_YEAR} to {_LATEST_YEAR}.")
    whole = read.replace(microsecond=0)
    if whole.tzinfo is not None:
        return (whole.astimezone(UTC),)
    return sorted({whole.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)})
