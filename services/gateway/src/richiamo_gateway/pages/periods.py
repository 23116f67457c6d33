"""Which days does a report show? Read from its address; the last seven days when it says nothing."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

USUAL_DAYS = 7
_LONGEST = 3700


@dataclass(frozen=True, slots=True)
class Period:
    """Site days, both included, and what else the report was asked for."""

    start: date
    end: date
    queue: str
    type: str

    @property
    def question(self) -> dict[str, object]:
        """The payload that all reports understand."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "queue": [self.queue] if self.queue else None,
            "type": [self.type] if self.type else None,
        }

    @property
    def before(self) -> "Period":
        """As many days just before, for comparison."""
        length = self.end - self.start + timedelta(days=1)
        return Period(self.start - length, self.end - length, self.queue, self.type)

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        pairs = [("from", self.start.isoformat()), ("to", self.end.isoformat())]
        pairs += [(name, value) for name, value in (("queue", self.queue), ("type", self.type)) if value]
        return urlencode(pairs)

    def last(self, days: int, today: date) -> str:
        """The query of the last so many days."""
        start = today - timedelta(days=days - 1)
        return Period(start, today, self.queue, self.type).query


def read_period(parameters: QueryParams, today: date) -> Period:
    """The period of an address; what cannot be read is left out, an upside-down range is turned."""
    end = _day(parameters.get("to")) or today
    start = _day(parameters.get("from")) or end - timedelta(days=USUAL_DAYS - 1)
    start, end = min(start, end), max(start, end)
    start = max(start, end - timedelta(days=_LONGEST))
    return Period(start, end, parameters.get("queue", "").strip()[:100], parameters.get("type", "").strip()[:100])


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
