"""What does the dynamic routing say? One lost call, as XML in the body or as names in the query.

`protocols.md`: the body is a raw template typed by the administrator, so the Content-Type says nothing.
"""

from collections.abc import Mapping
from datetime import datetime

from richiamo_events.ids import CallId
from richiamo_events.language import Rank
from richiamo_ingest.kalliope import values
from richiamo_ingest.kalliope.markup import fields_of
from richiamo_ingest.reports import LostReport

LARGEST_BODY = 64 * 1024


def read_routing(body: bytes, query: Mapping[str, str], *, pbx: str, received_at: datetime) -> LostReport:
    """The lost call that one request reports. Raises `NotUnderstood`."""
    fields: Mapping[str, object]
    fields = fields_of(body) if body.strip() else {name.lower(): value for name, value in query.items()}
    return LostReport(
        call=CallId(pbx, values.unique_id(fields)),
        received_at=received_at,
        rank=Rank.ROUTING,
        caller=values.text(fields.get("caller")),
        called=values.text(fields.get("called")),
        queue=values.text(fields.get("param1")),
        type=values.text(fields.get("param2")) or "queue",
    )


def answer(value: str) -> bytes:
    """What the PBX reads its next action from; `value` holds only letters, digits and `*#+.-_`."""
    return f'<?xml version="1.0"?><response><value>{value}</value></response>'.encode()
