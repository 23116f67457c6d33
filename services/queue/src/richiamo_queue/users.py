"""Who asks, and what may they see and do? The user as the gateway vouches for them."""

from pydantic import BaseModel, ConfigDict, Field

from richiamo_events.caller import Caller
from richiamo_events.ids import Username
from richiamo_kit.logging import masked
from richiamo_queue.caller.errors import NotAllowed

_RANKS = {"operator": 1, "supervisor": 2, "admin": 3}


class User(BaseModel):
    """The user of a command or a query; each role has the rights of those before it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    username: Username
    role: str = "operator"
    extension: str = ""
    queues: tuple[str, ...] = Field(default=())
    """The queues this user may see; empty: all."""
    masked: bool = False
    language: str = "it"

    @property
    def supervises(self) -> bool:
        return _RANKS.get(self.role, 0) >= _RANKS["supervisor"]

    def require(self, role: str) -> None:
        """Raise `NotAllowed` (403) unless the user has this role or a higher one."""
        if _RANKS.get(self.role, 0) < _RANKS[role]:
            raise NotAllowed(f"Only a user with the role {role} can do this.")

    def sees(self, queue: str) -> bool:
        return not self.queues or queue in self.queues

    def knows(self, caller: Caller) -> bool:
        """Whether the user may hear of this caller: one request, open or closed, is of a queue that the user sees."""
        return not caller.requests or any(self.sees(request.queue) for request in caller.requests)

    def shown(self, number: str) -> str:
        """The number as this user may see it: the last digits masked without the right to them."""
        return masked(number) if self.masked and number else number
