"""How does a test lose a call? By the event itself, as ingest would have written it."""

from datetime import UTC, datetime
from pathlib import Path

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallMissed, Rank
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.store.jetstream import JetStreamEventStore


async def caller_of(store: JetStreamEventStore, data_dir: Path, number: str) -> CallerId:
    """The id of a number in the directory that the queue service reads."""
    directory = NatsDirectory(store.client, read_key(data_dir / "secrets" / "directory.key"))
    return await directory.resolve(number)


async def lose(
    store: JetStreamEventStore, caller: CallerId, unique_id: str, queue: str = "sales", at: datetime | None = None
) -> int:
    """Loses a call, now or `at` a past instant; answers its position in the log."""
    at = (at or datetime.now(UTC)).replace(microsecond=0)
    missed = CallMissed(
        caller=caller,
        call=CallId("main", unique_id),
        rank=Rank.ROUTING,
        received_at=at,
        started_at=at,
        queue=queue,
        called="050123456",
    )
    event = NewEvent(
        id=f"main:{unique_id}",
        subject=subjects.caller(caller),
        data=missed,
        occurred_at=at,
        actor="pbx:main",
        correlation_id=unique_id,
    )
    return await store.append([event])
