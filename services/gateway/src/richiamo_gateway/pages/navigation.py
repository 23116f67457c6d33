"""Where can one go? The pages in the order of the menu, with the role and the key of each."""

from dataclasses import dataclass

from richiamo_gateway.auth.user import Role, User
from richiamo_gateway.pages.language import N_


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the menu; `key` opens it after `g`, and with `past` it can also show how it was (`pages/as_of.py`)."""

    path: str
    title: str
    role: Role
    key: str
    past: bool = False


PLACES = (
    Place("/missed-calls", N_("Missed calls"), Role.OPERATOR, "m", past=True),
    Place("/assign", N_("Assign"), Role.SUPERVISOR, "a", past=True),
    Place("/flush", N_("Flush queue"), Role.SUPERVISOR, "f", past=True),
    Place("/report", N_("Report"), Role.SUPERVISOR, "r", past=True),
    Place("/dashboard", N_("Dashboard"), Role.SUPERVISOR, "d", past=True),
    Place("/code-caller", N_("Report Code Caller"), Role.SUPERVISOR, "o", past=True),
    Place("/historical", N_("Report Historical"), Role.SUPERVISOR, "h", past=True),
    Place("/widgets", N_("Widgets"), Role.OPERATOR, "w", past=True),
    Place("/audit", N_("Audit"), Role.SUPERVISOR, "l"),
    Place("/users", N_("Users"), Role.ADMIN, "u"),
    Place("/settings", N_("Settings"), Role.ADMIN, "s"),
)


def places_for(user: User) -> list[Place]:
    """What this person may open."""
    return [place for place in PLACES if user.may(place.role)]


def has_past(path: str) -> bool:
    """Whether the page of this address can show how it was."""
    return path.startswith(("/callers/", "/reports/", "/widgets/")) or any(
        place.past and path == place.path for place in PLACES
    )
