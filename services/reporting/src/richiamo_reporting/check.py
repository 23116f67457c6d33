"""Do the figures agree with one another? The identities D, C and R of `reports.md`, over every day of a period."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from richiamo_reporting.behind.query import condition_of, requests_behind
from richiamo_reporting.code_caller.query import code_caller
from richiamo_reporting.dashboard.query import OUTCOMES, backlog_of, dashboard, open_at_the_ends
from richiamo_reporting.day.query import day
from richiamo_reporting.frame import Frame, Snapshot
from richiamo_reporting.historical.query import historical

_CLOSED = ("served", "recalled", "flushed")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Breach:
    """Two figures that should be equal and are not; `day` is None for the period as a whole."""

    identity: str
    day: date | None
    left: int
    right: int
    requests: tuple[str, ...] = ()
    """Requests that are behind one side and not behind the other, as far as both have any."""

    def __str__(self) -> str:
        when = "the period" if self.day is None else self.day.isoformat()
        named = f"; requests {', '.join(self.requests)}" if self.requests else ""
        return f"{self.identity} does not hold for {when}: {self.left} is not {self.right}{named}"


_LOOKED_AT = 10_000
_NAMED = 20
_BY_OUTCOME = tuple(("dashboard", outcome) for outcome in OUTCOMES)
_SIDES: Mapping[str, tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]]] = {
    "D1": ([("dashboard", "total")], _BY_OUTCOME),
    "R1": ([("day", "total_requests")], [("dashboard", "total")]),
    "R2": ([("day", "requests_to_handle")], [("dashboard", "unanswered"), ("dashboard", "unhandled")]),
    "R3": ([("day", "requests_recalled")], [("dashboard", "recalled"), ("dashboard", "backlog_recalled")]),
    "R4": ([("day", "total_calls")], [("historical", "missed_calls")]),
    "R5": ([("day", "total_callers")], [("historical", "callers")]),
    "R7": ([("day", "backlog_recalled_today")], [("dashboard", "backlog_recalled")]),
    "C2": (
        [("code-caller", "numbers_not_answered")],
        [("code-caller", name) for name in ("recalled_reached", "recalled_not_reached", "not_recalled")],
    ),
}
"""The figures on both sides of an identity, for those that have requests behind them."""

Claim = tuple[str, date | None, int, int]


async def breaches(view: Snapshot, frame: Frame) -> list[Breach]:
    """Every identity that does not hold; empty when the reports reconcile."""
    days = frame.period.days
    board = await dashboard(view, frame)
    since = frame.parameters()["starting"]
    inside = await backlog_of(view, frame, opened_since=since)
    before = frame.over(frame.period.first - timedelta(days=1), frame.period.last)
    still_open = await open_at_the_ends(view, before)
    reports = [await day(view, frame, on) for on in days]
    storico = (await historical(view, frame))["days"]
    queues = (await code_caller(view, frame))["queues"]
    claims = [
        *_of_the_dashboard(days, board, inside, still_open),
        *_across(days, board, reports, (storico, queues), still_open),
        *_of_code_caller(days, queues),
    ]
    return [
        Breach(*claim, requests=await _suspects(view, frame, claim[0], claim[1]))
        for claim in claims
        if claim[2] != claim[3]
    ]


async def _suspects(view: Snapshot, frame: Frame, identity: str, on: date | None) -> tuple[str, ...]:
    """The requests by which the two sides of an identity differ, at most twenty."""
    left, right = _SIDES.get(identity.partition(" ")[0], ((), ()))
    over = frame if on is None else frame.over(on, on)
    behind: list[Counter[str]] = []
    for side in (left, right):
        found: Counter[str] = Counter()
        for report, figure in side:
            condition = condition_of(report, figure)
            assert condition is not None
            rows, _ = await requests_behind(view, over, condition, limit=_LOOKED_AT, offset=0)
            found.update(row["request_id"] for row in rows)
        behind.append(found)
    differing = (behind[0] - behind[1]) | (behind[1] - behind[0])
    return tuple(sorted(differing))[:_NAMED]


def _of_the_dashboard(
    days: Sequence[date], board: Row, inside: Sequence[Mapping[str, int]], still_open: Sequence[int]
) -> Iterator[Claim]:
    totals, per_day, backlog = board["totals"], board["days"], board["backlog"]
    yield "D1", None, totals["total"], sum(totals[outcome] for outcome in OUTCOMES)
    yield "D2", None, totals["total"], sum(row["total"] for row in per_day)
    for outcome in _CLOSED:
        on_days = sum(row[outcome] for row in per_day) + sum(row[outcome] for row in inside)
        yield f"D3 ({outcome})", None, totals[outcome], on_days
    for nth, on in enumerate(days):
        row = per_day[nth]
        yield "D1", on, row["total"], sum(row[outcome] for outcome in OUTCOMES)
        closed = sum(row[outcome] + backlog[nth][outcome] for outcome in _CLOSED)
        yield "D4", on, still_open[nth + 1], still_open[nth] + row["total"] - closed


def _across(
    days: Sequence[date],
    board: Row,
    reports: Sequence[Row],
    others: tuple[Sequence[Row], Sequence[Row]],
    still_open: Sequence[int],
) -> Iterator[Claim]:
    storico, queues = others
    for nth, on in enumerate(days):
        per_day, on_backlog = board["days"][nth], board["backlog"][nth]
        today, left = reports[nth]["today"], reports[nth]["backlog"]
        yield "R1", on, today["total_requests"], per_day["total"]
        yield "R2", on, today["requests_to_handle"], per_day["unanswered"] + per_day["unhandled"]
        yield "R3", on, today["requests_recalled"], per_day["recalled"] + on_backlog["recalled"]
        yield "R4 (storico)", on, today["total_calls"], storico[nth]["missed_calls"]
        by_queue = sum(queue["days"][nth]["missed_calls"] for queue in queues)
        yield "R4 (code caller)", on, today["total_calls"], by_queue
        yield "R5 (storico)", on, today["total_callers"], storico[nth]["callers"]
        yield "R5", on, today["total_callers"], today["handled_callers"] + today["not_handled_callers"]
        yield "R6", on, left["requests"] + today["requests_to_handle"], still_open[nth + 1]
        yield "R7", on, left["recalled_today"], on_backlog["recalled"]


def _of_code_caller(days: Sequence[date], queues: Sequence[Row]) -> Iterator[Claim]:
    for queue in queues:
        for on, row in zip(days, queue["days"], strict=True):
            name = queue["queue"]
            yield f"C1 ({name})", on, row["numbers"], row["numbers_answered"] + row["numbers_not_answered"]
            judged = row["recalled_reached"] + row["recalled_not_reached"] + row["not_recalled"]
            yield f"C2 ({name})", on, row["numbers_not_answered"], judged
