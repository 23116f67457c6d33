"""How does a request behind a figure look from outside? The item of `GET /requests`, with outcome and closing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from richiamo_events.availability import availability
from richiamo_events.crm_link import crm_link
from richiamo_events.ids import CallId
from richiamo_events.settings import SiteSettings
from richiamo_kit.logging import masked
from richiamo_reporting.questions import User


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
        "availability": availability(row["last_call"], now, settings),
        "link": crm_link(
            settings.link_template,
            {
                "callernum": shown,
                "extenNum": user.extension,
                "queueName": row["queue"],
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
