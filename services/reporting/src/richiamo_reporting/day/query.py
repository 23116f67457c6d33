# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""How does a day stand as of its end, or as of now, and what is left from the days before?

Every definition is that of `reports.md`, "Report of today and of any past day, as of `eod(d)`"; each is
quoted beside its figure below.
"""

from datetime import date
from fractions import Fraction
from typing import Any

from richiamo_reporting.frame import KNOWN_REQUESTS, LOST_CALLS, Frame, Snapshot, share


async def day(view: Snapshot, frame: Frame, on: date) -> dict[str, Any]:
    """The report of the site day `on`, as `api.md` shapes it; the frame's own days do not matter."""
    parameters = frame.over(on, on).parameters()
    found = await view.one(TODAY, parameters)
    left = await view.one(BACKLOG, parameters)
    requests, callers = found["total_requests"], found["total_callers"]
    return {
        "today": {
            "total_calls": found["total_calls"],
            "total_callers": callers,
            "handled_callers": callers - found["not_handled_callers"],
            "not_handled_callers": found["not_handled_callers"],
            "total_requests": requests,
            "requests_recalled": found["requests_recalled"],
            "mean_bill_seconds": _mean(found["bill_seconds"], found["recalls"]),
            "mean_seconds_to_recall": _mean(found["seconds_to_recall"], found["requests_recalled"]),
            "requests_to_handle": found["requests_to_handle"],
            "requests_to_handle_pct": share(found["requests_to_handle"], requests),
            "unreserved_to_handle": found["unreserved_to_handle"],
            "unreserved_to_handle_pct": share(found["unreserved_to_handle"], requests),
            "callers_not_contacted": found["callers_not_contacted"],
        },
        "backlog": {**left, "unreserved_pct": share(left["unreserved"], left["requests"])},
    }


def _mean(total: Any, count: int) -> float | None:
    """The mean of exact numbers, rounded once, at the end; of nothing there is none."""
    return float(Fraction(total) / count) if count else None


HELD = """
, held AS (
    SELECT DISTINCT caller FROM reservation WHERE recorded_from < %(eod)s AND recorded_to >= %(eod)s
)
"""
"""Callers with a reservation at `eod`: reservations are the log's own, valid from event to event."""

TODAY = (
    "WITH"
    + KNOWN_REQUESTS
    + ","
    + LOST_CALLS
    + HELD
    + """
, opened AS (
    SELECT caller, coalesce(closed_at, 'infinity') >= %(eod)s AS still_open FROM known
    WHERE opened_at >= %(starting)s AND opened_at < %(ending)s
), recalled AS (
    SELECT * FROM known WHERE closed_by = 'recalled' AND closed_at >= %(starting)s AND closed_at < %(eod)s
), lost_callers AS (
    SELECT DISTINCT caller FROM lost WHERE caller <> ''
), waiting AS (
    -- Of those, who has a request open, and whether any of theirs has had a recall tried.
    SELECT caller, bool_or((tried_at[1] < %(eod)s) IS TRUE) AS tried FROM lost_callers JOIN known USING (caller)
    WHERE opened_at < %(ending)s AND coalesce(closed_at, 'infinity') >= %(eod)s
    GROUP BY caller
)
SELECT
    -- Missed calls on d, withheld included; answered calls are not in it.
    (SELECT count(*)::int FROM lost) AS total_calls,
    -- Distinct callers of those, withheld excluded.
    (SELECT count(*)::int FROM lost_callers) AS total_callers,
    -- Of those, callers with a request open; the others are handled.
    (SELECT count(*)::int FROM waiting) AS not_handled_callers,
    -- Requests opened on d.
    (SELECT count(*)::int FROM opened) AS total_requests,
    -- Requests, opened on d or before, closed on d by a successful recall.
    (SELECT count(*)::int FROM recalled) AS requests_recalled,
    -- Talk seconds of the recalls answered on d that closed at least one request, each recall once.
    (SELECT coalesce(sum(talk_seconds), 0) FROM (SELECT DISTINCT caller, closing_call, talk_seconds FROM recalled) AS r)
        AS bill_seconds,
    (SELECT count(*)::int FROM (SELECT DISTINCT caller, closing_call FROM recalled) AS r) AS recalls,
    -- Answer of the successful recall - first missed call, over the requests recalled on d.
    (SELECT coalesce(sum(extract(epoch FROM closed_at - opened_at)), 0) FROM recalled) AS seconds_to_recall,
    -- Requests opened on d and still open.
    (SELECT count(*)::int FROM opened WHERE still_open) AS requests_to_handle,
    -- Requests to handle whose caller has no reservation.
    (SELECT count(*)::int FROM opened WHERE still_open AND caller NOT IN (SELECT caller FROM held))
        AS unreserved_to_handle,
    -- Of total callers, those with a request open at eod(d), none of whose open requests has had a recall tried.
    (SELECT count(*)::int FROM waiting WHERE NOT tried) AS callers_not_contacted
"""
)

BACKLOG = (
    "WITH"
    + KNOWN_REQUESTS
    + HELD
    + """
, older AS (
    -- Opened before d, open at its start.
    SELECT * FROM known WHERE opened_at < %(starting)s AND coalesce(closed_at, 'infinity') >= %(opening)s
), still AS (
    SELECT * FROM older WHERE coalesce(closed_at, 'infinity') >= %(eod)s
)
SELECT
    -- All missed calls until eod(d) of those requests, those of d included.
    (SELECT count(*)::int FROM still, unnest(calls_at) AS missed_at WHERE missed_at < %(eod)s) AS calls,
    (SELECT count(*)::int FROM still) AS requests,
    (SELECT count(DISTINCT caller)::int FROM still) AS callers,
    -- Requests recalled on d.
    (SELECT count(*)::int FROM older
     WHERE closed_by = 'recalled' AND closed_at >= %(starting)s AND closed_at < %(eod)s) AS recalled_today,
    (SELECT count(*)::int FROM still WHERE caller NOT IN (SELECT caller FROM held)) AS unreserved
"""
)
