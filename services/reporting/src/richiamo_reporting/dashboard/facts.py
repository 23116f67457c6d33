# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""What does the Dashboard ask of the facts themselves? Its definitions, to the letter of `reports.md`."""

from dataclasses import dataclass

from richiamo_reporting.frame import KNOWN_REQUESTS


@dataclass(frozen=True, slots=True)
class Statements:
    """What to ask for the Dashboard, of the facts or of their sums; `nth` counts the days of the period from 1."""

    totals: str
    per_day: str
    backlog_closed: str
    backlog_unanswered: str


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
