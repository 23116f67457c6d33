"""Whose good moment to call comes first? The list in the order of `richiamo_events.availability`."""

from datetime import datetime
from zoneinfo import ZoneInfo

from richiamo_events.availability import time_of_day

SORT_SQL = """(
    SELECT CASE WHEN least(mod(86400 + %(second)s - rang, 86400), mod(86400 + rang - %(second)s, 86400))
                     <= %(around)s THEN 0
                ELSE mod(2 * 86400 + rang - %(around)s - %(second)s, 86400) END
    FROM (SELECT extract(epoch FROM (last_call AT TIME ZONE %(zone)s)::time)::integer AS rang) AS clock
)"""
"""Seconds until the good moment begins, 0 while it lasts: the order of the list by availability."""


def sort_parameters(now: datetime, zone: ZoneInfo, minutes: int) -> dict[str, object]:
    """What `SORT_SQL` needs."""
    return {
        "second": int(time_of_day(now, zone).total_seconds()),
        "around": min(minutes, 720) * 60,
        "zone": zone.key,
    }
