"""Do the figures agree with one another? The identities D, C and R of `reports.md`, over every day of a period.

S is ours: the sums of the days, from which the pages are read, say what the facts say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from richiamo_reporting.code_caller.query import FIGURES, code_caller
from richiamo_reporting.daily.query import Part, parts
from richiamo_reporting.dashboard.query import OUTCOMES, backlog_of, dashboard, open_at_the_ends
from richiamo_reporting.day.query import day
from richiamo_reporting.frame import Frame, Snapshot
from richiamo_reporting.historical.query import historical
from richiamo_reporting.suspects import CLOSED, suspects

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


@dataclass(frozen=True, slots=True)
class _Claim:
    """That two figures are equal; `detail` names them, `queue` whose they are."""

    identity: str
    day: date | None
    left: int
    right: int
    detail: str = ""
    queue: str | None = None

    @property
    def name(self) -> str:
        said = self.detail or self.queue
        return f"{self.identity} ({said})" if said is not None else self.identity


async def breaches(view: Snapshot, frame: Frame) -> list[Breach]:
    """Every identity that does not hold; empty when the reports reconcile."""
    days = frame.period.days
    facts = [Part(frame, summed=False)]
    board = await dashboard(view, facts)
    since = frame.parameters()["starting"]
    inside = await backlog_of(view, frame, opened_since=since)
    before = frame.over(frame.period.first - timedelta(days=1), frame.period.last)
    still_open = await open_at_the_ends(view, before)
    reports = [await day(view, frame, on) for on in days]
    storico = (await historical(view, facts))["days"]
    queues = (await code_caller(view, facts))["queues"]
    claims = [
        *_of_the_dashboard(days, board, inside, still_open),
        *_across(days, board, reports, (storico, queues), still_open),
        *_of_code_caller(days, queues),
    ]
    if (asked := await parts(view, frame)) != facts:
        of_sums = await dashboard(view, asked)
        claims += [
            *_of_sums("dashboard", days, board["days"], of_sums["days"]),
            *_of_sums("dashboard", days, board["backlog"], of_sums["backlog"], "backlog_"),
            *_of_sums("historical", days, storico, (await historical(view, asked))["days"]),
            *_of_summed_queues(days, queues, (await code_caller(view, asked))["queues"]),
        ]
    return [
        Breach(
            claim.name,
            claim.day,
            claim.left,
            claim.right,
            await suspects(view, frame, claim.identity, claim.day, detail=claim.detail, queue=claim.queue),
        )
        for claim in claims
        if claim.left != claim.right
    ]


def _of_the_dashboard(
    days: Sequence[date], board: Row, inside: Sequence[Mapping[str, int]], still_open: Sequence[int]
) -> Iterator[_Claim]:
    totals, per_day, backlog = board["totals"], board["days"], board["backlog"]
    yield _Claim("D1", None, totals["total"], sum(totals[outcome] for outcome in OUTCOMES))
    yield _Claim("D2", None, totals["total"], sum(row["total"] for row in per_day))
    for outcome in CLOSED:
        on_days = sum(row[outcome] for row in per_day) + sum(row[outcome] for row in inside)
        yield _Claim("D3", None, totals[outcome], on_days, outcome)
    for nth, on in enumerate(days):
        row = per_day[nth]
        yield _Claim("D1", on, row["total"], sum(row[outcome] for outcome in OUTCOMES))
        closed = sum(row[outcome] + backlog[nth][outcome] for outcome in CLOSED)
        yield _Claim("D4", on, still_open[nth + 1], still_open[nth] + row["total"] - closed)


def _across(
    days: Sequence[date],
    board: Row,
    reports: Sequence[Row],
    others: tuple[Sequence[Row], Sequence[Row]],
    still_open: Sequence[int],
) -> Iterator[_Claim]:
    storico, queues = others
    for nth, on in enumerate(days):
        per_day, on_backlog = board["days"][nth], board["backlog"][nth]
        today, left = reports[nth]["today"], reports[nth]["backlog"]
        yield _Claim("R1", on, today["total_requests"], per_day["total"])
        yield _Claim("R2", on, today["requests_to_handle"], per_day["unanswered"] + per_day["unhandled"])
        yield _Claim("R3", on, today["requests_recalled"], per_day["recalled"] + on_backlog["recalled"])
        yield _Claim("R4", on, today["total_calls"], storico[nth]["missed_calls"], "storico")
        by_queue = sum(queue["days"][nth]["missed_calls"] for queue in queues)
        yield _Claim("R4", on, today["total_calls"], by_queue, "code caller")
        yield _Claim("R5", on, today["total_callers"], storico[nth]["callers"], "storico")
        yield _Claim("R5", on, today["total_callers"], today["handled_callers"] + today["not_handled_callers"])
        yield _Claim("R6", on, left["requests"] + today["requests_to_handle"], still_open[nth + 1])
        yield _Claim("R7", on, left["recalled_today"], on_backlog["recalled"])


def _of_code_caller(days: Sequence[date], queues: Sequence[Row]) -> Iterator[_Claim]:
    for queue in queues:
        for on, row in zip(days, queue["days"], strict=True):
            name = queue["queue"]
            yield _Claim("C1", on, row["numbers"], row["numbers_answered"] + row["numbers_not_answered"], queue=name)
            judged = row["recalled_reached"] + row["recalled_not_reached"] + row["not_recalled"]
            yield _Claim("C2", on, row["numbers_not_answered"], judged, queue=name)


def _of_sums(
    report: str, days: Sequence[date], facts: Sequence[Row], sums: Sequence[Row], section: str = ""
) -> Iterator[_Claim]:
    """S: what the facts say, the sums of the days say too."""
    for on, fact, total in zip(days, facts, sums, strict=True):
        for figure in fact.keys() - {"day"}:
            yield _Claim("S", on, fact[figure], total[figure], f"{report} {section}{figure}")


def _of_summed_queues(days: Sequence[date], facts: Sequence[Row], sums: Sequence[Row]) -> Iterator[_Claim]:
    of_facts = {queue["queue"]: queue["days"] for queue in facts}
    of_sums = {queue["queue"]: queue["days"] for queue in sums}
    nothing = [dict.fromkeys(FIGURES, 0) for _ in days]
    for queue in of_facts.keys() | of_sums.keys():
        for on, fact, total in zip(days, of_facts.get(queue, nothing), of_sums.get(queue, nothing), strict=True):
            for figure in FIGURES:
                yield _Claim("S", on, fact[figure], total[figure], f"code-caller {figure}", queue)
