"""Which requests are behind a figure that disagrees with another? Both sides of an identity, request by request."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from richiamo_reporting.behind.query import all_requests_behind, condition_of
from richiamo_reporting.dashboard.query import OUTCOMES
from richiamo_reporting.frame import Filters, Frame, Snapshot

CLOSED = ("served", "recalled", "flushed")
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Term:
    """One figure of a side: its requests count `times`, of the day in question or of one `before` it.

    `each_day` adds up the days of the period; `opened_inside` leaves out requests opened before it.
    """

    report: str
    figure: str
    times: int = 1
    before: int = 0
    each_day: bool = False
    opened_inside: bool = False


def _of_the_board(*figures: str, times: int = 1, each_day: bool = False) -> list[Term]:
    return [Term("dashboard", figure, times, each_day=each_day) for figure in figures]


_ON_BACKLOG = [Term("dashboard", f"backlog_{outcome}", -1) for outcome in CLOSED]
_SIDES: Mapping[str, tuple[Sequence[Term], Sequence[Term]]] = {
    "D1": (_of_the_board("total"), _of_the_board(*OUTCOMES)),
    "D2": (_of_the_board("total"), _of_the_board("total", each_day=True)),
    "D4": (
        [Term("check", "open")],
        [Term("check", "open", before=1), *_of_the_board("total"), *_of_the_board(*CLOSED, times=-1), *_ON_BACKLOG],
    ),
    "R1": ([Term("day", "total_requests")], _of_the_board("total")),
    "R2": ([Term("day", "requests_to_handle")], _of_the_board("unanswered", "unhandled")),
    "R3": ([Term("day", "requests_recalled")], _of_the_board("recalled", "backlog_recalled")),
    "R4": ([Term("day", "total_calls")], [Term("historical", "missed_calls")]),
    "R5": ([Term("day", "total_callers")], [Term("historical", "callers")]),
    "R6": ([Term("day", "backlog_requests"), Term("day", "requests_to_handle")], [Term("check", "open")]),
    "R7": ([Term("day", "backlog_recalled_today")], _of_the_board("backlog_recalled")),
    "C1": (
        [Term("check", "last_of_day")],
        [Term("code-caller", "numbers_answered"), Term("code-caller", "numbers_not_answered")],
    ),
    "C2": (
        [Term("code-caller", "numbers_not_answered")],
        [Term("code-caller", name) for name in ("recalled_reached", "recalled_not_reached", "not_recalled")],
    ),
}


def _sides(identity: str, detail: str) -> tuple[Sequence[Term], Sequence[Term]]:
    """The figures on both sides; of D3 and S `detail` says which figure it is."""
    if identity == "D3":
        days = [
            Term("dashboard", detail, each_day=True),
            Term("dashboard", f"backlog_{detail}", each_day=True, opened_inside=True),
        ]
        return _of_the_board(detail), days
    if identity == "S":
        report, _, figure = detail.partition(" ")
        return ([Term(report, figure)], []) if condition_of(report, figure) else ([], [])
    return _SIDES.get(identity, ((), ()))


async def suspects(
    view: Snapshot, frame: Frame, identity: str, on: date | None, *, detail: str = "", queue: str | None = None
) -> tuple[str, ...]:
    """The requests by which the two sides of an identity differ, at most twenty; of S those behind the figure.

    `on` is the day in question, None for the period; `queue` the one of which Code Caller spoke.
    """
    if queue is not None:
        frame = Frame(frame.period, Filters((queue,), frame.filters.types))
    sides = [await _behind(view, frame, side, on) for side in _sides(identity, detail)]
    left, right = sides
    return tuple(sorted(one for one in left.keys() | right.keys() if left[one] != right[one]))[:_NAMED]


async def _behind(view: Snapshot, frame: Frame, side: Sequence[Term], on: date | None) -> Counter[str]:
    found: Counter[str] = Counter()
    begins = frame.parameters()["starting"]
    for term in side:
        condition = condition_of(term.report, term.figure)
        assert condition is not None
        for over in _spans(frame, term, on):
            async for rows in all_requests_behind(view, over, condition, size=1000):
                for row in rows:
                    if not term.opened_inside or row["opened_at"] >= begins:
                        found[row["request_id"]] += term.times
    return found


def _spans(frame: Frame, term: Term, on: date | None) -> list[Frame]:
    if on is not None:
        day = on - timedelta(days=term.before)
        return [frame.over(day, day)]
    return [frame.over(day, day) for day in frame.period.days] if term.each_day else [frame]
