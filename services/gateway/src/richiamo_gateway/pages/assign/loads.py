"""Who can be given customers, and how many has each already?"""

from collections import Counter
from dataclasses import dataclass

from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway

_MOST = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """An operator to choose, with the customers they hold now."""

    username: str
    name: str
    load: int


async def choices(gateway: Gateway, user: User, min_position: int | None, as_of: str | None) -> list[Choice]:
    """Active users with an extension, only those picked in the settings when any are; by name."""
    picked = gateway.site.settings.operator_extensions
    held = await _held(gateway, user, min_position, as_of)
    eligible = [
        one
        for one in gateway.site.operators.by_name.values()
        if one.active and one.extension and (not picked or one.extension in picked)
    ]
    found = [Choice(one.username, one.name or one.username, held[one.username]) for one in eligible]
    return sorted(found, key=lambda one: one.name.casefold())


async def _held(gateway: Gateway, user: User, min_position: int | None, as_of: str | None) -> Counter[str]:
    """How many customers each user holds; the held ones come first in this order."""
    held: Counter[str] = Counter()
    after: str | None = None
    while True:
        found = await gateway.ask(
            "richiamo.queue.callers",
            user,
            view="open",
            sort="reserved_by",
            limit=_MOST,
            after=after,
            min_position=min_position,
            as_of=as_of,
        )
        holders = [item["reserved_by"] for item in found["items"] if item["reserved_by"]]
        held.update(holders)
        after = found["next"]
        if after is None or len(holders) < len(found["items"]):
            return held
