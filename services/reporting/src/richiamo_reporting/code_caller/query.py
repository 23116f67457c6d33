# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""How did each queue do, day by day: answered and missed calls, and the numbers behind them?

`reports.md`, Report Code Caller, days by the start of the call: answered calls (inbound, answered by an
operator on that queue), missed calls (of that queue), distinct numbers that called, numbers answered at least
once that day on that queue, numbers never answered; of these recalled and reached, recalled and not reached,
not recalled: as of `as_of`, judged on the number's last request on that queue with a missed call of that day.
Withheld calls count as calls, never as numbers.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from richiamo_reporting.daily.query import Part
from richiamo_reporting.frame import LOST_CALLS, Snapshot

FIGURES = (
    "answered_calls",
    "missed_calls",
    "numbers",
    "numbers_answered",
    "numbers_not_answered",
    "recalled_reached",
    "recalled_not_reached",
    "not_recalled",
)


async def code_caller(view: Snapshot, parts: Sequence[Part]) -> dict[str, Any]:
    """The report as `api.md` shapes it: every queue that had a call in the period or was asked for, every day.

    The sums know no types.
    """
    found: dict[str, dict[date, dict[str, int]]] = {queue: {} for queue in parts[0].frame.filters.queues or ()}
    for part in parts:
        asked = PER_QUEUE_AND_DAY_OF_SUMS if part.summed and part.frame.filters.types is None else PER_QUEUE_AND_DAY
        days = part.frame.period.days
        for row in await view.all(asked, part.frame.parameters()):
            found.setdefault(row.pop("queue"), {})[days[row.pop("nth") - 1]] = row
    every_day = [day for part in parts for day in part.frame.period.days]
    return {
        "queues": [
            {
                "queue": queue,
                "days": [
                    {"day": day.isoformat(), **(of_queue.get(day) or dict.fromkeys(FIGURES, 0))} for day in every_day
                ],
            }
            for queue, of_queue in sorted(found.items())
        ]
    }


PER_QUEUE_AND_DAY = (
    "WITH"
    # Read where they are used, so that a year is divided among the processors.
    + LOST_CALLS.replace("lost AS (", "lost AS NOT MATERIALIZED (")
    + """
, answered AS NOT MATERIALIZED (
    SELECT *, width_bucket(called_at, %(edges)s::timestamptz[]) AS nth FROM served_call
    WHERE recorded_from <= %(recorded)s AND recorded_to > %(recorded)s AND queue IS NOT NULL
      AND (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
      AND called_at >= %(starting)s AND called_at < %(ending)s
), calls AS (
    SELECT queue, nth, sum(was_answered)::int AS answered_calls, sum(was_lost)::int AS missed_calls
    FROM (
        SELECT queue, nth, 1 AS was_answered, 0 AS was_lost FROM answered
        UNION ALL
        SELECT queue, nth, 0, 1 FROM lost
    ) AS call
    GROUP BY queue, nth
), numbers AS (
    -- The greatest `judged` is that of the number's last request on that queue that has a missed call of that day.
    SELECT queue, nth, caller, bool_or(judged IS NULL) AS was_answered, right(max(judged), 1) AS stood
    FROM (
        SELECT queue, nth, caller, NULL AS judged FROM answered WHERE caller <> ''
        UNION ALL
        SELECT lost.queue, nth, caller, (
            -- Seconds of one width, then the request, then, after what sorts before all, how it stands.
            (extract(epoch FROM home.opened_at)::bigint + 100000000000)::text || request_id || chr(1) ||
            CASE WHEN (home.closed_at < %(as_of)s AND home.closed_by = 'recalled') IS TRUE THEN 'r'
                 WHEN (home.tried_at[1] < %(as_of)s) IS TRUE THEN 't' ELSE 'n' END
        ) COLLATE "C"
        FROM lost JOIN request AS home USING (caller, request_id)
        WHERE caller <> '' AND home.recorded_from <= %(recorded)s AND home.recorded_to > %(recorded)s
    ) AS call
    GROUP BY queue, nth, caller
), of_numbers AS (
    SELECT queue, nth,
        count(*)::int AS numbers,
        (count(*) FILTER (WHERE was_answered))::int AS numbers_answered,
        (count(*) FILTER (WHERE NOT was_answered))::int AS numbers_not_answered,
        (count(*) FILTER (WHERE NOT was_answered AND stood = 'r'))::int AS recalled_reached,
        (count(*) FILTER (WHERE NOT was_answered AND stood = 't'))::int AS recalled_not_reached,
        (count(*) FILTER (WHERE NOT was_answered AND stood = 'n'))::int AS not_recalled
    FROM numbers
    GROUP BY queue, nth
)
SELECT queue, nth, answered_calls, missed_calls,
    coalesce(numbers, 0) AS numbers, coalesce(numbers_answered, 0) AS numbers_answered,
    coalesce(numbers_not_answered, 0) AS numbers_not_answered, coalesce(recalled_reached, 0) AS recalled_reached,
    coalesce(recalled_not_reached, 0) AS recalled_not_reached, coalesce(not_recalled, 0) AS not_recalled
FROM calls LEFT JOIN of_numbers USING (queue, nth)
"""
)

PER_QUEUE_AND_DAY_OF_SUMS = (
    "SELECT queue, day - %(first)s::date + 1 AS nth, "
    + ", ".join(f"coalesce(sum(n) FILTER (WHERE figure = '{figure}'), 0)::int AS {figure}" for figure in FIGURES)
    + """
FROM daily_queues
WHERE day BETWEEN %(first)s AND %(last)s AND (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
GROUP BY queue, day
"""
)
