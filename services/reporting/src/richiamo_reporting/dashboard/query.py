# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""How many requests were opened in a period, by outcome, and what became of the backlog of each day?

Outcome as of t (`reports.md`): *served*, *recalled*, *flushed*: closed before t that way (flushed also by age
or erasure); *unanswered*: open at t, at least one recall was tried before t; *unhandled*: open at t, no recall
tried. An outcome as of t looks only at what happened strictly before t.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from richiamo_reporting.frame import KNOWN_REQUESTS, Frame, Snapshot

OUTCOMES = ("served", "recalled", "flushed", "unanswered", "unhandled")
FIGURES = ("total", *OUTCOMES)
BACKLOG = ("served", "recalled", "flushed", "unanswered")


@dataclass(frozen=True, slots=True)
class Statements:
    """What to ask for the Dashboard, of the facts or of their sums; `nth` counts the days of the period from 1."""

    totals: str
    per_day: str
    backlog_closed: str
    backlog_unanswered: str


async def dashboard(view: Snapshot, frame: Frame, statements: Statements | None = None) -> dict[str, Any]:
    """The Dashboard as `api.md` shapes it: totals, every day of the period, and each day on backlog.

    From the facts, unless other `statements` are given.
    """
    asked = statements or OF_FACTS
    per_day = {row.pop("nth"): row for row in await view.all(asked.per_day, frame.parameters())}
    backlog = await backlog_of(view, frame, statements=asked)
    days = frame.period.days
    return {
        "totals": await view.one(asked.totals, frame.parameters()),
        "days": [
            {"day": day.isoformat(), **(per_day.get(nth) or dict.fromkeys(FIGURES, 0))}
            for nth, day in enumerate(days, start=1)
        ],
        "backlog": [{"day": day.isoformat(), **figures} for day, figures in zip(days, backlog, strict=True)],
    }


async def backlog_of(
    view: Snapshot, frame: Frame, opened_since: datetime | None = None, statements: Statements | None = None
) -> list[dict[str, int]]:
    """Each day on backlog, in order; `opened_since` leaves out requests opened earlier (identity D3)."""
    parameters = {**frame.parameters(), "opened_since": opened_since}
    asked = statements or OF_FACTS
    closed = {row.pop("nth"): row for row in await view.all(asked.backlog_closed, parameters)}
    unanswered = {row["nth"]: row["unanswered"] for row in await view.all(asked.backlog_unanswered, parameters)}
    nothing = {"served": 0, "recalled": 0, "flushed": 0}
    return [
        {**(closed.get(nth) or nothing), "unanswered": unanswered.get(nth, 0)}
        for nth in range(1, len(frame.period.days) + 1)
    ]


async def open_at_the_ends(view: Snapshot, frame: Frame) -> list[int]:
    """Requests open at the end of each day: opened by then and not closed before it (identities D4, R6)."""
    return [row["open"] for row in await view.all(OPEN_AT_THE_ENDS, frame.parameters())]


_BY_OUTCOME = """
    count(*)::int AS total,
    (count(*) FILTER (WHERE closed_at < eod AND closed_by = 'served'))::int AS served,
    (count(*) FILTER (WHERE closed_at < eod AND closed_by = 'recalled'))::int AS recalled,
    (count(*) FILTER (WHERE closed_at < eod AND closed_by IN ('flushed', 'aged', 'erased')))::int AS flushed,
    (count(*) FILTER (WHERE (closed_at < eod) IS NOT TRUE AND (tried_at[1] < eod) IS TRUE))::int AS unanswered,
    (count(*) FILTER (WHERE (closed_at < eod) IS NOT TRUE AND (tried_at[1] < eod) IS NOT TRUE))::int AS unhandled
"""

TOTALS = (
    "WITH"
    + KNOWN_REQUESTS
    + ", opened AS (SELECT *, %(eod)s::timestamptz AS eod FROM known"
    + "    WHERE opened_at >= %(starting)s AND opened_at < %(ending)s)"
    + "SELECT"
    + _BY_OUTCOME
    + "FROM opened"
)
"""Totals: requests opened in the period, by outcome as of `eod` of its last day."""

PER_DAY = (
    "WITH"
    + KNOWN_REQUESTS
    + """
, numbered AS (
    SELECT *, width_bucket(opened_at, %(edges)s::timestamptz[]) AS nth FROM known
    WHERE opened_at >= %(starting)s AND opened_at < %(ending)s
), opened AS (
    SELECT *, (%(ends)s::timestamptz[])[nth] AS eod FROM numbered
)
SELECT nth,
"""
    + _BY_OUTCOME
    + "FROM opened GROUP BY nth"
)
"""Per day d: requests opened on d, by outcome as of `eod(d)`."""

BACKLOG_CLOSED = (
    "WITH"
    + KNOWN_REQUESTS
    + """
, closed AS (
    SELECT *, width_bucket(closed_at, %(edges)s::timestamptz[]) AS nth FROM known
    WHERE closed_at >= %(starting)s AND closed_at < %(eod)s
      AND (%(opened_since)s::timestamptz IS NULL OR opened_at >= %(opened_since)s::timestamptz)
)
SELECT nth,
    (count(*) FILTER (WHERE closed_by = 'served'))::int AS served,
    (count(*) FILTER (WHERE closed_by = 'recalled'))::int AS recalled,
    (count(*) FILTER (WHERE closed_by IN ('flushed', 'aged', 'erased')))::int AS flushed
FROM closed
WHERE opened_at < (%(edges)s::timestamptz[])[nth]
GROUP BY nth
"""
)
"""Per day d on backlog: requests opened before d and open at its start: served, recalled, flushed on d."""

BACKLOG_UNANSWERED = (
    "WITH"
    + KNOWN_REQUESTS
    + """
, tried AS (
    SELECT DISTINCT caller, request_id, opened_at, closed_at,
        width_bucket(started, %(edges)s::timestamptz[]) AS nth
    FROM known, unnest(tried_at) AS started
    -- What was tried in the period was open then: this much an index can find.
    WHERE opened_at < %(eod)s AND coalesce(closed_at, 'infinity') >= %(starting)s
      AND started >= %(starting)s AND started < %(eod)s
      AND (%(opened_since)s::timestamptz IS NULL OR opened_at >= %(opened_since)s::timestamptz)
)
SELECT nth, count(*)::int AS unanswered
FROM tried
WHERE opened_at < (%(edges)s::timestamptz[])[nth]
  AND (closed_at < (%(ends)s::timestamptz[])[nth]) IS NOT TRUE
GROUP BY nth
"""
)
"""Per day d on backlog: unanswered = open at `eod(d)` with at least one recall tried on d."""

OF_FACTS = Statements(TOTALS, PER_DAY, BACKLOG_CLOSED, BACKLOG_UNANSWERED)

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
