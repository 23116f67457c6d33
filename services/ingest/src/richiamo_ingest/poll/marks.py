"""Where does the poll remember how far it was? In NATS, beside the records it speaks about (decision 0010)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nats.aio.client import Client

from richiamo_ingest.poll.schedule import Mark
from richiamo_kit.errors import Unavailable
from richiamo_kit.kalliope_rest import Trouble
from richiamo_kit.store.api import JetStreamError
from richiamo_kit.store.messages import newest_on
from richiamo_kit.store.publish import EXPECTED_POSITION, Outgoing, send
from richiamo_kit.store.streams import MARKS

_WRONG_POSITION = {10071, 10164}


class MarkMoved(Exception):
    """Somebody else wrote the mark since it was read: read it again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A mark and its position in the stream, which guards the next one."""

    mark: Mark
    position: int


class Marks:
    """The newest mark of each PBX. Both methods raise `Unavailable` when NATS does not answer."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, pbx: str) -> Kept | None:
        """The mark as it is now; None before the first poll."""
        try:
            stored = await newest_on(self._client, MARKS, _subject(pbx))
        except JetStreamError as error:
            raise Unavailable(str(error)) from error
        return Kept(_read(json.loads(stored.body)), stored.position) if stored else None

    async def write(self, pbx: str, mark: Mark, *, after: int) -> Kept:
        """Replace the mark at position `after` (0: there is none). Raises `MarkMoved` when it is another by now.

        A repeated write after a lost answer raises it too; then what stands there is read, and is the same.
        """
        message = Outgoing(_subject(pbx), {EXPECTED_POSITION: str(after)}, json.dumps(_written(mark)).encode())
        try:
            stored = await send(self._client, [message], patience=2.0)
        except JetStreamError as error:
            if error.code in _WRONG_POSITION:
                raise MarkMoved(pbx) from error
            raise Unavailable(str(error)) from error
        return Kept(mark, stored.position)


def _subject(pbx: str) -> str:
    return f"richiamo.mark.cdr.{pbx}"


def _written(mark: Mark) -> dict[str, object]:
    return {
        "through": mark.through.isoformat(),
        "wide_at": mark.wide_at.isoformat(),
        "slice_seconds": mark.slice.total_seconds(),
        "tried_at": _iso(mark.tried_at),
        "succeeded_at": _iso(mark.succeeded_at),
        "failures": mark.failures,
        "failing_since": _iso(mark.failing_since),
        "trouble": mark.trouble,
        "values": dict(mark.values),
    }


def _read(told: Mapping[str, Any]) -> Mark:
    return Mark(
        through=datetime.fromisoformat(told["through"]),
        wide_at=datetime.fromisoformat(told["wide_at"]),
        slice=timedelta(seconds=told["slice_seconds"]),
        tried_at=_instant(told["tried_at"]),
        succeeded_at=_instant(told["succeeded_at"]),
        failures=told["failures"],
        failing_since=_instant(told["failing_since"]),
        trouble=Trouble(told["trouble"]) if told["trouble"] else None,
        values=told["values"],
    )


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
