"""Does the service do what its subjects promise? Asked over real NATS, with its view in real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from richiamo_kit.errors import Problem
from richiamo_kit.store.jetstream import JetStreamEventStore

from tests.call_queue.instances import Site, running
from tests.call_queue.log import ANNA, HELP, SALES, missed, no_answer, operator, reached

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def site(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[Site]:
    async with running(event_store, nats_url, database_url, data_dir) as made:
        await made.happens(
            operator("anna", extension="201", name="Anna Bianchi"),
            operator("bruno", extension="202"),
            operator("sara", role="supervisor", extension="300"),
        )
        yield made


class TestOneCaller:
    async def test_a_lost_call_is_reserved_called_and_closed(self, site: Site) -> None:
        caller = await site.directory.resolve("+390501234567")
        await site.happens(missed(1, caller=caller))
        listed = await site.ask("requests", view="recall")
        assert listed["total"] == 1
        assert listed["items"][0]["number"] == "+390501234567"
        assert listed["items"][0]["caller_id"] == caller

        await site.ask("reserve", caller_id=caller)
        assert (await site.ask("requests", view="recall"))["total"] == 0
        mine = await site.ask("requests", view="mine")
        assert [item["reserved_by_name"] for item in mine["items"]] == ["Anna Bianchi"]

        begun = await site.ask("start_recall", caller_id=caller)
        assert (begun["how"], begun["link"]) == ("link", "tel:+390501234567")
        assert (await site.ask("requests", view="mine"))["total"] == 0
        assert (await site.ask("requests", view="calling"))["total"] == 1

        later = (await site.ask("timeline", caller_id=caller))["items"]
        assert [item["kind"] for item in later] == ["call_missed", "call_reserved", "recall_started"]
