"""Who is the person behind a request, and what may they do?"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from richiamo_events.language import OperatorChanged


class Role(IntEnum):
    """Rights are nested: each role has those of the roles before it (`api.md`)."""

    OPERATOR = 1
    SUPERVISOR = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str) -> "Role":
        """The role of a wire name; an unknown name has the fewest rights."""
        return _ROLES.get(name, cls.OPERATOR)


_ROLES = {"operator": Role.OPERATOR, "supervisor": Role.SUPERVISOR, "admin": Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A logged-in person as the log knows them now (never as they were when they logged in)."""

    username: str
    name: str
    role: str
    extension: str
    queues: tuple[str, ...]
    """The queues this person may see; empty means all."""
    language: str
    masked: bool
    """Whether this person sees phone numbers with digits hidden."""

    @classmethod
    def of(cls, operator: OperatorChanged) -> "User":
        return cls(
            username=operator.username,
            name=operator.name,
            role=operator.role,
            extension=operator.extension,
            queues=operator.queues,
            language=operator.language,
            masked=operator.masked,
        )

    def may(self, role: Role) -> bool:
        """Whether this person has the rights of `role`."""
        return Role.named(self.role) >= role

    def sees(self, queue: str) -> bool:
        """Whether this person may see requests of that queue."""
        return not self.queues or queue in self.queues

    def payload(self) -> dict[str, Any]:
        """The `user` part of every question to another service."""
        return {
            "username": self.username,
            "name": self.name,
            "role": self.role,
            "extension": self.extension,
            "queues": list(self.queues),
            "masked": self.masked,
            "language": self.language,
        }
