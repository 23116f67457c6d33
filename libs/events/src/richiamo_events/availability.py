"""Is this a good moment to call? Now lies around the time of day at which the customer last called.

Mission 3: within N minutes of that time of day in the site's zone, across midnight too; while the site is open
(decision 0011).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from richiamo_events.settings import SiteSettings

_DAY = timedelta(days=1)


def availability(last_call: datetime, now: datetime, settings: SiteSettings) -> dict[str, object]:
    """`{"now": bool, "from": "HH:MM", "to": "HH:MM"}` by the wall clock of the site."""
    zone = settings.zone
    called = time_of_day(last_call, zone)
    apart = (time_of_day(now, zone) - called) % _DAY
    around = timedelta(minutes=settings.availability_minutes)
    return {
        "now": min(apart, _DAY - apart) <= around and settings.opening.at(now.astimezone(zone)),
        "from": _clock(called - around),
        "to": _clock(called + around),
    }


def time_of_day(instant: datetime, zone: ZoneInfo) -> timedelta:
    """How long after midnight by the wall clock of the zone, to the second."""
    local = instant.astimezone(zone)
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)


def _clock(time_of_day: timedelta) -> str:
    minutes = int((time_of_day % _DAY).total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
