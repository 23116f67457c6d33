"""How is a person forgotten? By number, after a question; the counts stay."""

import asyncio
from typing import Annotated
from uuid import uuid4

from cyclopts import Parameter
from rich.console import Console
from rich.progress import track
from rich.prompt import Confirm

from richiamo_events.numbers import Number, normalise
from richiamo_kit.errors import Problem
from richiamo_ops.asking import asking
from richiamo_ops.site import reached, settings_now

_LEFT = {
    "ingest": "The spool of an ingest that does not run, or cannot write now, may hold digits; they go when it works again.",
    "postgresql": "PostgreSQL's write-ahead log may hold digits until it is written over: this role may not remove it.",
    "nats": "The consensus logs of the NATS nodes hold digits until NATS compacts them, within three minutes.",
}
"""What is said of a place that cannot be reached from here."""
_COMPACTED_WITHIN = 185
"""Seconds: each node compacts every two minutes, and up to one more."""


def erase(
    number: str,
    *,
    reason: str = "request of the person",
    yes: Annotated[bool, Parameter(negative="")] = False,
    wait: bool = True,
) -> int:
    """Forget a number for ever: directory, raw records, notes and every list; figures keep their counts.

    With several NATS nodes it also waits until their consensus logs have been compacted, some three minutes.

    Example: richiamo erase 0501234567 --yes

    Parameters
    ----------
    number
        The number in any spelling.
    reason
        Why, for the log; never put anything personal here.
    yes
        Do not ask first.
    wait
        Return when no file of a NATS node holds the number either; --no-wait says so and returns.
    """
    return asyncio.run(_erase(number, reason, yes=yes, wait=wait))


async def _erase(number: str, reason: str, *, yes: bool, wait: bool) -> int:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
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
        left = answer.get("left", ())
        for place in left:
            console.print(_LEFT[place])
        if wait and "nats" in left:
            for _ in track(range(_COMPACTED_WITHIN), "Waiting for it", console=console, transient=True):
                await asyncio.sleep(1)
            console.print("They have been compacted.")
    return 0
