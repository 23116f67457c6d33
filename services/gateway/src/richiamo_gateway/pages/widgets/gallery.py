"""What can be put on a board? Every figure, table and chart, with the role that may see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from richiamo_events.figures import Words
from richiamo_gateway.auth.user import Role
from richiamo_gateway.boards.board import Size, Widget
from richiamo_gateway.pages.dashboard.routes import OUTCOMES
from richiamo_gateway.pages.language import N_, Language
from richiamo_kit.further_languages import figure

Kind = Literal["figure", "table", "chart"]
Source = Literal["summary", "day", "dashboard", "code_caller", "historical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Something a board can show. `part` and `name` say where in the answer of its source it stands."""

    kind: Kind
    source: Source
    part: str
    name: str
    label: str = ""
    meaning: str = ""
    role: Role = Role.SUPERVISOR
    size: Size = "S"

    def words(self, language: Language) -> Words:
        """What it is called, and what it means; a figure of a report is called as it is there."""
        if self.label:
            return Words(language(self.label), language(self.meaning))
        return figure(self.name, language.code, self.part if self.source == "day" else "")

    @property
    def has_period(self) -> bool:
        """Whether it looks back on a number of days."""
        return self.source in {"dashboard", "code_caller", "historical"}

    @property
    def has_queue(self) -> bool:
        return self.source in {"dashboard", "code_caller"}


def _figures(source: Source, part: str, names: Iterable[str]) -> dict[str, Piece]:
    return {f"{source}.{part}.{name}": Piece(kind="figure", source=source, part=part, name=name) for name in names}


_WORKLIST = {
    "requests": (N_("Requests to recall"), N_("Open requests that nobody has reserved.")),
    "callers": (N_("Customers to recall"), N_("Customers of the open requests that nobody has reserved.")),
    "mine": (N_("My reservations"), N_("Customers that you have reserved.")),
    "withheld_today": (N_("Withheld today"), N_("Missed calls of today without a number: nobody can be called back.")),
}

_TODAY = (
    "total_calls",
    "total_callers",
    "handled_callers",
    "not_handled_callers",
    "total_requests",
    "requests_recalled",
    "mean_bill_seconds",
    "mean_seconds_to_recall",
    "requests_to_handle",
    "requests_to_handle_pct",
    "unreserved_to_handle",
    "unreserved_to_handle_pct",
    "callers_not_contacted",
)
_BACKLOG = ("calls", "requests", "callers", "recalled_today", "unreserved", "unreserved_pct")

PIECES: dict[str, Piece] = {
    **{
        f"summary.now.{name}": Piece(
            kind="figure",
            source="summary",
            part="now",
            name=name,
            label=label,
            meaning=meaning,
            role=Role.OPERATOR,
        )
        for name, (label, meaning) in _WORKLIST.items()
    },
    **_figures("day", "today", _TODAY),
    **_figures("day", "backlog", _BACKLOG),
    **_figures("dashboard", "totals", ("total", *OUTCOMES)),
    "dashboard.chart": Piece(
        kind="chart",
        source="dashboard",
        part="days",
        name="columns",
        label=N_("Requests a day"),
        meaning=N_("Requests opened on each day, by what became of them."),
        size="L",
    ),
    "dashboard.days": Piece(
        kind="table",
        source="dashboard",
        part="days",
        name="days",
        label=N_("Requests opened on the day"),
        meaning=N_("Each day as it stood at its end."),
        size="M",
    ),
    "dashboard.backlog": Piece(
        kind="table",
        source="dashboard",
        part="backlog",
        name="days",
        label=N_("Backlog: opened before the day"),
        meaning=N_("What became on each day of the requests opened before it."),
        size="M",
    ),
    "code_caller.donut": Piece(
        kind="chart",
        source="code_caller",
        part="queues",
        name="donut",
        label=N_("Answered and missed"),
        meaning=N_("Calls that an operator answered, and calls that a queue lost."),
        size="M",
    ),
    "code_caller.columns": Piece(
        kind="chart",
        source="code_caller",
        part="queues",
        name="columns",
        label=N_("Answered and missed a day"),
        meaning=N_("Answered and missed calls of each day."),
        size="L",
    ),
    "code_caller.queues": Piece(
        kind="table",
        source="code_caller",
        part="queues",
        name="queues",
        label=N_("Answered and missed by queue"),
        meaning=N_("Answered and missed calls of each queue over the days."),
        size="M",
    ),
    "historical.callers": Piece(
        kind="chart",
        source="historical",
        part="days",
        name="callers",
        label=N_("Callers lost a day"),
        meaning=N_("Distinct callers with a missed call on each day: not yet settled, and the rest."),
        size="L",
    ),
    "historical.calls": Piece(
        kind="chart",
        source="historical",
        part="days",
        name="calls",
        label=N_("Missed calls a day"),
        meaning=N_("Missed calls of each day, withheld ones included."),
        size="M",
    ),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A board to begin with."""

    title: str
    role: Role
    pieces: tuple[str, ...]

    def widgets(self) -> tuple[Widget, ...]:
        return tuple(
            Widget(id=f"w{number}", what=what, size=PIECES[what].size)
            for number, what in enumerate(self.pieces, start=1)
        )


SUGGESTIONS = {
    "operator": Suggestion(
        N_("My day"),
        Role.OPERATOR,
        ("summary.now.requests", "summary.now.callers", "summary.now.mine", "summary.now.withheld_today"),
    ),
    "supervisor": Suggestion(
        N_("The shift"),
        Role.SUPERVISOR,
        (
            "summary.now.requests",
            "day.today.total_calls",
            "day.today.requests_to_handle",
            "day.today.unreserved_to_handle",
            "day.today.mean_seconds_to_recall",
            "day.backlog.requests",
            "dashboard.chart",
            "code_caller.queues",
            "dashboard.days",
        ),
    ),
    "wall": Suggestion(
        N_("The wall"),
        Role.SUPERVISOR,
        (
            "summary.now.requests",
            "day.today.requests_to_handle",
            "day.today.requests_recalled",
            "day.today.callers_not_contacted",
            "dashboard.chart",
        ),
    ),
}
