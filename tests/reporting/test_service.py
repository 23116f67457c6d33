"""Does the service follow the real log, answer by request and reply, and keep the BI schema?"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pydantic import SecretStr

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallId
from richiamo_events.language import CallMissed, Rank
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.messaging import ask, make_broker
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.together import ended
from richiamo_reporting.app import Service, assembled
from richiamo_reporting.bi.views import ensure_bi
from richiamo_reporting.facts.projection import SCHEMA
from richiamo_reporting.settings import Settings

pytestmark = pytest.mark.servers

EVA = {"username": "eva", "name": "Eva", "role": "supervisor", "queues": [], "masked": False, "language": "en"}


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(assembled(settings))
        parts = (service.projector.run, service.answer, service.keep_bi)
        tasks = [asyncio.create_task(part()) for part in parts]
        try:
            yield service
        finally:
            await ended(tasks)


async def test_a_lost_call_is_in_every_report(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> None:
    settings = Settings(
        nats_url=SecretStr(nats_url), database_url=SecretStr(database_url), data_dir=data_dir, site_timezone="UTC"
    )
    directory = NatsDirectory(event_store.client, read_key(data_dir / "secrets" / "directory.key"))
    caller = await directory.resolve("+390501234567")
    started = datetime.now(UTC).replace(microsecond=0)
    position = await event_store.append(
        [
            NewEvent(
                id="e1",
                subject=subjects.caller(caller),
                data=CallMissed(
                    caller=caller,
                    call=CallId("main", "1.1"),
                    rank=Rank.LEGS,
                    received_at=started,
                    started_at=started,
                    queue="=cmd()",
                ),
                occurred_at=started,
                actor="test",
                correlation_id="",
            )
        ],
        expected=0,
    )
    today = started.date().isoformat()
    broker = make_broker(nats_url, name="test-asks")
    async with running(settings) as service:
        await broker.start()
        asked = {"user": EVA, "from": today, "to": today, "min_position": position}
        dashboard = await ask(broker, "richiamo.reporting.dashboard", asked, timeout=60)
        assert dashboard["totals"]["total"] == 1
        day = await ask(broker, "richiamo.reporting.day", {**asked, "day": today})
        assert (day["today"]["total_calls"], day["today"]["requests_to_handle_pct"]) == (1, 1.0)
        assert day["today"]["mean_bill_seconds"] is None
        queues = await ask(broker, "richiamo.reporting.code_caller", asked)
        assert [each["queue"] for each in queues["queues"]] == ["=cmd()"]
        history = await ask(broker, "richiamo.reporting.historical", asked)
        assert history["days"][0]["not_yet"] == 1
        behind = await ask(
            broker, "richiamo.reporting.requests", {**asked, "report": "dashboard", "figure": "unhandled"}
        )
        assert [(item["number"], item["outcome"]) for item in behind["items"]] == [("+390501234567", "unhandled")]
        with pytest.raises(Problem, match="422"):
            await ask(broker, "richiamo.reporting.requests", {**asked, "report": "dashboard", "figure": "nonsense"})

        book = await ask(broker, "richiamo.reporting.workbook", {**asked, "report": "code-caller"})
        sheet = load_workbook(BytesIO(base64.b64decode(book["content"])))["Queues"]
        assert sheet["A2"].value == "'=cmd()"
        assert (sheet["A2"].data_type, sheet["B2"].value, sheet["D2"].value) == (
            "s",
            datetime.fromisoformat(today),
            1,
        )

        await ensure_bi(service.pool, SCHEMA, "UTC")
        async with service.pool.connection() as connection:
            found = await connection.execute("SELECT count(*), min(outcome) FROM bi.fact_request")
            assert await found.fetchone() == (1, "unhandled")
        await broker.stop()
