"""How does a row look from outside? The items of `GET /requests` and `GET /callers`, exactly as `api.md`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from richiamo_events.availability import availability
from richiamo_events.crm_link import crm_link
from richiamo_events.ids import CallId
from richiamo_events.operators import Operators
from richiamo_events.settings import SiteSettings
from richiamo_queue.users import User


class Site(Protocol):
    """What the log says about the site now."""

    @property
    def settings(self) -> SiteSettings: ...

    @property
    def operators(self) -> Operators: ...


def shown_instant(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """ISO 8601 with the offset of the site's zone."""
    return None if instant is None else instant.astimezone(zone).isoformat()


def request_item(row: Mapping[str, Any], user: User, site: Site, now: datetime) -> dict[str, object]:
    """One request as the user may see it at `now`."""
    number = user.shown(row["number"])
    common = _common(row, user, site, now)
    return {
        "request_id": row["request_id"],
        "caller_id": row["caller_id"],
        "number": number,
        "called": row["called"],
        "queue": row["queue"],
        "type": row["type"],
        "source": row["source"],
        "account_code": row["account_code"],
        **common,
        "assigned_by": row["assigned_by"],
        "ends_at": shown_instant(row.get("ends_at"), site.settings.zone),
        "routing_only": row["routing_only"],
        "link": crm_link(
            site.settings.link_template,
            {
                "callernum": number,
                "extenNum": user.extension,
                "queueName": row["queue"],
                "uid": CallId.parse(row["request_id"]).unique_id,
                "called": row["called"],
            },
        ),
    }


def caller_item(row: Mapping[str, Any], user: User, site: Site, now: datetime) -> dict[str, object]:
    """One caller with all its open requests that the user may see."""
    return {
        "caller_id": row["caller_id"],
        "number": user.shown(row["number"]),
        "queues": row["queues"],
        "requests": row["requests"],
        **_common(row, user, site, now),
    }


def _common(row: Mapping[str, Any], user: User, site: Site, now: datetime) -> dict[str, object]:
    zone = site.settings.zone
    hidden = row["hidden_until"] is not None and row["hidden_until"] > now
    overdue_at = row["first_call"] + timedelta(hours=site.settings.age_limit_hours)
    return {
        "calls": row["calls"],
        "recalled": row["recalled"],
        "first_call": shown_instant(row["first_call"], zone),
        "overdue_at": shown_instant(overdue_at, zone),
        "overdue": overdue_at <= now,
        "last_call": shown_instant(row["last_call"], zone),
        "last_recall": shown_instant(row["last_recall"], zone),
        "reserved_by": row["reserved_by"],
        "reserved_by_name": site.operators.name_of(row["reserved_by"]) if row["reserved_by"] else None,
        "reserved_at": shown_instant(row["reserved_at"], zone),
        "expires_at": shown_instant(row["expires_at"], zone),
        "hidden_until": shown_instant(row["hidden_until"], zone) if hidden else None,
        "hidden_reason": row["hidden_reason"] if hidden else None,
        "calling_by": row["calling_by"],
        "calling_by_name": site.operators.name_of(row["calling_by"]) if row["calling_by"] else None,
        "calling_since": shown_instant(row["calling_since"], zone),
        "dial_id": row["dial"] if row["calling_by"] == user.username else None,
        "state": _state(row, hidden=hidden),
        "availability": availability(row["last_call"], now, site.settings),
    }


def _state(row: Mapping[str, Any], *, hidden: bool) -> str:
    if row["dial"] is not None:
        return "calling"
    if row["reserved_by"] is not None:
        return "reserved"
    return "hidden" if hidden else "free"
