"""How does a request behind a figure look from outside? The item of `GET /requests`, with outcome and closing."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from richiamo_events.ids import CallId
from richiamo_events.settings import SiteSettings
from richiamo_kit.logging import masked
from richiamo_reporting.questions import User

_DAY = timedelta(days=1)
_PLACEHOLDER = re.compile(r"<(\w+)>")


def item(
    row: Mapping[str, Any],
    *,
    number: str,
    user: User,
    names: Mapping[str, str],
    settings: SiteSettings,
    now: datetime,
) -> dict[str, object]:
    """One request as the user may see it; `names` are those of the operators by username."""
    zone = settings.zone
    shown = masked(number) if user.masked and number else number
    held_by = row["held_by"] if row["outcome"] in {"unanswered", "unhandled"} else None
    name = names.get(held_by, held_by) if held_by else None
    late_at = row["opened_at"] + timedelta(hours=settings.age_limit_hours) if row["closed_at"] is None else None
    return {
        "request_id": row["request_id"],
        "caller_id": row["caller"],
        "number": shown,
        "called": row["called"],
        "queue": row["queue"],
        "type": row["type"],
        "source": row["source"],
        "account_code": row["account_code"],
        "calls": len(row["calls_at"]),
        "recalled": len(row["tried_at"]),
        "first_call": _shown(row["opened_at"], zone),
        "overdue_at": _shown(late_at, zone),
        "overdue": late_at is not None and late_at <= now,
        "last_call": _shown(row["last_call"], zone),
        "last_recall": _shown(row["tried_at"][-1] if row["tried_at"] else None, zone),
        "reserved_by": name if settings.operators_as_numbers and held_by != user.username else held_by,
        "reserved_by_name": name,
        "reserved_at": _shown(row["reserved_at"] if held_by else None, zone),
        "expires_at": _shown(row["expires_at"] if held_by else None, zone),
        "hidden_until": _shown(row["hidden_until"], zone),
        "hidden_reason": row["hidden_reason"],
        "availability": _availability(row["last_call"], now, settings),
        "link": _link(
            settings.link_template,
            {
                "callernum": shown,
                "extennum": user.extension,
                "queuename": row["queue"],
                "uid": CallId.parse(row["request_id"]).unique_id,
                "called": row["called"],
            },
        ),
        "outcome": row["outcome"],
        "closed_at": _shown(row["closed_at"], zone),
        "closed_by": row["closed_by"],
    }


def _shown(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return None if instant is None else instant.astimezone(zone).isoformat()


def _availability(last_call: datetime, now: datetime, settings: SiteSettings) -> dict[str, object]:
    """Now lies within so many minutes of the time of day of the last call, across midnight too (mission 3), while the
    site is open (decision 0011).
    """
    zone = settings.zone
    called, present = _time_of_day(last_call, zone), _time_of_day(now, zone)
    apart, around = (present - called) % _DAY, timedelta(minutes=settings.availability_minutes)
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


def _link(template: str, values: Mapping[str, str]) -> str | None:
    """The link template with its placeholders filled in, URL-encoded; None without a template."""
    if not template:
        return None
    return _PLACEHOLDER.sub(lambda found: quote(values.get(found[1].lower(), ""), safe=""), template)
