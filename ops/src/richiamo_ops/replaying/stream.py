"""How does a part of the log become a stream of its own? In batches, each behind the event that is known to be last.

Every message keeps its headers; its subject is `richiamo.replay.<stream>` with what follows `richiamo.events` in the
log, `ce-recordedtime` is when the log recorded it, and `ce-sequence` its position there.
"""

import re
from collections.abc import Sequence

from nats.aio.client import Client

from richiamo_events import subjects
from richiamo_events.envelope import Recorded
from richiamo_kit.errors import Problem
from richiamo_kit.store.api import JetStreamError, api, api_patiently
from richiamo_kit.store.messages import MESSAGE_ID, Stored, newest_on
from richiamo_kit.store.publish import Outgoing, send
from richiamo_kit.store.streams import EVENTS
from richiamo_ops.replaying.lines import encoded
from richiamo_ops.replaying.target import Held

ROOT = "richiamo.replay"
_POSITION = "ce-sequence"
_EXPECTED_LAST = "Nats-Expected-Last-Sequence"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_TAKEN = 10058
_ID_KNOWN = 10201
_WRONG_LAST = 10071


class IntoStream:
    """A stream that only one replay at a time can add to."""

    def __init__(self, client: Client, name: str, newest: Stored | None) -> None:
        self._client = client
        self._name = name
        self._last = newest.position if newest else 0
        self.held = Held(_position(newest), newest.headers["ce-id"]) if newest else None

    @classmethod
    async def open(cls, client: Client, name: str) -> "IntoStream":
        """The stream, made when it is not there. Raises `Problem` when the name is taken by something else."""
        if not _NAME.fullmatch(name):
            raise Problem(400, "no-name", "A stream's name has letters, digits, - and _, at most 64.")
        log = (await api_patiently(client, f"STREAM.INFO.{EVENTS}"))["config"]
        assert isinstance(log, dict)
        kept = {
            "name": name,
            "subjects": [f"{ROOT}.{name}.>"],
            "storage": "file",
            "allow_atomic": True,
            "num_replicas": log["num_replicas"],
        }
        try:
            await api(client, f"STREAM.CREATE.{name}", kept, timeout=10.0)
        except JetStreamError as error:
            if error.code == _NAME_TAKEN:
                raise Problem(409, "something-else", f"{name} is a stream of something else: choose another.") from None
            raise Problem(409, "refused", f"NATS makes no stream {name}:", error.description) from error
        return cls(client, name, await newest_on(client, name, f"{ROOT}.{name}.>"))

    async def write(self, events: Sequence[Recorded]) -> None:
        """See `Target.write`. Raises `Unavailable`, and `Problem` when somebody else writes into the stream."""
        messages = [self._message(event, first=event is events[0]) for event in events]
        try:
            self._last = (await send(self._client, messages)).position
        except JetStreamError as error:
            # A repeat of what had been stored is refused like what comes second: look what is there.
            newest = await newest_on(self._client, self._name, f"{ROOT}.{self._name}.>")
            if error.code not in {_WRONG_LAST, _ID_KNOWN} or newest is None or _position(newest) != events[-1].position:
                raise Problem(409, "busy", f"Somebody else writes into {self._name}:", error.description) from error
            self._last = newest.position

    def _message(self, event: Recorded, *, first: bool) -> Outgoing:
        headers, body = encoded(event)
        subject = f"{ROOT}.{self._name}{event.subject.removeprefix(subjects.ROOT)}"
        headers |= {
            MESSAGE_ID: str(event.position),
            "ce-recordedtime": event.recorded_at.isoformat(),
            _POSITION: str(event.position),
        }
        return Outgoing(subject, headers | ({_EXPECTED_LAST: str(self._last)} if first else {}), body)


def _position(stored: Stored) -> int:
    return int(stored.headers[_POSITION])
