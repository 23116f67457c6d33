"""Where are raw records and refused messages kept? In streams of their own that forget after the retention."""

from nats.aio.client import Client

from richiamo_events.records import RECORD, CallRecord, record_message_id
from richiamo_ingest.reports import PutAside
from richiamo_kit import quarantine
from richiamo_kit.errors import Unavailable
from richiamo_kit.quarantine import Entry
from richiamo_kit.store.connection import JetStreamError
from richiamo_kit.store.group_commit import GroupCommit
from richiamo_kit.store.messages import MESSAGE_ID
from richiamo_kit.store.publish import Outgoing

_PATIENCE = 1.0


class JetStreamRawStreams:
    """The streams `CDR` and `QUARANTINE`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._records = GroupCommit(client, patience=_PATIENCE)

    async def keep_record(self, record: CallRecord) -> bool:
        """See `RawStreams.keep_record`."""
        subject = f"richiamo.cdr.{record.call.pbx}"
        message = Outgoing(subject, {MESSAGE_ID: record_message_id(record)}, RECORD.dump_json(record))
        try:
            return not (await self._records.send(message)).duplicate
        except JetStreamError as error:
            raise Unavailable(str(error)) from error

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
