# ruff: noqa: S608 - these statements are put together from constants of ours; values are parameters.
"""What does the Dashboard ask of the sums of the days? The same as of the facts, in a thousandth of the rows."""

from richiamo_reporting.dashboard.facts import Statements

_CHOSEN = """
    (%(queues)s::text[] IS NULL OR queue = ANY(%(queues)s::text[]))
    AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s::text[]))
"""
# Of requests opened on a day, `eod` is the day at whose end they are looked at.
_BY_OUTCOME = """
    coalesce(sum(n), 0)::int AS total,
    coalesce(sum(n) FILTER (WHERE closed_on <= {eod} AND closed_by = 'served'), 0)::int AS served,
    coalesce(sum(n) FILTER (WHERE closed_on <= {eod} AND closed_by = 'recalled'), 0)::int AS recalled,
    coalesce(sum(n) FILTER (WHERE closed_on <= {eod} AND closed_by IN ('flushed', 'aged', 'erased')), 0)::int AS flushed,
    coalesce(sum(n) FILTER (WHERE closed_on > {eod} AND tried_on <= {eod}), 0)::int AS unanswered,
    coalesce(sum(n) FILTER (WHERE closed_on > {eod} AND tried_on > {eod}), 0)::int AS unhandled
"""
_OPENED = " FROM daily_requests WHERE opened_on BETWEEN %(first)s AND %(last)s AND" + _CHOSEN

OF_SUMS = Statements(
    totals="SELECT" + _BY_OUTCOME.replace("{eod}", "%(eod_on)s") + _OPENED,
    per_day="SELECT opened_on - %(first)s::date + 1 AS nth,"
    + _BY_OUTCOME.replace("{eod}", "opened_on")
    + _OPENED
    + "GROUP BY opened_on",
    backlog_closed="""
SELECT closed_on - %(first)s::date + 1 AS nth,
    coalesce(sum(n) FILTER (WHERE closed_by = 'served'), 0)::int AS served,
    coalesce(sum(n) FILTER (WHERE closed_by = 'recalled'), 0)::int AS recalled,
    coalesce(sum(n) FILTER (WHERE closed_by IN ('flushed', 'aged', 'erased')), 0)::int AS flushed
FROM daily_requests WHERE closed_on BETWEEN %(first)s AND %(last)s AND opened_on < closed_on AND"""
    + _CHOSEN
    + "GROUP BY closed_on",
    backlog_unanswered="SELECT day - %(first)s::date + 1 AS nth, sum(n)::int AS unanswered FROM daily_tried "
    "WHERE day BETWEEN %(first)s AND %(last)s AND" + _CHOSEN + "GROUP BY day",
)
