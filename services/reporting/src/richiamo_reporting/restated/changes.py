"""By how much does one event change figures of days that had settled? A pure function of a caller's rows.

`reports.md`, "History that arrives late": a day is restated when a fact changes it more than `settle_minutes`
after its end. Counted are the calls of the day and the requests opened on it, or closed or tried on it as
backlog. What is left open on the days between follows from these and is not counted again.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from richiamo_reporting.facts.derive import Rows, Values
from richiamo_reporting.facts.tables import MISSED_CALL, REQUEST, SERVED_CALL, Table
from richiamo_reporting.frame import start_of

OUTCOMES = ("served", "recalled", "flushed", "unanswered")
FIGURES = (
    "answered_calls",
    "missed_calls",
    "total",
    *OUTCOMES,
    "unhandled",
    *(f"backlog_{outcome}" for outcome in OUTCOMES),
)

Change = tuple[date, str, str, str]
"""Site day, queue, type, figure; answered calls have no type."""


def settled_before(recorded_at: datetime, settle_minutes: int, zone: ZoneInfo) -> datetime:
    """The start of the first day that may still change unmarked: all days before it ended long enough ago."""
    return start_of((recorded_at - timedelta(minutes=settle_minutes)).astimezone(zone).date(), zone)


def changes(before: Rows, after: Rows, settled: datetime, zone: ZoneInfo) -> Counter[Change]:
    """What the step from `before` to `after` adds to each figure of each day that ended by `settled`."""
    found: Counter[Change] = Counter()
    for rows, other, by in ((before, after, -1), (after, before, 1)):
        for key, values in rows.items():
            if other.get(key) != values:
                for change in _counted(key[0], values, settled, zone):
                    found[change] += by
    return Counter({change: by for change, by in found.items() if by})


def _counted(table: Table, values: Values, settled: datetime, zone: ZoneInfo) -> Iterator[Change]:
    row: dict[str, Any] = dict(zip((name for name, _ in table.columns), values, strict=True))
    match table:
        case _ if table is REQUEST:
            yield from _request(row, settled, zone)
        case _ if table is MISSED_CALL and row["called_at"] < settled:
            yield _day(row["called_at"], zone), row["queue"], row["type"], "missed_calls"
        case _ if table is SERVED_CALL and row["queue"] is not None and row["called_at"] < settled:
            yield _day(row["called_at"], zone), row["queue"], "", "answered_calls"
        case _:
            return


def _request(row: dict[str, Any], settled: datetime, zone: ZoneInfo) -> Iterator[Change]:
    opened, closed, queue, kind = row["opened_at"], row["closed_at"], row["queue"], row["type"]
    how = "flushed" if row["closed_by"] in {"aged", "erased"} else row["closed_by"]
    instants = [opened, *row["tried_at"], *([closed] if closed else [])]
    for on in sorted({_day(at, zone) for at in instants if at < settled}):
        starts, ends = start_of(on, zone), start_of(on + timedelta(days=1), zone)
        shut = closed is not None and closed < ends
        if opened >= starts:
            yield on, queue, kind, "total"
            if shut:
                yield on, queue, kind, how
            else:
                yield on, queue, kind, "unanswered" if any(at < ends for at in row["tried_at"]) else "unhandled"
        elif shut and closed >= starts:
            yield on, queue, kind, f"backlog_{how}"
        elif not shut and any(starts <= at < ends for at in row["tried_at"]):
            yield on, queue, kind, "backlog_unanswered"


def _day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
