"""Where are raw records and refused messages kept? In streams of their own that forget after the retention."""

from collections.abc import Sequence
from typing import Protocol

from nats.aio.client import Client

from richiamo_events.records import RECORD, CallRecord, record_message_id
from richiamo_ingest.reports import PutAside
from richiamo_kit import quarantine, tracing
from richiamo_kit.errors import Unavailable
from richiamo_kit.quarantine import Entry
from richiamo_kit.store.api import JetStreamError
from richiamo_kit.store.group_commit import GroupCommit
from richiamo_kit.store.messages import MESSAGE_ID
from richiamo_kit.store.publish import Outgoing

_PATIENCE = 1.0


class RawStreams(Protocol):
    """Keeps what carries numbers, for a short time: call records, and what was not understood."""

    async def keep_records(self, records: Sequence[CallRecord]) -> list[bool]:
        """Store records; answers of each whether it is new to the stream. Raises `Unavailable`."""
        ...

    async def put_aside(self, report: PutAside) -> None:
        """Store what could not be understood. Raises `Unavailable`."""
        ...


class JetStreamRawStreams:
    """The streams `CDR` and `QUARANTINE`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._records = GroupCommit(client, patience=_PATIENCE)

    async def keep_records(self, records: Sequence[CallRecord]) -> list[bool]:
        """See `RawStreams.keep_records`."""
        kept: list[bool] = []
        with tracing.step("keep call records", tracing.SpanKind.PRODUCER):
            for answer in await self._records.send_all([_message(record) for record in records]):
                if isinstance(answer, JetStreamError):
                    raise Unavailable(str(answer)) from answer
                kept.append(not answer.duplicate)
        return kept

    async def put_aside(self, report: PutAside) -> None:
        """See `RawStreams.put_aside`."""
        entry = Entry(
            pbx=report.pbx,
            source=report.source,
            received_at=report.received_at,
            reason=report.reason,
            body=report.body,
            content_type=report.content_type,
            query=report.query,
        )
        await quarantine.keep(self._client, entry, patience=_PATIENCE)


def _message(record: CallRecord) -> Outgoing:
    subject = f"richiamo.cdr.{record.call.pbx}"
    return Outgoing(subject, {**tracing.headers(), MESSAGE_ID: record_message_id(record)}, RECORD.dump_json(record))
