"""Do the reports agree with themselves and with one another? The identities of `reports.md`, in words where they break."""

from collections.abc import Iterator, Sequence
from typing import Any

Report = dict[str, Any]

_OUTCOMES = ("served", "recalled", "flushed", "unanswered", "unhandled")
_CLOSED = ("served", "recalled", "flushed")


def broken(dashboard: Report, historical: Report, code_caller: Report, days: Sequence[Report]) -> Iterator[str]:
    """Every identity that does not hold over a period, naming the day.

    `dashboard`, `historical` and `code_caller` cover the same consecutive days as `days`, each of which is the
    answer of the day report with its `day`.
    """
    yield from _dashboard_alone(dashboard)
    for today, told, backlog, history in zip(
        dashboard["days"], days, dashboard["backlog"], historical["days"], strict=True
    ):
        missed = sum(
            row["missed_calls"]
            for queue in code_caller["queues"]
            for row in queue["days"]
            if row["day"] == today["day"]
        )
        yield from _across(today, told, backlog, history, missed)
    yield from _open_requests(dashboard, days)
    for queue in code_caller["queues"]:
        for row in queue["days"]:
            yield from _code_caller(queue["queue"], row)


def _dashboard_alone(dashboard: Report) -> Iterator[str]:
    for name, row in [("the period", dashboard["totals"]), *((row["day"], row) for row in dashboard["days"])]:
        parts = sum(row[outcome] for outcome in _OUTCOMES)
        yield from _same("D1", name, "total", row["total"], "sum of the outcomes", parts)
    opened = sum(row["total"] for row in dashboard["days"])
    yield from _same("D2", "the period", "total", dashboard["totals"]["total"], "sum of the days", opened)


def _across(today: Report, told: Report, backlog: Report, history: Report, missed: int) -> Iterator[str]:
    day, now, before = today["day"], told["today"], told["backlog"]
    yield from _same("R1", day, "requests of the day", now["total_requests"], "dashboard total", today["total"])
    left = today["unanswered"] + today["unhandled"]
    yield from _same("R2", day, "requests to handle", now["requests_to_handle"], "unanswered + unhandled", left)
    recalled = today["recalled"] + backlog["recalled"]
    yield from _same("R3", day, "requests recalled", now["requests_recalled"], "recalled of day and backlog", recalled)
    yield from _same("R4", day, "total calls", now["total_calls"], "storico", history["missed_calls"])
    yield from _same("R4", day, "total calls", now["total_calls"], "code caller", missed)
    yield from _same("R5", day, "total callers", now["total_callers"], "storico", history["callers"])
    handled = now["handled_callers"] + now["not_handled_callers"]
    yield from _same("R5", day, "total callers", now["total_callers"], "handled + not handled", handled)
    yield from _same("R7", day, "backlog recalled today", before["recalled_today"], "dashboard", backlog["recalled"])


def _open_requests(dashboard: Report, days: Sequence[Report]) -> Iterator[str]:
    """D4 and R6: what is open in the evening is what was open, plus the opened, minus the closed."""
    evening: int | None = None
    for row, backlog, told in zip(dashboard["days"], dashboard["backlog"], days, strict=True):
        still = told["backlog"]["requests"] + told["today"]["requests_to_handle"]
        if evening is not None:
            closed = sum(row[outcome] + backlog[outcome] for outcome in _CLOSED)
            yield from _same("D4", row["day"], "open at the end", still, "carried", evening + row["total"] - closed)
        evening = still


def _code_caller(queue: str, row: Report) -> Iterator[str]:
    where = f"{row['day']}, {queue}"
    parts = row["numbers_answered"] + row["numbers_not_answered"]
    yield from _same("C1", where, "numbers", row["numbers"], "answered + never answered", parts)
    ends = row["recalled_reached"] + row["recalled_not_reached"] + row["not_recalled"]
    yield from _same("C2", where, "never answered", row["numbers_not_answered"], "sum of its three parts", ends)


def _same(  # noqa: PLR0917 - one sentence, in its order
    identity: str, where: str, one: str, left: int, other: str, right: int
) -> Iterator[str]:
    if left != right:
        yield f"{identity}, {where}: {one} is {left}, but {other} is {right}."
