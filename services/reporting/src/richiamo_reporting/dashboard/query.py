# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""How many requests were opened in a period, by outcome, and what became of the backlog of each day?

Outcome as of t (`reports.md`): *served*, *recalled*, *flushed*: closed before t that way (flushed also by age
or erasure); *unanswered*: open at t, at least one recall was tried before t; *unhandled*: open at t, no recall
tried. An outcome as of t looks only at what happened strictly before t.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from richiamo_reporting.daily.query import Part
from richiamo_reporting.dashboard.facts import OF_FACTS, Statements
from richiamo_reporting.dashboard.sums import OF_SUMS
from richiamo_reporting.frame import KNOWN_REQUESTS, Frame, Snapshot

OUTCOMES = ("served", "recalled", "flushed", "unanswered", "unhandled")
FIGURES = ("total", *OUTCOMES)
BACKLOG = ("served", "recalled", "flushed", "unanswered")


async def dashboard(view: Snapshot, parts: Sequence[Part]) -> dict[str, Any]:
    """The Dashboard as `api.md` shapes it: totals, every day of the period, and each day on backlog."""
    totals: Counter[str] = Counter(dict.fromkeys(FIGURES, 0))
    days: list[dict[str, Any]] = []
    backlog: list[dict[str, Any]] = []
    ending = parts[-1].frame.parameters()
    for part in parts:
        asked, parameters = OF_SUMS if part.summed else OF_FACTS, part.frame.parameters()
        # What was opened in any part is looked at as of the end of the last.
        totals.update(await view.one(asked.totals, {**parameters, "eod": ending["eod"], "eod_on": ending["eod_on"]}))
        per_day = {row.pop("nth"): row for row in await view.all(asked.per_day, parameters)}
        left = await backlog_of(view, part.frame, statements=asked)
        for nth, day in enumerate(part.frame.period.days):
            days.append({"day": day.isoformat(), **(per_day.get(nth + 1) or dict.fromkeys(FIGURES, 0))})
            backlog.append({"day": day.isoformat(), **left[nth]})
    return {"totals": dict(totals), "days": days, "backlog": backlog}


async def backlog_of(
    view: Snapshot, frame: Frame, opened_since: datetime | None = None, statements: Statements = OF_FACTS
) -> list[dict[str, int]]:
    """Each day on backlog, in order; `opened_since` leaves out requests opened earlier (identity D3)."""
    parameters = {**frame.parameters(), "opened_since": opened_since}
    closed = {row.pop("nth"): row for row in await view.all(statements.backlog_closed, parameters)}
    unanswered = {row["nth"]: row["unanswered"] for row in await view.all(statements.backlog_unanswered, parameters)}
    nothing = {"served": 0, "recalled": 0, "flushed": 0}
    return [
        {**(closed.get(nth) or nothing), "unanswered": unanswered.get(nth, 0)}
        for nth in range(1, len(frame.period.days) + 1)
    ]


async def open_at_the_ends(view: Snapshot, frame: Frame) -> list[int]:
    """Requests open at the end of each day: opened by then and not closed before it (identities D4, R6)."""
    return [row["open"] for row in await view.all(OPEN_AT_THE_ENDS, frame.parameters())]


OPEN_AT_THE_ENDS = (
    "WITH"
    + KNOWN_REQUESTS
    + """
SELECT nth, (
    SELECT count(*)::int FROM known
    WHERE opened_at < (%(edges)s::timestamptz[])[nth + 1]
      AND coalesce(closed_at, 'infinity') >= (%(ends)s::timestamptz[])[nth]
) AS open
FROM generate_series(1, cardinality(%(ends)s::timestamptz[])) AS nth
ORDER BY nth
"""
)
