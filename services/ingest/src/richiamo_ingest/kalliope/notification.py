"""What does an event notification say? A call lost or served, or something we only count.

The body is JSON, XML or attribute-value pairs, whatever its Content-Type; all values are strings.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from richiamo_events.ids import CallId
from richiamo_events.language import Rank
from richiamo_ingest.bounds import OR_CP1252
from richiamo_ingest.kalliope import values
from richiamo_ingest.kalliope.markup import fields_of
from richiamo_ingest.reports import LostReport, NotUnderstood, ServedReport

_EVENT = ("event", "event_name", "eventname", "event_type")
_CALLER = ("caller_num", "caller", "callerid", "caller_number")
_CALLED = ("called_num", "called", "called_number")
_QUEUE = ("queue_name", "queue", "param1")
_ANSWERED_BY = ("answered_by", "agent", "agent_num", "operator", "extension", "exten")
_MOST_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that changes nothing: accepted and counted under its name."""

    event: str


def read_notification(
    body: bytes, query: Mapping[str, str], *, pbx: str, received_at: datetime
) -> LostReport | ServedReport | Noted:
    """The report that one notification makes. Raises `NotUnderstood`.

    A body without any event name, but with the reason and the queue that only *unserved* has, is that.
    """
    asked = {name.lower(): value for name, value in query.items()}
    fields = {**asked, **_fields(body)} if body.strip() else dict[str, object](asked)
    event = values.first(asked, _EVENT) or values.first(fields, _EVENT)
    name = event.lower().rpartition(".")[2]
    if not event and values.text(fields.get("reason")) and values.first(fields, _QUEUE):
        name = "unservedcall"
    if name == "unservedcall":
        return LostReport(
            call=CallId(pbx, values.unique_id(fields)),
            received_at=received_at,
            rank=Rank.NOTIFICATION,
            caller=values.first(fields, _CALLER),
            called=values.first(fields, _CALLED),
            queue=values.first(fields, _QUEUE),
            waiting_seconds=values.seconds(fields.get("waiting_time"), "waiting_time"),
            reason=values.text(fields.get("reason")),
        )
    if name == "servedcall":
        return ServedReport(
            call=CallId(pbx, values.unique_id(fields)),
            received_at=received_at,
            caller=values.first(fields, _CALLER),
            called=values.first(fields, _CALLED),
            queue=values.first(fields, _QUEUE),
            extension=values.first(fields, _ANSWERED_BY),
        )
    return Noted(event or "unnamed")


def _fields(body: bytes) -> dict[str, object]:
    shown = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if shown.startswith(b"<"):
        return dict(fields_of(body))
    if shown.startswith(b"{"):
        return _json(shown)
    if shown.startswith(b"["):
        raise NotUnderstood("The body is a list; a notification is one object.")
    try:
        pairs = parse_qsl(shown.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS)
    except (ValueError, UnicodeDecodeError):
        raise NotUnderstood("The body is neither JSON nor XML nor attribute-value pairs.") from None
    return {name.strip().lower(): value for name, value in pairs}


def _json(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body.decode("utf-8", OR_CP1252), parse_float=str, parse_int=str)
    except RecursionError:
        raise NotUnderstood("The body begins like JSON but is nested too deep.") from None
    except ValueError as error:
        raise NotUnderstood(f"The body begins like JSON but is not: {str(error)[:120]}.") from None
    for wrapper in ("response", "call_params", "params"):
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = {**found, **found[wrapper]}
    return {str(name).lower(): value for name, value in found.items()}
