# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""Which requests are behind a figure of a report? As many as the figure says, or for a figure of calls or
callers the requests to which they belong.

Each condition is the figure's definition of `reports.md` once more, over one period: `starting` and `ending`
are its edges, `eod` the earlier of its end and `as_of`.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from psycopg.rows import DictRow

from richiamo_reporting.frame import KNOWN_REQUESTS, Frame, Snapshot

_OPENED = "opened_at >= %(starting)s AND opened_at < %(ending)s"
_OPEN = "coalesce(closed_at, 'infinity') >= %(eod)s"
_TRIED = "(tried_at[1] < %(eod)s) IS TRUE"
_OLDER = "opened_at < %(starting)s AND coalesce(closed_at, 'infinity') >= %(opening)s"
_CLOSED_NOW = "closed_at >= %(starting)s AND closed_at < %(eod)s"
_RECALLED_NOW = _CLOSED_NOW + " AND closed_by = 'recalled'"
_FLUSHED = "closed_by IN ('flushed', 'aged', 'erased')"
_STILL_OPEN = "opened_at < %(ending)s AND " + _OPEN
_FREE = "held_by IS NULL"
# Of a request that was opened before the period, a later call may lie in it.
_LOST = (
    "opened_at < %(ending)s AND last_call >= %(starting)s AND (opened_at >= %(starting)s OR EXISTS "
    "(SELECT FROM unnest(calls_at) AS lost_at WHERE lost_at >= %(starting)s AND lost_at < %(ending)s))"
)
_LOST_CALLER = f"caller IN (SELECT caller FROM known WHERE {_LOST})"
_OPEN_NOW = "coalesce(closed_at, 'infinity') >= %(as_of)s"
_NO_OTHER = "NOT EXISTS (SELECT FROM {those} WHERE known.caller = seen.caller AND {condition})"
_CALLER_HANDLED = _NO_OTHER.format(those="known", condition=_STILL_OPEN)
_CALLER_WAITING = (
    f"{_STILL_OPEN} AND {_LOST_CALLER} AND {_NO_OTHER.format(those='known', condition=f'{_STILL_OPEN} AND {_TRIED}')}"
)
_CALLER_DONE = _NO_OTHER.format(those="known", condition=f"{_LOST} AND {_OPEN_NOW}")
# As a value, not as a join: how few the requests are that it leaves, PostgreSQL cannot know.
_LAST = "((caller, request_id) IN (SELECT caller, request_id FROM last_of_day WHERE {answered})) IS TRUE"
_NEVER = _LAST.replace("{answered}", "NOT answered")
_REACHED = "(closed_at < %(as_of)s AND closed_by = 'recalled') IS TRUE"
_TRIED_NOW = "(tried_at[1] < %(as_of)s) IS TRUE"

_CONDITIONS: Mapping[str, Mapping[str, str]] = {
    "dashboard": {
        "total": _OPENED,
        "served": f"{_OPENED} AND NOT ({_OPEN}) AND closed_by = 'served'",
        "recalled": f"{_OPENED} AND NOT ({_OPEN}) AND closed_by = 'recalled'",
        "flushed": f"{_OPENED} AND NOT ({_OPEN}) AND {_FLUSHED}",
        "unanswered": f"{_OPENED} AND {_OPEN} AND {_TRIED}",
        "unhandled": f"{_OPENED} AND {_OPEN} AND NOT {_TRIED}",
        "backlog_served": f"{_OLDER} AND {_CLOSED_NOW} AND closed_by = 'served'",
        "backlog_recalled": f"{_OLDER} AND {_RECALLED_NOW}",
        "backlog_flushed": f"{_OLDER} AND {_CLOSED_NOW} AND {_FLUSHED}",
        "backlog_unanswered": f"{_OLDER} AND {_OPEN} AND EXISTS (SELECT FROM unnest(tried_at) AS started "
        "WHERE started >= %(starting)s AND started < %(eod)s)",
    },
    "day": {
        "total_calls": _LOST,
        "total_callers": _LOST,
        "handled_callers": f"{_LOST} AND {_CALLER_HANDLED}",
        "not_handled_callers": f"{_STILL_OPEN} AND {_LOST_CALLER}",
        "total_requests": _OPENED,
        "requests_recalled": _RECALLED_NOW,
        "mean_bill_seconds": _RECALLED_NOW,
        "mean_seconds_to_recall": _RECALLED_NOW,
        "requests_to_handle": f"{_OPENED} AND {_OPEN}",
        "requests_to_handle_pct": f"{_OPENED} AND {_OPEN}",
        "unreserved_to_handle": f"{_OPENED} AND {_OPEN} AND {_FREE}",
        "unreserved_to_handle_pct": f"{_OPENED} AND {_OPEN} AND {_FREE}",
        "callers_not_contacted": _CALLER_WAITING,
        "backlog_calls": f"{_OLDER} AND {_OPEN}",
        "backlog_requests": f"{_OLDER} AND {_OPEN}",
        "backlog_callers": f"{_OLDER} AND {_OPEN}",
        "backlog_recalled_today": f"{_OLDER} AND {_RECALLED_NOW}",
        "backlog_unreserved": f"{_OLDER} AND {_OPEN} AND {_FREE}",
        "backlog_unreserved_pct": f"{_OLDER} AND {_OPEN} AND {_FREE}",
    },
    "code-caller": {
        "missed_calls": _LOST,
        "numbers": _LOST,
        "numbers_answered": _LAST.replace("{answered}", "answered"),
        "numbers_not_answered": _NEVER,
        "recalled_reached": f"{_NEVER} AND {_REACHED}",
        "recalled_not_reached": f"{_NEVER} AND NOT {_REACHED} AND {_TRIED_NOW}",
        "not_recalled": f"{_NEVER} AND NOT {_REACHED} AND NOT {_TRIED_NOW}",
    },
    # What no page shows, but the identities speak of.
    "check": {"open": _STILL_OPEN, "last_of_day": _LAST.replace("{answered}", "true")},
    "historical": {
        "callers": _LOST,
        "recalled": f"{_LOST} AND {_CALLER_DONE}",
        "not_yet": f"{_LOST} AND {_OPEN_NOW}",
        "missed_calls": _LOST,
    },
}


