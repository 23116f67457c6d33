"""How does an event travel and rest? CloudEvents headers (NATS binding) and a JSON body.

Wire types are stable strings, never Python paths. A version that this code does not know is refused
loudly; older versions are brought up to date by `UPCASTS` when they are read.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from richiamo_events import language
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.language import Event

SOURCE = "richiamo"

TYPES: Mapping[str, tuple[type[Any], int]] = {
    "caller.call_missed": (language.CallMissed, 1),
    "caller.call_served": (language.CallServed, 1),
    "caller.recall_succeeded": (language.RecallSucceeded, 1),
    "caller.recall_failed": (language.RecallFailed, 1),
    "caller.call_voided": (language.CallVoided, 1),
    "caller.void_undone": (language.VoidUndone, 1),
    "caller.recall_disputed": (language.RecallDisputed, 1),
    "caller.call_reserved": (language.CallReserved, 1),
    "caller.call_assigned": (language.CallAssigned, 1),
    "caller.reservation_released": (language.ReservationReleased, 1),
    "caller.call_flushed": (language.CallFlushed, 1),
    "caller.flush_undone": (language.FlushUndone, 1),
    "caller.caller_shown": (language.CallerShown, 1),
    "caller.recall_started": (language.RecallStarted, 1),
    "caller.caller_erased": (language.CallerErased, 1),
    "caller.note_written": (language.NoteWritten, 1),
    "operator.operator_changed": (language.OperatorChanged, 1),
    "settings.settings_changed": (language.SettingsChanged, 1),
}
"""Wire type -> (class, newest version). Frozen: a meaning that changes is a new type."""

UPCASTS: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""(wire type, old version) -> the body one version newer. Empty: every type is still at version 1."""


class Unreadable(Exception):
    """This message is no event that this version of Richiamo can read."""


class Language:
    """What one version of Richiamo can write and read: its types, and how older versions are brought up to date.

    There is one, `CURRENT`; a test makes another to stand for an earlier or a later Richiamo.
    """

    def __init__(
        self,
        types: Mapping[str, tuple[type[Any], int]],
        upcasts: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]],
    ) -> None:
        self._types = types
        self._upcasts = upcasts
        self._names = {cls: (name, version) for name, (cls, version) in types.items()}
        self._adapters: dict[type[Any], TypeAdapter[Any]] = {cls: TypeAdapter(cls) for cls, _ in types.values()}

    def type_of(self, data: Event) -> str:
        """The wire type of an event, e.g. `caller.call_missed`."""
        return self._names[type(data)][0]

    def encode(self, event: NewEvent) -> tuple[dict[str, str], bytes]:
        """Headers and body of the message. Raises nothing: every event can be written."""
        name, version = self._names[type(event.data)]
        headers = {
            "Nats-Msg-Id": message_id(event),
            "ce-specversion": "1.0",
            "ce-id": event.id,
            "ce-type": name,
            "ce-dataversion": str(version),
            "ce-source": SOURCE,
            "ce-time": event.occurred_at.astimezone(UTC).isoformat(),
            "ce-actor": event.actor,
            "ce-correlationid": event.correlation_id,
            "ce-causationid": event.causation_id,
            "ce-datacontenttype": "application/json",
        }
        return headers, self._adapters[type(event.data)].dump_json(event.data)

    def decode(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        subject: str,
        position: int,
        stored_at: datetime,
    ) -> Recorded:
        """Read one message of the log.

        `ce-recordedtime`, which a restore or a replay sets, stands before the instant this stream stored
        it. Raises `Unreadable` for an unknown type, a newer version, or a body of another shape.
        """
        return Recorded(
            position=position,
            recorded_at=_instant(headers["ce-recordedtime"]) if "ce-recordedtime" in headers else stored_at,
            id=headers.get("ce-id", ""),
            subject=subject,
            data=self._data(headers, body, position),
            occurred_at=_instant(headers["ce-time"]) if "ce-time" in headers else stored_at,
            actor=headers.get("ce-actor", ""),
            correlation_id=headers.get("ce-correlationid", ""),
            causation_id=headers.get("ce-causationid", ""),
            traceparent=headers.get("traceparent", ""),
        )

    def _data(self, headers: Mapping[str, str], body: bytes, position: int) -> Event:
        name = headers.get("ce-type", "")
        if name not in self._types:
            raise Unreadable(f"Position {position}: the event type {name!r} is unknown to this version.")
        cls, newest = self._types[name]
        version_text = headers.get("ce-dataversion", "")
        if not version_text.isdigit() or not 1 <= int(version_text) <= newest:
            raise Unreadable(
                f"Position {position}: {name} has version {version_text!r}, this version reads up to {newest}."
            )
        adapter = self._adapters[cls]
        try:
            if int(version_text) == newest:
                data: Event = adapter.validate_json(body)
                return data
            raw: dict[str, Any] = _ANY_OBJECT.validate_json(body)
            for version in range(int(version_text), newest):
                raw = self._upcasts[name, version](raw)
            data = adapter.validate_python(raw)
        except ValidationError as error:
            raise Unreadable(f"Position {position}: the body of this {name} does not have its shape.") from error
        return data


def message_id(event: NewEvent) -> str:
    """The `Nats-Msg-Id`: unique in the stream, so it holds the subject and with it the caller."""
    return f"{event.subject}|{event.id}"


_ANY_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


CURRENT = Language(TYPES, UPCASTS)
type_of = CURRENT.type_of
encode = CURRENT.encode
decode = CURRENT.decode
