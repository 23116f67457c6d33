"""Which customers are listed, in which order? The address of such a page, read and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.missed_calls.filters import Chip

PAGE_ROWS = 100
DEFAULT_SORT = "-last_call"

COUNTS = {"recalled_min": N_("Recalled at least"), "recalled_max": N_("Recalled at most")}
DAYS = {
    "last_recall_from": N_("Last recall from"),
    "last_recall_to": N_("Last recall to"),
    "first_call_from": N_("First call from"),
    "first_call_to": N_("First call to"),
    "last_call_from": N_("Last call from"),
    "last_call_to": N_("Last call to"),
}
COLUMNS = ("recalled", "number", "last_recall", "first_call", "last_call", "calls", "reserved_by")
_DIGITS = 6


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
        """The payload of `richiamo.queue.callers`."""
        asked: dict[str, Any] = {name: int(value) if name in COUNTS else value for name, value in self.values}
        return {**asked, "sort": self.sort, "limit": PAGE_ROWS, "after": self.after or None}

    @property
    def query(self) -> str:
        """The filters alone, as the JSON API takes them."""
        return urlencode(self.values)

    def value(self, name: str) -> str:
        """What a field of the form shows."""
        return dict(self.values).get(name, "")

    def chips(self, formats: Formats) -> list[Chip]:
        """One chip for each active filter."""
        return [
            Chip(
                formats.language({**COUNTS, **DAYS}[name]),
                formats.short_day(value) if name in DAYS else value,
                self._address([one for one in self.values if one[0] != name]),
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
    values = [(name, parameters.get(name, "").strip()) for name in (*COUNTS, *DAYS)]
    known = tuple((name, value) for name, value in values if (_is_count if name in COUNTS else _is_day)(value))
    sort = parameters.get("sort", DEFAULT_SORT)
    if sort.removeprefix("-") not in COLUMNS:
        sort = DEFAULT_SORT
    after, page = parameters.get("after", ""), parameters.get("page", "1")
    return Filters(path, known, sort, after, max(1, int(page)) if after and _is_count(page) else 1)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text)) and len(text) == len("2026-01-31")
    except ValueError:
        return False
