"""Is a good moment one at which somebody is there to call?"""

from datetime import UTC, datetime, timedelta

import pytest

from richiamo_events.availability import availability
from richiamo_events.settings import SiteSettings

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
YESTERDAY = MONDAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("", True),
        ("mon-fri 09:00-18:00", True),
        ("mon 09:00-09:59", False),
        ("tue-sun 00:00-24:00", False),
        ("in the morning", True),
    ],
)
def test_outside_the_opening_hours_no_moment_is_good(hours: str, *, expected: bool) -> None:
    """It is ten on Monday in Rome, and the customer called at ten on Sunday."""
    told = availability(YESTERDAY, MONDAY, SiteSettings(opening_hours=hours))
    assert told == {"now": expected, "from": "09:30", "to": "10:30"}
