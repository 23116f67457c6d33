"""Is this a good moment to call? Now lies around the time of day at which the customer last called.

`domain.md` and mission 3: within N minutes of that time of day in the site's zone, across midnight too; while the site
is open (decision 0011).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from richiamo_events.settings import SiteSettings

_DAY = timedelta(days=1)


def availability(last_call: datetime, now: datetime, settings: SiteSettings) -> dict[str, object]:
    """`{"now": bool, "from": "HH:MM", "to": "HH:MM"}` by the wall clock of the site."""
    zone = settings.zone
    called = _time_of_day(last_call, zone)
    apart = (_time_of_day(now, zone) - called) % _DAY
    around = timedelta(minutes=settings.availability_minutes)
    return {
        "now": min(apart, _DAY - apart) <= around and settings.opening.at(now.astimezone(zone)),
        "from": _clock(called - around),
        "to": _clock(called + around),
    }


def _time_of_day(instant: datetime, zone: ZoneInfo) -> timedelta:
    local = instant.astimezone(zone)
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)


def _clock(time_of_day: timedelta) -> str:
    minutes = int((time_of_day % _DAY).total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


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
        "second": int(_time_of_day(now, zone).total_seconds()),
        "around": min(minutes, 720) * 60,
        "zone": zone.key,
    }
