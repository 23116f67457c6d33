# ruff: noqa: S608 - worked examples put together from constants of ours.
"""Which questions do analysts ask most, and how are they put in SQL so that the answer is that of the pages?

Each is a worked example of `docs/bi.md`; a test runs every one and compares it with the report it names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Worked:
    """A question, the report and figures that answer it on the pages, and the same in SQL."""

    question: str
    report: str
    query: str


_DAYS = "BETWEEN DATE '2026-03-02' AND DATE '2026-03-04'"

QUESTIONS = (
    Worked(
        "What became of the requests opened on each day, as it stood at the day's end?",
        "Dashboard, requests opened on the day",
        f"""SELECT d.local_date, count(r.request_id) AS total,
    count(*) FILTER (WHERE r.closed_at < d.ends_at AND r.closed_by = 'served') AS served,
    count(*) FILTER (WHERE r.closed_at < d.ends_at AND r.closed_by = 'recalled') AS recalled,
    count(*) FILTER (WHERE r.closed_at < d.ends_at AND r.closed_by IN ('flushed', 'aged', 'erased')) AS flushed,
    count(r.request_id) FILTER (WHERE (r.closed_at < d.ends_at) IS NOT TRUE AND r.first_recall_at < d.ends_at)
        AS unanswered,
    count(r.request_id) FILTER (WHERE (r.closed_at < d.ends_at) IS NOT TRUE
        AND (r.first_recall_at < d.ends_at) IS NOT TRUE) AS unhandled
FROM bi.dim_date AS d LEFT JOIN bi.fact_request AS r ON r.opened_date = d.local_date
WHERE d.local_date {_DAYS}
GROUP BY d.local_date ORDER BY d.local_date""",
    ),
    Worked(
        "And of all requests of the period, as it stood at the period's end?",
        "Dashboard, totals",
        f"""WITH period AS (SELECT max(ends_at) AS ends_at FROM bi.dim_date WHERE local_date {_DAYS})
SELECT count(*) AS total,
    count(*) FILTER (WHERE closed_at < ends_at AND closed_by = 'served') AS served,
    count(*) FILTER (WHERE closed_at < ends_at AND closed_by = 'recalled') AS recalled,
    count(*) FILTER (WHERE closed_at < ends_at AND closed_by IN ('flushed', 'aged', 'erased')) AS flushed,
    count(*) FILTER (WHERE (closed_at < ends_at) IS NOT TRUE AND first_recall_at < ends_at) AS unanswered,
    count(*) FILTER (WHERE (closed_at < ends_at) IS NOT TRUE AND (first_recall_at < ends_at) IS NOT TRUE)
        AS unhandled
FROM bi.fact_request, period WHERE opened_date {_DAYS}""",
    ),
    Worked(
        "How many requests of earlier days were closed on each day, and how?",
        "Dashboard, backlog",
        f"""SELECT d.local_date,
    count(*) FILTER (WHERE r.closed_by = 'served') AS served,
    count(*) FILTER (WHERE r.closed_by = 'recalled') AS recalled,
    count(*) FILTER (WHERE r.closed_by IN ('flushed', 'aged', 'erased')) AS flushed
FROM bi.dim_date AS d
LEFT JOIN bi.fact_request AS r ON r.closed_date = d.local_date AND r.opened_date < d.local_date
WHERE d.local_date {_DAYS}
GROUP BY d.local_date ORDER BY d.local_date""",
    ),
    Worked(
        "How many calls were missed on each day, and how many customers were they?",
        "Storico, missed calls and callers",
        f"""SELECT d.local_date, count(c.call_id) AS missed_calls, count(DISTINCT c.caller_id) AS callers
