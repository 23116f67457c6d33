"""What do the answers of the reports look like? The figures of `reports.md`, for the OpenAPI document."""

from datetime import date, datetime

from pydantic import Field

from richiamo_gateway.api.models import RequestItem, Shape


class Outcomes(Shape):
    total: int
    served: int
    recalled: int
    flushed: int
    unanswered: int
    unhandled: int


class DayOutcomes(Outcomes):
    day: date


class DayBacklog(Shape):
    day: date
    served: int
    recalled: int
    flushed: int
    unanswered: int


class Restatement(Shape):
    """Late records that changed a settled day: one entry a run of them, an import of history as a whole."""

    first_at: datetime
    last_at: datetime
    changes: int
    kind: str = Field(description="Type of the first event of the entry")
    record: str = Field(description="Its call, as `pbx:unique_id`, or its flush")
    by: dict[str, int] = Field(description="What each figure grew or shrank by; `backlog_...` are those on backlog")


class RestatedDay(Shape):
    day: date
    entries: list[Restatement]


class Dashboard(Shape):
    totals: Outcomes
    days: list[DayOutcomes]
    backlog: list[DayBacklog]
    restated: list[RestatedDay] = Field(default_factory=list)


class DayFigures(Shape):
    total_calls: int
    total_callers: int
    handled_callers: int
    not_handled_callers: int
    total_requests: int
    requests_recalled: int
    mean_bill_seconds: float | None
    mean_seconds_to_recall: float | None
    requests_to_handle: int
    requests_to_handle_pct: float | None
    unreserved_to_handle: int
    unreserved_to_handle_pct: float | None
    callers_not_contacted: int


class BacklogFigures(Shape):
    calls: int
    requests: int
    callers: int
    recalled_today: int
    unreserved: int
    unreserved_pct: float | None


class DayReport(Shape):
    today: DayFigures
    backlog: BacklogFigures
    restated: list[RestatedDay] = Field(default_factory=list)


class QueueDay(Shape):
    day: date
    answered_calls: int
    missed_calls: int
    numbers: int
    numbers_answered: int
    numbers_not_answered: int
    recalled_reached: int
    recalled_not_reached: int
    not_recalled: int


class QueueDays(Shape):
    queue: str
    days: list[QueueDay]


class CodeCaller(Shape):
    queues: list[QueueDays]
    restated: list[RestatedDay] = Field(default_factory=list)


class HistoricalDay(Shape):
    day: date
    callers: int
    recalled: int
    not_yet: int
    missed_calls: int


class Historical(Shape):
    days: list[HistoricalDay]
    restated: list[RestatedDay] = Field(default_factory=list)


class FigureItem(RequestItem):
    outcome: str
    closed_at: datetime | None


class FigurePage(Shape):
    items: list[FigureItem]
