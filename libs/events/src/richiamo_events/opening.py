"""When does the site call back? Its opening hours, as a person writes them.

`mon-fri 09:00-13:00 14:00-18:00; sat 09:00-12:00`: days in English or Italian, several with a comma, `;` between
parts. Decision 0011: outside of them no moment is a good one to call; no figure depends on them.
"""

import re
from dataclasses import dataclass
from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKS = (
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
)
_NUMBER = {name: at for week in _WEEKS for at, day in enumerate(week) for name in (day, day.replace("ì", "i"), day[:3])}
_TIMES = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)-([01]?\d|2[0-4])[:.]([0-5]\d)")
_LONGEST_DAY = 24 * 60

Span = tuple[int, int]
"""Minutes since midnight: the first, and the first that is closed again."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The hours of each day from Monday; no day at all: always open."""

    days: tuple[tuple[Span, ...], ...] = ()

    def at(self, local: datetime) -> bool:
        """Whether the site is open at this instant of its own clock."""
        if not self.days:
            return True
        minute = local.hour * 60 + local.minute
        return any(first <= minute < last for first, last in self.days[local.weekday()])

    def on(self, local: datetime) -> str | None:
        """The hours of a day, `09:00–13:00, 14:00–18:00`; empty when closed, None when always open."""
        if not self.days:
            return None
        return ", ".join(f"{_clock(first)}–{_clock(last)}" for first, last in self.days[local.weekday()])

    def by_day(self) -> dict[str, list[list[int]]]:
        """The same for JSON, by `mon` to `sun`; empty: always open."""
        return {name: [list(span) for span in spans] for name, spans in zip(DAYS, self.days, strict=False)}


def read_opening(text: str) -> Opening:
    """The hours in a text; an empty one means always. Raises `ValueError` with a sentence."""
    days: list[list[Span]] = [[] for _ in DAYS]
    for part in (part.strip().lower() for part in text.split(";")):
        if not part:
            continue
        named, _, times = part.replace("–", "-").partition(" ")
        spans = [_span(one) for one in times.replace(",", " ").split()]
        if not spans:
            raise ValueError(f"{part!r}: say when, such as mon-fri 09:00-18:00.")
        for day in (day for name in named.split(",") for day in _days(name)):
            days[day].extend(spans)
    return Opening(tuple(tuple(sorted(day)) for day in days)) if any(days) else Opening()


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _days(named: str) -> list[int]:
    first, to, last = named.partition("-")
    if first not in _NUMBER or (to and last not in _NUMBER):
        raise ValueError(f"{named!r} is no day: write mon-fri or lun-ven.")
    begin = _NUMBER[first]
    end = _NUMBER[last] if to else begin
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _span(text: str) -> Span:
    found = _TIMES.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} are no hours: write them like 09:00-18:00.")
    first, last = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if not first < last <= _LONGEST_DAY:
        raise ValueError(f"{text!r}: the end must come after the beginning, at 24:00 at the latest.")
    return first, last