def condition_of(report: str, figure: str) -> str | None:
    """The SQL condition of a figure; None when the report has none of that name.

    Figures of the backlog are `backlog_recalled` or `backlog.recalled`; those that only the backlog has are
    also known without that word, and the day's own with `today.` or `totals.` before them.
    """
    conditions = _CONDITIONS.get(report, {})
    name = figure.replace(".", "_").replace("-", "_").removeprefix("today_").removeprefix("totals_")
    name = name.removeprefix("days_")
    return conditions.get(name) or conditions.get(f"backlog_{name}")


async def requests_behind(
    view: Snapshot, frame: Frame, condition: str, *, limit: int, offset: int
) -> tuple[list[DictRow], int]:
    """A page of the requests and how many there are in all, in the order of their opening."""
    parameters: dict[str, Any] = {**frame.parameters(), "limit": limit, "offset": offset}
    rows = await view.all(_QUERY.replace("{condition}", condition), parameters)
    return rows, await how_many(view, frame, condition)


async def how_many(view: Snapshot, frame: Frame, condition: str) -> int:
    """How many requests there are in all."""
    total: int = (await view.one(_COUNT.replace("{condition}", condition), frame.parameters()))["total"]
    return total


def all_requests_behind(view: Snapshot, frame: Frame, condition: str, *, size: int) -> AsyncIterator[list[DictRow]]:
    """All of them in the same order, `size` at a time."""
    parameters: dict[str, Any] = {**frame.parameters(), "limit": None, "offset": 0}
    return view.pages(_QUERY.replace("{condition}", condition), parameters, size)


_SEEN = (
    "WITH"
    # Every condition speaks of requests that were open some time in the period: this much an index can find.
    + KNOWN_REQUESTS.replace(
        "FROM request\n    WHERE",
        "FROM request\n    WHERE opened_at < %(ending)s AND coalesce(closed_at, 'infinity') >= %(opening)s AND",
    )
    + """
, lost AS NOT MATERIALIZED (
    SELECT caller, request_id, queue, opened_at, width_bucket(lost_at, %(edges)s::timestamptz[]) AS nth
    FROM known, unnest(calls_at) AS lost_at
    WHERE last_call >= %(starting)s AND lost_at >= %(starting)s AND lost_at < %(ending)s
), answered AS NOT MATERIALIZED (
    SELECT *, width_bucket(called_at, %(edges)s::timestamptz[]) AS nth FROM served_call
    WHERE recorded_from <= %(recorded)s AND recorded_to > %(recorded)s AND caller <> '' AND queue IS NOT NULL
      AND called_at >= %(starting)s AND called_at < %(ending)s
), last_of_day AS (
    SELECT DISTINCT ON (queue, nth, caller) caller, request_id,
        (caller, queue, nth) IN (SELECT caller, queue, nth FROM answered) AS answered
    FROM lost
    ORDER BY queue, nth, caller, opened_at DESC, request_id COLLATE "C" DESC
), held AS (
    SELECT DISTINCT ON (caller) caller, operator, reserved_at, expires_at, assigned_by FROM reservation
    WHERE recorded_from < %(eod)s AND recorded_to >= %(eod)s
    ORDER BY caller, recorded_from DESC
), hidden AS (
    SELECT DISTINCT ON (caller) caller, hidden_until, reason FROM hiding
    WHERE recorded_from < %(eod)s AND recorded_to >= %(eod)s AND hidden_until > %(instant)s
    ORDER BY caller, recorded_from DESC
), seen AS (
    SELECT known.caller, request_id, queue, type, called, source, account_code, opened_at, last_call, calls_at,
        tried_at, closed_at, closed_by, held.operator AS held_by, held.reserved_at, held.expires_at, held.assigned_by,
        hidden.hidden_until, hidden.reason AS hidden_reason,
        CASE WHEN closed_at < %(eod)s THEN CASE WHEN closed_by IN ('aged', 'erased') THEN 'flushed' ELSE closed_by END
             WHEN tried_at[1] < %(eod)s THEN 'unanswered' ELSE 'unhandled' END AS outcome
    FROM known LEFT JOIN held USING (caller) LEFT JOIN hidden USING (caller)
)
"""
)
# Added to nothing, so that the index of this order is not walked from the first request of all.
_QUERY = (
    _SEEN
    + "SELECT * FROM seen WHERE {condition} "
    + "ORDER BY opened_at + interval '0', request_id LIMIT %(limit)s OFFSET %(offset)s"
)
_COUNT = _SEEN + "SELECT count(*)::int AS total FROM seen WHERE {condition}"
