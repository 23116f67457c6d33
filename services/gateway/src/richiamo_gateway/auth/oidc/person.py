"""Who is somebody, of whom the identity provider speaks, in Richiamo? Pure: claims in, person or refusal out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from richiamo_gateway.auth.user import Role
from richiamo_kit.errors import Problem


@dataclass(frozen=True, slots=True)
class Person:
    """What the provider says; queues and extension stay as administrators set them."""

    subject: str
    """The provider's own, unchanging name of this person (`sub`)."""
    username: str
    name: str
    role: str


def person(claims: Mapping[str, Any], *, username_claim: str, roles_claim: str, roles: Mapping[str, str]) -> Person:
    """The person of some claims; the highest role of all their groups.

    Raises the problems `sign-on-nameless` and `sign-on-no-role` (401).
    """
    username = claims.get(username_claim)
    if not isinstance(username, str) or not username:
        detail = f"There is no claim {username_claim}. Ask your administrator."
        raise Problem(401, "sign-on-nameless", "The identity provider does not tell your user name.", detail)
    given = [roles[group] for group in _groups(claims, roles_claim) if group in roles]
    if not given:
        raise Problem(
            401, "sign-on-no-role", "Your account has no role in Richiamo.", "Ask your administrator for one."
        )
    name = claims.get("name")
    shown = name.strip()[:100] if isinstance(name, str) and name.strip() else username
    return Person(str(claims["sub"]), username, shown, max(given, key=Role.named))


def _groups(claims: Mapping[str, Any], claim: str) -> list[str]:
    found: Any = claims
    for part in [claim] if claim in claims else claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found
    return [group for group in listed if isinstance(group, str)] if isinstance(listed, list) else []
