"""What makes two commands the same one? The idempotency key, with who sent it and what it asks for.

Every id that a command needs is derived from its ticket: sent twice, decided twice, even on two instances
or after a crash, it appends the same events, and the log keeps them once (`domain.md` rule 9). The ticket's
id is the correlation id of its events, by which the view finds them again.
"""

import json
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

_NAMESPACE = UUID("7f0c6c1e-9a52-4f0e-8d0a-5c2f4f3b6d11")


@dataclass(frozen=True, slots=True)
class Ticket:
    """The identity of one command. `keyed`: whether it may come again under the same id."""

    id: str
    keyed: bool

    def derive(self, *parts: str) -> str:
        """An id that belongs to this command alone and is the same each time."""
        return uuid5(UUID(self.id), "/".join(parts)).hex


def ticket_for(username: str, command: str, content: object, key: str | None) -> Ticket:
    """The ticket of a user's command; without a key each sending is a command of its own."""
    if not key:
        return Ticket(uuid4().hex, keyed=False)
    return Ticket(uuid5(_NAMESPACE, json.dumps([username, command, content, key])).hex, keyed=True)


def timer_ticket(command: str, subject: str) -> Ticket:
    """The ticket of what a timer does once about a subject, however many instances think of it."""
    return Ticket(uuid5(_NAMESPACE, json.dumps(["system", command, subject])).hex, keyed=True)
