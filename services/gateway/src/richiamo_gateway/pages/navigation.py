"""Where can one go? The pages in the order of the menu, with the role and the key of each."""

from dataclasses import dataclass

from richiamo_gateway.auth.user import Role, User
from richiamo_gateway.pages.language import N_


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the menu; `key` opens it after `g`."""

    path: str
    title: str
    role: Role
    key: str


PLACES = (
    Place("/missed-calls", N_("Missed calls"), Role.OPERATOR, "m"),
    Place("/assign", N_("Assign"), Role.SUPERVISOR, "a"),
    Place("/flush", N_("Flush queue"), Role.SUPERVISOR, "f"),
    Place("/report", N_("Report"), Role.SUPERVISOR, "r"),
    Place("/dashboard", N_("Dashboard"), Role.SUPERVISOR, "d"),
    Place("/code-caller", N_("Report Code Caller"), Role.SUPERVISOR, "o"),
    Place("/historical", N_("Report Historical"), Role.SUPERVISOR, "h"),
    Place("/widgets", N_("Widgets"), Role.OPERATOR, "w"),
    Place("/users", N_("Users"), Role.ADMIN, "u"),
    Place("/settings", N_("Settings"), Role.ADMIN, "s"),
)


def places_for(user: User) -> list[Place]:
    """What this person may open."""
    return [place for place in PLACES if user.may(place.role)]
