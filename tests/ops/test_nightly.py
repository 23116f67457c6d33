"""Is the night found, whatever the clocks do, and is a breach found, said and measured?"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from richiamo_ops.nightly import next_night

ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-03-02T01:00+00:00", "2026-03-02T02:30+00:00"),
        ("2026-03-02T02:30+00:00", "2026-03-03T02:30+00:00"),
        ("2026-03-28T12:00+00:00", "2026-03-29T01:30+00:00"),
        ("2026-10-24T22:30+00:00", "2026-10-25T02:30+00:00"),
        ("2026-10-25T00:30+00:00", "2026-10-25T02:30+00:00"),
    ],
)
def test_the_night_is_half_past_three_on_the_sites_clock(now: str, night: str) -> None:
    found = next_night(datetime.fromisoformat(now), ROME)
    assert found == datetime.fromisoformat(night)
    assert found.tzinfo is UTC
