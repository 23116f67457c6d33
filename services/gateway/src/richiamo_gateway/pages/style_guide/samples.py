"""Who appears in the style guide? A few customers and users that there are not; pure values in the shapes of the services."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Instant:
    """Now, on the site's clock."""

    now: datetime

    def ago(self, **span: float) -> str:
        return (self.now - timedelta(**span)).isoformat()

    def ahead(self, **span: float) -> str:
        return (self.now + timedelta(**span)).isoformat()

    def moment(self, minutes: int) -> dict[str, Any]:
        """The good moment that begins so many minutes from now."""
        start = self.now + timedelta(minutes=minutes)
        return {
            "now": minutes <= 0,
            "from": start.strftime("%H:%M"),
            "to": (start + 2 * _QUARTER).strftime("%H:%M"),
        }


def requests(at: Instant) -> list[dict[str, Any]]:
    """Rows of the list of numbers to recall, one for each state that a free row can have."""
    usual = {"calls": 2, "recalled": 1, "queue": "Vendite", "routing_only": False, "overdue": False}
    kinds: list[dict[str, Any]] = [
        {"minutes": -10},
        {"minutes": 25, "queue": "Assistenza <b>clienti</b> con un nome molto lungo"},
        {"minutes": 300, "overdue": True},
        {"minutes": -10, "routing_only": True},
        {"minutes": -10},
        {"minutes": -10},
        {"minutes": -10},
        {"minutes": -10},
    ]
    return [
        {
            **usual,
            **kind,
            "request_id": f"sample{nth}",
            "caller_id": f"{nth:032x}",
            "number": f"+39050123450{nth}",
            "availability": at.moment(kind["minutes"]),
            "first_call": at.ago(hours=30 if kind.get("overdue") else 1),
            "overdue_at": at.ago(hours=1) if kind.get("overdue") else at.ahead(hours=9),
            "last_call": at.ago(minutes=20),
            "last_recall": at.ago(minutes=40),
        }
        for nth, kind in enumerate(kinds)
    ]


def cards(at: Instant) -> list[dict[str, Any]]:
    """Reservations: an own one, one that was assigned with a CRM link in two queues, one that rests."""
    rows = requests(at)[:3]
    link = "/style-guide/lists"
    common = {"queues": ["Vendite"], "ends_at": None, "assigned_by": None, "hidden_until": None, "hidden_reason": None}
    return [
        {**rows[0], **common, "reserved_at": at.ago(minutes=3), "requests": [{"link": None, "queue": "Vendite"}]},
        {
            **rows[1],
            **common,
            "queues": ["Vendite", "Assistenza"],
            "reserved_at": at.ago(minutes=25),
            "assigned_by": "sara",
            "ends_at": at.ahead(minutes=4),
            "requests": [{"link": link, "queue": "Vendite"}, {"link": link, "queue": "Assistenza"}],
        },
        {
            **rows[2],
            **common,
            "reserved_at": at.ago(minutes=8),
            "hidden_until": at.ahead(minutes=50),
            "hidden_reason": "busy",
            "requests": [{"link": None, "queue": "Vendite"}],
        },
    ]


def customers(at: Instant) -> list[dict[str, Any]]:
    """Rows of Assign and Flush: waiting, reserved, being called, hidden, erased."""
    rows = [{**one, "caller_id": f"{nth + 16:032x}", "queues": ["Vendite"]} for nth, one in enumerate(requests(at)[:5])]
    nobody = {"reserved_by": None, "calling_by": None, "hidden_until": None, "hidden_reason": None}
    states: list[dict[str, Any]] = [
        {},
        {"reserved_by": "anna", "reserved_by_name": "Anna Bianchi"},
        {
            "reserved_by": "anna",
            "reserved_by_name": "Anna Bianchi",
            "calling_by": "anna",
            "calling_by_name": "Anna Bianchi",
        },
        {"hidden_until": at.ahead(minutes=40), "hidden_reason": "no_answer"},
        {"number": ""},
    ]
    return [{**row, **nobody, **state} for row, state in zip(rows, states, strict=True)]


def timeline(at: Instant) -> list[Mapping[str, Any]]:
    """What happened with a customer, an entry of each sign."""
    told: list[dict[str, Any]] = [
        {"kind": "call_missed", "queue": "Vendite"},
        {"kind": "call_reserved", "operator_name": "Anna Bianchi"},
        {"kind": "recall_failed", "operator_name": "Anna Bianchi", "outcome": "busy"},
        {"kind": "call_missed", "queue": "Vendite", "voided": True},
        {"kind": "call_flushed", "by_name": "Sara Neri"},
        {
            "kind": "recall_succeeded",
            "operator": "anna",
            "operator_name": "Anna Bianchi",
            "talk_seconds": 48,
            "closed": True,
            "call": "sample",
        },
    ]
    return [
        {**one, "at": at.ago(minutes=60 - 10 * nth), "recorded_at": at.ago(minutes=59 - 10 * nth)}
        for nth, one in enumerate(told)
    ]


def days(today: date) -> list[dict[str, Any]]:
    """Three days of the Dashboard."""
    figures = ("total", "served", "recalled", "flushed", "unanswered", "unhandled")
    values = ((1260, 540, 610, 40, 30, 40), (31, 12, 15, 0, 3, 1), (0, 0, 0, 0, 0, 0))
    return [
        {"day": (today - timedelta(days=len(values) - 1 - nth)).isoformat(), **dict(zip(figures, row, strict=True))}
        for nth, row in enumerate(values)
    ]


def restated(at: Instant, day: str) -> list[dict[str, Any]]:
    """A day that late records changed twice."""
    once = {"record": "main 1511212918.7", "changes": 1, "first_at": at.ago(hours=5), "last_at": at.ago(hours=5)}
    often = {**once, "changes": 12, "last_at": at.ago(hours=4)}
    return [
        {"day": day, "entries": [{**once, "by": {"recalled": 1, "unanswered": -1}}, {**often, "by": {"total": 12}}]}
    ]


def sessions(at: Instant) -> list[dict[str, Any]]:
    """Where somebody is logged in: here, and by a program that says nothing."""
    here = {"id": "here", "device": "Firefox, Linux", "told": "Firefox", "current": True}
    return [
        {**here, "since": at.ago(hours=3), "used": at.ago(minutes=1)},
        {"id": "there", "device": "", "told": "", "current": False, "since": at.ago(days=2), "used": at.ago(hours=9)},
    ]


def tokens(at: Instant) -> list[dict[str, Any]]:
    """A token in use, and one that never was."""
    return [
        {"id": "a", "name": "CRM", "scopes": ["read"], "created_at": at.ago(days=4), "used_at": at.ago(minutes=5)},
        {"id": "b", "name": "<i>", "scopes": ["operate", "read"], "created_at": at.ago(days=1), "used_at": None},
    ]
