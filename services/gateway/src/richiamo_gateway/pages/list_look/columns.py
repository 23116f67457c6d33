"""Which columns of which list can be left out? What names the row, and what is done with it, always stays."""

from collections.abc import Mapping

from richiamo_gateway.auth.user import User
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.navigation import places_for

_CUSTOMERS = {
    "recalled": N_("Recalled"),
    "last_recall": N_("Last recall"),
    "first_call": N_("First call"),
    "last_call": N_("Last call"),
    "calls": N_("Calls"),
    "reserved_by": N_("Reserved by"),
}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "/missed-calls": {
        "queue": N_("Queue"),
        "calls": N_("Calls"),
        "recalled": N_("Recalled"),
        "last_recall": N_("Last recall"),
        "first_call": N_("First call"),
        "last_call": N_("Last call"),
    },
    "/assign": _CUSTOMERS,
    "/flush": _CUSTOMERS,
    "/audit": {"when": N_("When"), "who": N_("Who"), "number": N_("Number")},
}
"""The lists by their address, with the columns that can be hidden and their labels."""


def columns_of(path: str, user: User) -> Mapping[str, str] | None:
    """The columns of a list that this person may open; None when there is no such list for them."""
    return COLUMNS.get(path) if any(place.path == path for place in places_for(user)) else None
