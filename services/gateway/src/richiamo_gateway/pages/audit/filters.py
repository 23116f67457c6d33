"""Which decisions does the audit trail list?"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from richiamo_gateway.pages.audit.told import KINDS
from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.list_address import PAGE_ROWS, Chip, ListAddress, is_day, read_place

PATH = "/audit"
COLUMNS = ("when", "who", "number")
_DAYS = ("from", "to")
_LABELS = {"who": N_("Who"), "what": N_("What"), "from": N_("From"), "to": N_("To"), "caller": N_("Number")}
_LONGEST = 100
_DIGITS = 19
"""Of a position in the log, at most."""


class Filters(ListAddress):
    """What the address asks for; what cannot be read in it is left out."""

    __slots__ = ()

    @property
    def question(self) -> dict[str, Any]:
        """The payload of `richiamo.reporting.audit`."""
        return {**dict(self.values), "limit": PAGE_ROWS, "after": int(self.after) if self.after else None}

    @property
    def query(self) -> str:
        """The filters alone, as the JSON API takes them."""
        return urlencode(self.values)

    def chips(self, formats: Formats) -> list[Chip]:
        """One chip for each active filter."""
        return [
            replace(chip, value=formats.language(KINDS[value])) if name == "what" else chip
            for (name, value), chip in zip(self.values, self.chips_of(formats, _LABELS, _DAYS), strict=True)
        ]


def read_filters(parameters: QueryParams) -> Filters:
    """The filters of an address; a period upside down is turned."""
    given = {name: parameters.get(name, "").strip()[:_LONGEST] for name in _LABELS}
    if given["what"] not in KINDS:
        given["what"] = ""
    for edge in _DAYS:
        if not is_day(given[edge]):
            given[edge] = ""
    if given["from"] and given["to"] and given["from"] > given["to"]:
        given["from"], given["to"] = given["to"], given["from"]
    place = replace(read_place(parameters, COLUMNS, ""), sort="")
    if not (place.after.isascii() and place.after.isdigit() and len(place.after) < _DIGITS):
        place = replace(place, after="", page=1)
    return Filters(PATH, tuple((name, value) for name, value in given.items() if value), place, "")
