"""Which customers are listed, in which order?"""

from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.list_address import PAGE_ROWS, Chip, ListAddress, is_count, is_day, read_place

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
_USUAL_SORT = "-last_call"


class Filters(ListAddress):
    """What the address asks for; what cannot be read in it is left out."""

    __slots__ = ()

    @property
    def question(self) -> dict[str, Any]:
        """The payload of `richiamo.queue.callers`."""
        asked: dict[str, Any] = {name: int(value) if name in COUNTS else value for name, value in self.values}
        return {**asked, "sort": self.sort, "limit": PAGE_ROWS, "after": self.after or None}

    @property
    def query(self) -> str:
        """The filters alone, as the JSON API takes them."""
        return urlencode(self.values)

    def chips(self, formats: Formats) -> list[Chip]:
        """One chip for each active filter."""
        return self.chips_of(formats, {**COUNTS, **DAYS}, DAYS)


def read_filters(path: str, parameters: QueryParams) -> Filters:
    """The filters of an address."""
    values = [(name, parameters.get(name, "").strip()) for name in (*COUNTS, *DAYS)]
    known = tuple((name, value) for name, value in values if (is_count if name in COUNTS else is_day)(value))
    return Filters(path, known, read_place(parameters, COLUMNS, _USUAL_SORT), _USUAL_SORT)