FROM bi.dim_date AS d LEFT JOIN bi.fact_missed_call AS c USING (local_date)
WHERE d.local_date {_DAYS}
GROUP BY d.local_date ORDER BY d.local_date""",
    ),
    Worked(
        "How many of the customers lost on each day have not been called back yet?",
        "Storico, not yet and recalled",
        f"""WITH callers AS (
    SELECT c.local_date, c.caller_id, bool_or(r.closed_at IS NULL) AS waits
    FROM bi.fact_missed_call AS c JOIN bi.fact_request AS r USING (caller_id, request_id)
    WHERE c.local_date {_DAYS}
    GROUP BY c.local_date, c.caller_id
)
SELECT d.local_date, count(*) FILTER (WHERE waits) AS not_yet, count(*) FILTER (WHERE NOT waits) AS recalled
FROM bi.dim_date AS d LEFT JOIN callers USING (local_date)
WHERE d.local_date {_DAYS}
GROUP BY d.local_date ORDER BY d.local_date""",
    ),
    Worked(
        "How many calls did each queue answer and miss on each day?",
        "Code Caller, answered and missed calls",
        f"""SELECT queue, local_date, answered_calls, missed_calls
FROM bi.fact_queue_day
WHERE local_date {_DAYS} AND answered_calls + missed_calls > 0
ORDER BY queue, local_date""",
    ),
    Worked(
        "Of the numbers that called each queue on each day, how many were answered at least once?",
        "Code Caller, numbers and numbers answered",
        f"""WITH called AS (
    SELECT queue, local_date, caller_id, false AS answered FROM bi.fact_missed_call
    UNION ALL SELECT queue, local_date, caller_id, true FROM bi.fact_served_call WHERE queue IS NOT NULL
), numbers AS (
    SELECT queue, local_date, caller_id, bool_or(answered) AS answered FROM called
    WHERE caller_id IS NOT NULL AND local_date {_DAYS}
    GROUP BY queue, local_date, caller_id
)
SELECT queue, local_date, count(*) AS numbers, count(*) FILTER (WHERE answered) AS numbers_answered
FROM numbers GROUP BY queue, local_date ORDER BY queue, local_date""",
    ),
    Worked(
        "How many requests did each day's recalls close, and how long had the customers waited for them?",
        "Report, requests recalled + backlog and mean time to recall",
        f"""SELECT d.local_date, count(r.request_id) AS requests_recalled, avg(r.seconds_to_recall) AS mean_seconds_to_recall
FROM bi.dim_date AS d
LEFT JOIN bi.fact_request AS r ON r.closed_date = d.local_date AND r.closed_by = 'recalled'
WHERE d.local_date {_DAYS}
GROUP BY d.local_date ORDER BY d.local_date""",
    ),
    Worked(
        "How long did the recalls talk that closed a request, each recall once?",
        "Report, mean bill seconds",
        f"""WITH recalls AS (
    SELECT DISTINCT closed_date, caller_id, closing_call_id, talk_seconds
    FROM bi.fact_request WHERE closed_by = 'recalled'
)
SELECT d.local_date, avg(r.talk_seconds) AS mean_bill_seconds
FROM bi.dim_date AS d LEFT JOIN recalls AS r ON r.closed_date = d.local_date
WHERE d.local_date {_DAYS}
GROUP BY d.local_date ORDER BY d.local_date""",
    ),
    Worked(
        "How much was left to handle at the end of each day, from that day and from the days before?",
        "Report, requests to handle and backlog requests and callers",
        f"""SELECT d.local_date,
    count(*) FILTER (WHERE r.opened_date = d.local_date) AS requests_to_handle,
    count(*) FILTER (WHERE r.opened_date < d.local_date) AS backlog_requests,
    count(DISTINCT r.caller_id) FILTER (WHERE r.opened_date < d.local_date) AS backlog_callers
FROM bi.dim_date AS d
LEFT JOIN bi.fact_request AS r ON r.opened_date <= d.local_date AND (r.closed_at < d.ends_at) IS NOT TRUE
WHERE d.local_date {_DAYS}
GROUP BY d.local_date ORDER BY d.local_date""",
    ),
)
