"""How does a list keep its filter, its order and its page? In the address, so that a view can be kept and shared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from richiamo_gateway.pages.formats import Formats

PAGE_ROWS = 100
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, and the address without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list one is: its order, the mark at which the page begins, the page's number from 1, what is hidden."""

    sort: str
    after: str
    page: int
    hide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListAddress:
    """The address of a list page; `usual_sort` stays out of it."""

    path: str
    values: tuple[tuple[str, str], ...]
    place: Place
    usual_sort: str

    @property
    def page(self) -> int:
        return self.place.page

    @property
    def sort(self) -> str:
        return self.place.sort

    @property
    def after(self) -> str:
        return self.place.after

    def chips_of(self, formats: Formats, labels: Mapping[str, str], days: Collection[str]) -> list[Chip]:
        """One chip for each active filter."""
        return [
            Chip(
                formats.language(labels[name]),
                formats.short_day(value) if name in days else value,
                self._address([one for one in self.values if one != (name, value)]),
            )
            for name, value in self.values
        ]

    def value(self, name: str) -> str:
        """What a field of the form shows."""
        return next((value for found, value in self.values if found == name), "")

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
        pairs = list(values) + ([("sort", chosen)] if chosen != self.usual_sort else [])
        pairs += [("after", after), ("page", str(page))] if after else []
        pairs += [("hide", column) for column in self.place.hide]
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path


def read_place(parameters: QueryParams, columns: Collection[str], usual_sort: str) -> Place:
    """The place of an address; what cannot be read in it is as usual."""
    sort = parameters.get("sort", usual_sort)
    if sort.removeprefix("-") not in columns:
        sort = usual_sort
    after, page = parameters.get("after", ""), parameters.get("page", "1")
    hide = tuple(name for name in parameters.getlist("hide") if name in columns or name == "none")
    return Place(sort, after, max(1, int(page)) if after and is_count(page) else 1, hide)


def is_count(text: str) -> bool:
    """Whether it is a whole number of at most six digits."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def is_day(text: str) -> bool:
    """Whether it is a day as date fields write it, `2026-01-31`."""
    try:
        return bool(date.fromisoformat(text)) and len(text) == len("2026-01-31")
    except ValueError:
        return False
