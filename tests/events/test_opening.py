"""Are opening hours read as a person means them?"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from richiamo_events.opening import Opening, read_opening
from richiamo_events.settings import SiteSettings, validate

MONDAY = datetime(2026, 3, 2, tzinfo=ZoneInfo("Europe/Rome"))
WEEK = "mon-fri 09:00-13:00 14:00-18:00; sat 9:00-12:00"


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (0, "08:59", False),
        (0, "09:00", True),
        (0, "12:59", True),
        (0, "13:00", False),
        (4, "17:59", True),
        (4, "18:00", False),
        (5, "10:00", True),
        (5, "14:30", False),
        (6, "10:00", False),
    ],
)
def test_the_hours_of_each_day(day: int, clock: str, *, expected: bool) -> None:
    hour, minute = map(int, clock.split(":"))
    assert read_opening(WEEK).at(MONDAY.replace(day=2 + day, hour=hour, minute=minute)) is expected


@pytest.mark.parametrize(
    "same",
    [
        "lun-ven 09:00-13:00 14:00-18:00; sab 09:00-12:00",
        "Lunedì-Venerdì 9.00–13.00, 14.00–18.00 ; Sabato 09:00-12:00",
        "mon,tue,wed-fri 14:00-18:00 09:00-13:00; sat 09:00-12:00;",
    ],
)
def test_other_ways_to_write_it(same: str) -> None:
    assert read_opening(same) == read_opening(WEEK)


def test_a_week_that_begins_on_a_friday_and_a_whole_day() -> None:
    assert [bool(day) for day in read_opening("fri-mon 0:00-24:00").days] == [
        True,
        False,
        False,
        False,
        True,
        True,
        True,
    ]


def test_the_hours_of_a_day_as_a_page_shows_them() -> None:
    week = read_opening(WEEK)
    assert [week.on(MONDAY.replace(day=day)) for day in (2, 7, 8)] == ["09:00–13:00, 14:00–18:00", "09:00–12:00", ""]
    assert Opening().on(MONDAY) is None


def test_nothing_means_always_and_so_does_a_text_of_earlier_versions() -> None:
    assert read_opening(" ") == Opening()
    assert SiteSettings(opening_hours="weekdays, mostly").opening == Opening()
    assert Opening().at(MONDAY)


@pytest.mark.parametrize(
    "text", ["mon", "09:00-18:00", "mon 18:00-09:00", "mon 9-18", "lunch 09:00-10:00", "mon 9:00-24:01"]
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(text: str) -> None:
    assert set(validate({"opening_hours": text})) == {"opening_hours"}


@given(st.text(max_size=60))
def test_no_text_does_harm(text: str) -> None:
    validate({"opening_hours": text})
