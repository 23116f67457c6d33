"""What happened with this customer, in order? Every call once, and every decision, ready to be put in words.

Read from the log, not from the view: this is what the log says. Of several reports of one call the best
one speaks (`domain.md` rule 1); the others are listed in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from richiamo_events import subjects
from richiamo_events.caller import Caller
from richiamo_events.envelope import Recorded
from richiamo_events.history import Known
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallerErased, CallFlushed, CallMissed, OperatorChanged, SettingsChanged
from richiamo_events.operators import Operators
from richiamo_events.wire import type_of
from richiamo_kit.store.port import EventStore

_INTERNAL = frozenset({"caller", "call", "rank", "received_at"})
_PEOPLE = ("operator", "by", "previous")


async def events_of(store: EventStore, caller: CallerId, *, shared: bool) -> list[Recorded]:
    """Everything the log holds about one caller, in the order of the log."""
    events = [event async for event in store.read(subject=subjects.caller(caller))]
    if shared:
        events += [event async for event in store.read(subject=subjects.elsewhere(caller)) if _about(event, caller)]
        events.sort(key=lambda event: event.position)
    return events


@dataclass(frozen=True, slots=True)
class Teller:
    """Turns events into items; names and instants as the site shows them.

    `reader`, when the site shows operators as numbers, is who asks: all others are numbers. None: names are shown.
    """

    operators: Operators
    zone: ZoneInfo
    reader: str | None = None

    def items(self, events: Sequence[Recorded], caller: Caller, as_of: datetime | None = None) -> list[dict[str, Any]]:
        """The items in the order in which things happened."""
        told: list[tuple[tuple[datetime, int, datetime, int], dict[str, Any]]] = []
        reports: dict[CallId, list[Recorded]] = {}
        for event in events:
            if as_of is not None and event.recorded_at > as_of:
                continue
            call = _reported_call(event)
            if call is None:
                told.append((_when(event, event.occurred_at), self._item(event, event.occurred_at)))
            else:
                reports.setdefault(call, []).append(event)
        for call, heard in reports.items():
            known = caller.history.calls.get(str(call))
            best = max(heard, key=_weight)
            at = known.at if known is not None else best.occurred_at
            told.append((_when(best, at), self._call(best, heard, at, known, caller)))
        return [item for _, item in sorted(told, key=lambda one: one[0])]

    def _item(self, event: Recorded, at: datetime) -> dict[str, Any]:
        data = event.data
        details = {
            field.name: self._plain(getattr(data, field.name)) for field in fields(data) if field.name not in _INTERNAL
        }
        people = {role: name for role in _PEOPLE if isinstance(name := details.get(role), str) and name}
        for role, name in people.items():
            details[role], details[f"{role}_name"] = self._person(name)
        if self.reader is not None and self.reader not in people.values() and "extension" in details:
            # An extension is a name too.
            details["operator_name"] = details.get("operator_name") or (details["extension"] and "Op. ?")
            details["extension"] = ""
        actor, actor_name = self._person(event.actor)
        return {
            "at": at.astimezone(self.zone).isoformat(),
            "recorded_at": event.recorded_at.astimezone(self.zone).isoformat(),
            "kind": type_of(data).partition(".")[2],
            "actor": actor,
            "actor_name": actor_name,
            "position": event.position,
            **{name: value for name, value in details.items() if name not in ("at", "kind")},
        }

    def _call(
        self, best: Recorded, heard: Sequence[Recorded], at: datetime, known: Known | None, caller: Caller
    ) -> dict[str, Any]:
        """One call: its best report, what became of it, and who else reported it."""
        item = self._item(best, at)
        call = getattr(best.data, "call", None)
        item["call"] = str(call)
        item["rank"] = int(getattr(best.data, "rank", 0))
        item["voided"] = call in caller.history.voided
        item["disputed"] = call in caller.history.disputed
        item["first_reported_at"] = (
            (known.first_received_at if known else best.occurred_at).astimezone(self.zone).isoformat()
        )
        attempt = next((one for one in caller.attempts if one.call == call), None)
        if attempt is not None:
            # The fold has the last word on whether the customer was reached (rule 4).
            item["kind"] = "recall_succeeded" if attempt.reached else "recall_failed"
            item["outcome"] = "reached" if attempt.outcome is None else str(attempt.outcome)
            item["tried"] = list(attempt.tried)
            item["closed"] = list(attempt.closed)
            item["recall"] = bool(attempt.tried or attempt.closed)
        item["reports"] = [
            {
                "kind": type_of(one.data).partition(".")[2],
                "rank": int(getattr(one.data, "rank", 0)),
                "recorded_at": one.recorded_at.astimezone(self.zone).isoformat(),
            }
            for one in heard
        ]
        return item

    def _person(self, username: str) -> tuple[str, str]:
        """Username and name as they are shown."""
        bare = username.removeprefix("user:")
        if self.reader is None or bare == self.reader:
            return username, self.operators.name_of(username)
        shown = self.operators.as_number(bare)
        return shown, shown

    def _plain(self, value: object) -> Any:
        match value:
            case datetime():
                return value.astimezone(self.zone).isoformat()
            case Enum():
                return value.value
            case tuple() | frozenset():
                return [self._plain(one) for one in value]
            case CallId():
                return str(value)
            case _:
                return value


def _when(event: Recorded, at: datetime) -> tuple[datetime, int, datetime, int]:
    """The order of happening: a call is known to the second, and a recall follows the click that began it (rule 11)."""
    match event.data:
        case CallMissed():
            turn = 0
        case CallFlushed() | CallerErased():
            turn = 3
        case _ if _reported_call(event) is not None:
            turn = 2
        case _:
            turn = 1
    return at.replace(microsecond=0), turn, at, event.position


def _about(event: Recorded, caller: CallerId) -> bool:
    return not isinstance(event.data, OperatorChanged | SettingsChanged) and event.data.caller == caller


def _reported_call(event: Recorded) -> CallId | None:
    """The call that a fact reports; None for decisions, which have no rank."""
    if not hasattr(event.data, "rank"):
        return None
    call: CallId | None = getattr(event.data, "call", None)
    return call


def _weight(event: Recorded) -> tuple[int, datetime, str]:
    rank: int = getattr(event.data, "rank", 0)
    received_at: datetime = getattr(event.data, "received_at", event.recorded_at)
    return rank, received_at, event.id
