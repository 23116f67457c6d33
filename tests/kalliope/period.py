"""Which calls does a request for records mean? Days in the path, or hours in the body."""

import calendar
import re
from dataclasses import dataclass

from fastapi import HTTPException

_PATH = re.compile(r"(\d{4})(?:-(\d{4}))?(?:/(\d{2})(?:-(\d{2}))?(?:/(\d{2})(?:-(\d{2}))?)?)?")
_HOURS = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")


@dataclass(frozen=True, slots=True)
class Period:
    """From `begin` to `end`, both included, as texts in the PBX's local time, which sort as instants."""

    begin: str
    end: str

    def holds(self, start: str) -> bool:
        return self.begin <= start <= self.end


EVER = Period("0000-00-00 00:00:00", "9999-99-99 99:99:99")


def from_path(days: str) -> Period:
    """`2018`, `2018-2019`, `2018/05`, `2018/05-06/01-15`: from the first of all to the last of all."""
    if not days:
        return EVER
    found = _PATH.fullmatch(days)
    if found is None:
        raise HTTPException(404)
    year, to_year, month, to_month, day, to_day = found.groups()
    last_year = to_year or year
    last_month = to_month or month or "12"
    last_day = to_day or day or str(calendar.monthrange(int(last_year), int(last_month))[1])
    return Period(
        f"{year}-{month or '01'}-{day or '01'} 00:00:00",
        f"{last_year}-{last_month}-{last_day} 23:59:59",
    )


def from_body(begin: str, end: str) -> Period:
    if not _HOURS.fullmatch(begin) or not _HOURS.fullmatch(end):
        raise ValueError("not YYYY-MM-DD hh:mm:ss")
    return Period(begin, end)
