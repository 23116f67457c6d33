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
_BEHIND = {
    "queue": N_("Queue"),
    "first_call": N_("First call"),
    "last_call": N_("Last call"),
    "calls": N_("Calls"),
    "recalled": N_("Recalled"),
    "last_recall": N_("Last recall"),
    "outcome": N_("Outcome"),
    "closed": N_("Closed"),
    "reserved_by": N_("Reserved by"),
}
REPORTS: Mapping[str, str] = {
    "dashboard": "/dashboard",
    "day": "/report",
    "code-caller": "/code-caller",
    "historical": "/historical",
}
"""The pages of the reports: who may open one may see the requests behind its figures."""
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
    "/users": {
        "username": N_("User name"),
        "role": N_("Role"),
        "extension": N_("Extension"),
        "queues": N_("Queues"),
        "language": N_("Language"),
        "active": N_("May log in"),
        "numbers": N_("Sees numbers"),
    },
    **{f"/reports/{report}/requests": _BEHIND for report in REPORTS},
}
"""The lists by their address, with the columns that can be hidden and their labels."""


def columns_of(path: str, user: User) -> Mapping[str, str] | None:
    """The columns of a list that this person may open; None when there is no such list for them."""
    behind = path.removeprefix("/reports/").removesuffix("/requests")
    opened_by = REPORTS.get(behind, path)
    return COLUMNS.get(path) if any(place.path == opened_by for place in places_for(user)) else None
