"""How is the customer's phone made to ring? What the service asks of whatever dials.

A recall is in the log before this port is used, so `dial` is called at most once a click and never repeated
(`domain.md` rule 7).
"""

import asyncio
from dataclasses import dataclass, field
from typing import Literal, Protocol

from richiamo_events.ids import DialId

How = Literal["kalliope", "ami", "link"]


@dataclass(frozen=True, slots=True)
class Dialled:
    """`how` says who dials; `link` is what the browser opens when nobody else does."""

    how: How
    link: str | None = None
    later: "asyncio.Task[None] | None" = field(default=None, compare=False)
    """Ends when the PBX has told what became of the operator's own phone; fails with `DialFailed` when nobody
    took it up, so that the customer's never rang."""


class DialFailed(Exception):
    """The PBX said no, or could not be asked: the phone did not ring, as far as can be known."""


class Dialler(Protocol):
    """Makes one call between an operator's extension and a customer."""

    @property
    def how(self) -> How:
        """Who dials."""
        ...

    @property
    def rings(self) -> bool:
        """Whether asking twice would ring twice."""
        ...

    async def dial(self, number: str, extension: str, dial: DialId) -> Dialled:
        """Ring the customer from `extension`. `number` is E.164 or internal digits; raises `DialFailed`."""
        ...
