# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""How many customers were lost on each day, and how many of them are not called back yet?

`reports.md`, Report Storico: per day, distinct callers with a missed call, split into *not yet* (a request
with a missed call of that day is open as of `as_of`) and *recalled* (the rest: called back, served or closed);
missed calls, withheld included.
"""

from collections.abc import Sequence
from typing import Any

from richiamo_reporting.daily.query import Part
from richiamo_reporting.frame import LOST_CALLS, Snapshot

FIGURES = ("callers", "recalled", "not_yet", "missed_calls", "called_back", "served", "closed")


async def historical(
    view: Snapshot, parts: Sequence[Part], *, min_callers: int | None = None, max_callers: int | None = None
) -> dict[str, Any]:
    """The report as `api.md` shapes it; the two limits keep only days whose `callers` lies within them.

    `called_back`, `served` and `closed` split `recalled` by how each caller's last closed request of that
    day ended. The sums know no types.
    """
    days: list[dict[str, Any]] = []
    for part in parts:
        asked = PER_DAY_OF_SUMS if part.summed and part.frame.filters.types is None else PER_DAY
        found = {row.pop("nth"): row for row in await view.all(asked, part.frame.parameters())}
        days += [
            {"day": day.isoformat(), **(found.get(nth) or dict.fromkeys(FIGURES, 0))}
            for nth, day in enumerate(part.frame.period.days, start=1)
        ]
    return {
        "days": [
            day
            for day in days
            if (min_callers is None or day["callers"] >= min_callers)
            and (max_callers is None or day["callers"] <= max_callers)
        ]
    }


PER_DAY = (
    "WITH"
    + LOST_CALLS
    + """
, judged AS (
    -- Of each caller and day the request that counts: one still open before all, else the last one closed.
    SELECT DISTINCT ON (lost.nth, lost.caller) lost.nth, lost.caller,
        (home.closed_at < %(as_of)s) IS NOT TRUE AS is_open, home.closed_by
    FROM lost LEFT JOIN request AS home
        ON home.caller = lost.caller AND home.request_id = lost.request_id
        AND home.recorded_from <= %(recorded)s AND home.recorded_to > %(recorded)s
    WHERE lost.caller <> ''
    ORDER BY lost.nth, lost.caller, (home.closed_at < %(as_of)s) IS NOT TRUE DESC,
        home.closed_at DESC NULLS LAST, home.request_id COLLATE "C" DESC
), callers AS (
    SELECT nth,
        count(*)::int AS callers,
        (count(*) FILTER (WHERE NOT is_open))::int AS recalled,
        (count(*) FILTER (WHERE is_open))::int AS not_yet,
        (count(*) FILTER (WHERE NOT is_open AND closed_by = 'recalled'))::int AS called_back,
        (count(*) FILTER (WHERE NOT is_open AND closed_by = 'served'))::int AS served,
        (count(*) FILTER (WHERE NOT is_open AND closed_by IN ('flushed', 'aged', 'erased')))::int AS closed
    FROM judged GROUP BY nth
), calls AS (
    SELECT nth, count(*)::int AS missed_calls FROM lost GROUP BY nth
)
SELECT nth, coalesce(callers, 0) AS callers, coalesce(recalled, 0) AS recalled, coalesce(not_yet, 0) AS not_yet,
    missed_calls, coalesce(called_back, 0) AS called_back, coalesce(served, 0) AS served, coalesce(closed, 0) AS closed
FROM calls LEFT JOIN callers USING (nth)
"""
)

PER_DAY_OF_SUMS = """
WITH stood AS (
    -- Of the queues that may be seen, the one that counts most.
    SELECT day, n, CASE WHEN %(queues)s::text[] IS NULL THEN stood #>> '{0,1}' ELSE (
        SELECT pair ->> 1 FROM jsonb_array_elements(stood) WITH ORDINALITY AS each (pair, place)
        WHERE pair ->> 0 = ANY(%(queues)s::text[]) ORDER BY place LIMIT 1
    ) END AS outcome
    FROM daily_callers WHERE day BETWEEN %(first)s AND %(last)s
), callers AS (
    SELECT day,
        sum(n)::int AS callers,
        coalesce(sum(n) FILTER (WHERE outcome <> 'open'), 0)::int AS recalled,
        coalesce(sum(n) FILTER (WHERE outcome = 'open'), 0)::int AS not_yet,
        coalesce(sum(n) FILTER (WHERE outcome = 'called_back'), 0)::int AS called_back,
        coalesce(sum(n) FILTER (WHERE outcome = 'served'), 0)::int AS served,
        coalesce(sum(n) FILTER (WHERE outcome = 'closed'), 0)::int AS closed
    FROM stood WHERE outcome IS NOT NULL GROUP BY day
), calls AS (
    SELECT day, sum(n)::int AS missed_calls FROM daily_queues
    WHERE day BETWEEN %(first)s AND %(last)s AND figure = 'missed_calls'
      AND (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
    GROUP BY day
)
SELECT day - %(first)s::date + 1 AS nth, coalesce(callers, 0) AS callers, coalesce(recalled, 0) AS recalled,
    coalesce(not_yet, 0) AS not_yet, missed_calls, coalesce(called_back, 0) AS called_back, coalesce(served, 0) AS served,
    coalesce(closed, 0) AS closed
FROM calls LEFT JOIN callers USING (day)
"""
