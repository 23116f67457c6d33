"""What does the list show, in which order? The address of the page, read and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_

PAGE_ROWS = 100
DEFAULT_SORT = "availability"

TEXTS = {
    "caller": N_("Number contains"),
    "queue": N_("Queue"),
    "type": N_("Type"),
    "source": N_("Line"),
    "account_code": N_("Account code"),
}
DAYS = {
    "first_call_from": N_("First call from"),
    "first_call_to": N_("First call to"),
    "last_call_from": N_("Last call from"),
    "last_call_to": N_("Last call to"),
}
COLUMNS = ("availability", "number", "queue", "calls", "recalled", "last_recall", "first_call", "last_call")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, and the address without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; what cannot be read in it is left out."""

    path: str
    values: tuple[tuple[str, str], ...]
    sort: str
    after: str
    page: int

    @property
    def question(self) -> dict[str, Any]:
        """The payload of `richiamo.queue.requests`."""
        asked: dict[str, Any] = {}
        for name, value in self.values:
            if name in ("queue", "type"):
                asked.setdefault(name, []).append(value)
            else:
                asked[name] = value
        return {**asked, "sort": self.sort, "limit": PAGE_ROWS, "after": self.after or None}

    def value(self, name: str) -> str:
        """What a field of the form shows."""
        return next((value for found, value in self.values if found == name), "")

    def chips(self, formats: Formats) -> list[Chip]:
        """One chip for each active filter."""
        labels = {**TEXTS, **DAYS}
        return [
            Chip(
                formats.language(labels[name]),
                formats.short_day(value) if name in DAYS else value,
                self._address([one for one in self.values if one != (name, value)]),
            )
            for name, value in self.values
        ]

    def sorted_by(self, column: str) -> str:
        """The address with the list sorted by a column, the other way round when it is already."""
        return self._address(self.values, sort=f"-{column}" if self.sort == column else column)

    def direction(self, column: str) -> str:
        """The `aria-sort` of a column."""
        if self.sort == column:
            return "ascending"
        return "descending" if self.sort == f"-{column}" else "none"

    def following(self, after: str) -> str:
        """The address of the page that begins at a mark."""
        return self._address(self.values, after=after, page=self.page + 1)

    @property
    def first(self) -> str:
        """The address of the first page."""
        return self._address(self.values)

    def _address(
        self, values: Sequence[tuple[str, str]], *, sort: str | None = None, after: str = "", page: int = 1
    ) -> str:
        chosen = sort or self.sort
        pairs = list(values) + ([("sort", chosen)] if chosen != DEFAULT_SORT else [])
        pairs += [("after", after), ("page", str(page))] if after else []
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path


def read_filters(path: str, parameters: QueryParams) -> Filters:
    """The filters of an address."""
    values: list[tuple[str, str]] = []
    for name, raw in parameters.multi_items():
        value = raw.strip()
        if not value or (name, value) in values:
            continue
        if (name in TEXTS and len(value) <= _LONGEST) or (name in DAYS and _is_day(value)):
            values.append((name, value))
    sort = parameters.get("sort", DEFAULT_SORT)
    if sort.removeprefix("-") not in COLUMNS:
        sort = DEFAULT_SORT
    page = parameters.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
    after = parameters.get("after", "")
    return Filters(path, tuple(values), sort, after, max(1, number) if after else 1)


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text)) and len(text) == len("2026-01-31")
    except ValueError:
        return False
