"""Which days does a report show, and of what? Read from its address; the last seven days when it says nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_

USUAL_DAYS = 7
_LONGEST = 3700
_COUNTS = {"min_callers": N_("Callers a day, at least"), "max_callers": N_("Callers a day, at most")}
_TEXTS = {"queue": N_("Queue"), "type": N_("Type")}
_MOST_DIGITS = 7

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, and the address without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Period:
    """Site days, both included, and what else the report at `path` was asked for.

    `filters` holds names and values as the address has them: `queue` any number of times, the others once.
    """

    path: str
    start: date
    end: date
    filters: tuple[tuple[str, str], ...] = ()

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.filters if key == name]

    @property
    def question(self) -> dict[str, object]:
        """The payload that all reports understand."""
        asked: dict[str, object] = {"from": self.start.isoformat(), "to": self.end.isoformat()}
        asked |= {name: self.values(name) for name in _TEXTS if self.values(name)}
        return asked | {name: int(value) for name, value in self.filters if name in _COUNTS}

    @property
    def before(self) -> "Period":
        """As many days just before, for comparison."""
        length = self.end - self.start + timedelta(days=1)
        return replace(self, start=self.start - length, end=self.end - length)

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        return urlencode([("from", self.start.isoformat()), ("to", self.end.isoformat()), *self.filters])

    @property
    def reset(self) -> str:
        """The address of the same days without filters."""
        return f"{self.path}?{replace(self, filters=()).query}"

    def last(self, days: int, today: date) -> str:
        """The address of the last so many days."""
        return f"{self.path}?{replace(self, start=today - timedelta(days=days - 1), end=today).query}"

    def behind(self, report: str, figure: str, day: str = "", queue: str | None = None) -> str:
        """The address of the requests behind a figure: of a day or of the whole period, of one queue or of all chosen."""
        pairs: Pairs = [("figure", figure)]
        pairs += [("day", day)] if day else [("from", self.start.isoformat()), ("to", self.end.isoformat())]
        pairs += [pair for pair in self.filters if pair[0] in _TEXTS and not (pair[0] == "queue" and queue is not None)]
        pairs += [("queue", queue)] if queue is not None else []
        return f"/reports/{report}/requests?{urlencode(pairs)}"

    def chips(self, formats: Formats) -> list[Chip]:
        """What is filtered, each with the address that leaves it out."""
        return [
            Chip(
                formats.language({**_TEXTS, **_COUNTS}[name]),
                value,
                f"{self.path}?{replace(self, filters=tuple(pair for pair in self.filters if pair != (name, value))).query}",
            )
            for name, value in self.filters
        ]


def read_period(path: str, parameters: QueryParams, today: date, takes: Sequence[str] = ("queue", "type")) -> Period:
    """The period of an address; what cannot be read is left out, an upside-down range is turned.

    `takes` names the filters that this report knows.
    """
    end = _day(parameters.get("to")) or today
    start = _day(parameters.get("from")) or end - timedelta(days=USUAL_DAYS - 1)
    start, end = min(start, end), max(start, end)
    start = max(start, end - timedelta(days=_LONGEST - 1))
    read: Mapping[str, list[str]] = {name: _values(name, parameters) for name in takes}
    return Period(path, start, end, tuple((name, value) for name, values in read.items() for value in values))


def _values(name: str, parameters: QueryParams) -> list[str]:
    given = list(dict.fromkeys(text.strip()[:100] for text in parameters.getlist(name)))
    if name in _COUNTS:
        return [text for text in given if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS][:1]
    return [text for text in given if text] if name == "queue" else [text for text in given[:1] if text]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
