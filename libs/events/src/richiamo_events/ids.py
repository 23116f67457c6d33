"""How is a thing named across services? Distinct types for identifiers that are all text on the wire."""

from dataclasses import dataclass
from typing import NewType

CallerId = NewType("CallerId", str)
"""The opaque random name under which the log knows one normalised number (`domain.md`, Privacy)."""

RequestId = NewType("RequestId", str)
ReservationId = NewType("ReservationId", str)
DialId = NewType("DialId", str)
FlushId = NewType("FlushId", str)
NoteId = NewType("NoteId", str)
"""One version of the note about a caller."""
Username = NewType("Username", str)


@dataclass(frozen=True, slots=True, order=True)
class CallId:
    """One call of one PBX: the pair that makes reports of the same call meet (`domain.md` rule 1)."""

    pbx: str
    unique_id: str

    def __str__(self) -> str:
        return f"{self.pbx}:{self.unique_id}"

    @classmethod
    def parse(cls, text: str) -> "CallId":
        pbx, _, unique_id = text.partition(":")
        return cls(pbx, unique_id)
