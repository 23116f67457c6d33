"""Who works here? The users as the log knows them, without their credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from richiamo_events.envelope import Recorded
from richiamo_events.ids import Username
from richiamo_events.language import OperatorChanged


@dataclass(frozen=True, slots=True)
class Operators:
    """All users by name; immutable, `changed` gives the next."""

    by_name: Mapping[Username, OperatorChanged] = field(default_factory=dict)

    def changed(self, event: Recorded) -> "Operators":
        if not isinstance(event.data, OperatorChanged):
            return self
        return Operators({**self.by_name, event.data.username: event.data})

    def get(self, username: str) -> OperatorChanged | None:
        return self.by_name.get(Username(username))

    def by_extension(self, extension: str) -> OperatorChanged | None:
        """The active user who has this extension, if any."""
        if not extension:
            return None
        return next(
            (one for one in self.by_name.values() if one.active and one.extension == extension),
            None,
        )

    def name_of(self, username: str) -> str:
        found = self.get(username)
        return found.name if found and found.name else username

    def as_number(self, username: str) -> str:
        """The user told as a number, `Op. 3`, that never changes: the third who was ever created.

        Names that are nobody's (the system, a PBX) stay as they are.
        """
        number = next((at for at, name in enumerate(self.by_name, start=1) if name == username), None)
        return username if number is None else f"Op. {number}"
