"""Which days of a period can be answered from their sums, and for which must the facts themselves be read?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from richiamo_reporting.frame import Frame, Snapshot


@dataclass(frozen=True, slots=True)
class Part:
    """Days in a row of a question, and whether their sums answer it."""

    frame: Frame
    summed: bool


async def parts(view: Snapshot, frame: Frame, near: int = 3) -> Sequence[Part]:
    """The period of a question, cut into parts, in order; one part when the sums know all of it or nothing.

    A question of now is answered from the sums. So are, of a question about then, the days of which nothing that
    counts was recorded or happened since; what was known then of the others only the facts tell. The sums know one time
    zone, and nothing of before they were last counted anew. So many days `near` one that is read from the facts are
    read with it: a few days more cost less than another question.
    """
    zone, as_of = frame.period.zone, frame.period.as_of
    kept = await view.all("SELECT zone, since FROM daily_zone", {})
    if [row["zone"] for row in kept] != [zone.key] or as_of.recorded <= kept[0]["since"]:
        return [Part(frame, summed=False)]
    changed = await view.all(_CHANGED, frame.parameters())
    of_facts = {row["day"] + timedelta(days=n) for row in changed for n in range(-near, near + 1)}
    return [
        Part(frame.over(run[0], run[-1]), summed)
        for summed, days in groupby(frame.period.days, lambda day: day not in of_facts)
        for run in [list(days)]
    ]


_CHANGED = "SELECT day FROM daily_changed WHERE day BETWEEN %(first)s AND %(last)s AND changed_at >= %(recorded)s"
