"""How is a person forgotten? By number, after a question; the counts stay."""

import asyncio
from typing import Annotated
from uuid import uuid4

from cyclopts import Parameter
from rich.console import Console
from rich.prompt import Confirm

from richiamo_events.numbers import Number, normalise
from richiamo_kit.errors import Problem
from richiamo_ops.asking import asking
from richiamo_ops.site import reached, settings_now

_LEFT = {
    "ingest": "The spool of an ingest that does not run, or cannot write now, may hold digits; they go when it works again.",
    "postgresql": "PostgreSQL's write-ahead log may hold digits until it is written over: this role may not remove it.",
}
"""What is said of a place that cannot be reached from here."""


def erase(
    number: str, *, reason: str = "request of the person", yes: Annotated[bool, Parameter(negative="")] = False
) -> int:
    """Forget a number for ever: directory, raw records, notes and every list; figures keep their counts.

    Example: richiamo erase 0501234567 --yes

    Parameters
    ----------
    number
        The number in any spelling.
    reason
        Why, for the log; never put anything personal here.
    yes
        Do not ask first.
    """
    return asyncio.run(_erase(number, reason, yes=yes))


async def _erase(number: str, reason: str, *, yes: bool) -> int:
    console = Console(stderr=True, highlight=False)
    async with reached("erase") as site, asking(site, patience=600.0) as ask:
        read = normalise(number, (await settings_now(site)).numbers)
        if not isinstance(read, Number):
            raise Problem(400, "no-number", "This is no number that could have been stored.")
        caller = await site.directory.find(read.text)
        if caller is None:
            raise Problem(404, "unknown-number", "Richiamo holds nothing under this number.")
        if not yes and not Confirm.ask(f"Forget {read.text} for ever?", console=console, default=False):
            console.print("Nothing was changed.")
            return 1
        answer = await ask("richiamo.queue.erase", {"caller_id": caller, "reason": reason, "key": uuid4().hex})
        console.print(f"Forgotten. The history stays under the id {caller}, which leads to nobody.")
        for place in answer.get("left", ()):
            console.print(_LEFT[place])
    return 0
