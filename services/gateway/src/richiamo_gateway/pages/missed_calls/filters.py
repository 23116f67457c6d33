"""Which requests does the list show, in which order?"""

from typing import Any

from starlette.datastructures import QueryParams

from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.list_address import Chip, ListAddress, is_day, read_place

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
_USUAL_SORT = "availability"
ROWS = 50
"""Of a page: more than a shift scrolls through, and half of what a hundred take to write, lay out and paint."""
_LONGEST = 100


class Filters(ListAddress):
    """What the address asks for; what cannot be read in it is left out."""

    __slots__ = ()

    @property
    def question(self) -> dict[str, Any]:
        """The payload of `richiamo.queue.requests`."""
        asked: dict[str, Any] = {}
        for name, value in self.values:
            if name in ("queue", "type"):
                asked.setdefault(name, []).append(value)
            else:
                asked[name] = value
        return {**asked, "sort": self.sort, "limit": ROWS, "after": self.after or None}

    def chips(self, formats: Formats) -> list[Chip]:
        """One chip for each active filter."""
        return self.chips_of(formats, {**TEXTS, **DAYS}, DAYS)


def read_filters(path: str, parameters: QueryParams) -> Filters:
    """The filters of an address."""
    values: list[tuple[str, str]] = []
    for name, raw in parameters.multi_items():
        value = raw.strip()
        if not value or (name, value) in values:
            continue
        if (name in TEXTS and len(value) <= _LONGEST) or (name in DAYS and is_day(value)):
            values.append((name, value))
    return Filters(path, tuple(values), read_place(parameters, COLUMNS, _USUAL_SORT), _USUAL_SORT)
