"""Does a row stay hidden while its call lives on the PBX, and only then (`domain.md` rule 7)?"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from richiamo_events import subjects
from richiamo_events.ids import CallerId, DialId, ReservationId
from richiamo_events.language import RecallFailed, RecallStarted, SettingsChanged
from richiamo_kit.ami import AmiAccount
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_queue.dialling.living import Living
from tests.asterisk.pbx import AsteriskPbx, running
from tests.call_queue.instances import Site
from tests.call_queue.instances import running as running_queue
from tests.call_queue.log import ANNA, missed, new, operator

NOW = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[AsteriskPbx]:
    async with running(AsteriskPbx()) as served:
        yield served


@pytest_asyncio.fixture
async def site(
    pbx: AsteriskPbx, event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[Site]:
    secret = data_dir / "ami.secret"
    secret.write_text("ami secret")
    environment: dict[str, Any] = {"ami_host": "127.0.0.1", "ami_port": pbx.port, "ami_secret_file": secret}
    async with running_queue(event_store, nats_url, database_url, data_dir, sweeping=False, **environment) as made:
        await made.happens(operator("anna", extension="201"), SettingsChanged(values={"dial_how": "ami"}))
        await made.services[0].catch_up_site()
        yield made


async def being_called(site: Site, *, minutes: float) -> tuple[CallerId, DialId]:
    """A customer whom Anna has been calling for so long."""
    caller = await site.directory.resolve("+390501234501")
    dial = DialId("0f0e0d0c0b0a09080706050403020100")
    await site.happens(missed(1, caller=caller))
    started = RecallStarted(caller=caller, operator=ANNA, extension="201", reservation=ReservationId("old"), dial=dial)
    await site.happens(replace(new(started), occurred_at=datetime.now(UTC) - timedelta(minutes=minutes)))
    await site.ask("summary")
    return caller, dial


async def outcomes(site: Site, caller: CallerId) -> list[str]:
    events = [event.data async for event in site.store.read(subject=subjects.caller(caller))]
    return [event.outcome for event in events if isinstance(event, RecallFailed)]


@pytest.mark.servers
class TestHiding:
    async def test_a_recall_whose_call_lives_does_not_end(self, pbx: AsteriskPbx, site: Site) -> None:
        caller, dial = await being_called(site, minutes=40)
        pbx.channels = [[("Uniqueid", "1.2"), ("Linkedid", dial)]]
        assert await site.sweeps() == 0
        assert await outcomes(site, caller) == []

    @pytest.mark.parametrize("why", ["gone", "silent", "forbidden", "cut"])
    async def test_it_ends_when_the_call_is_gone_or_nobody_can_tell(
        self, pbx: AsteriskPbx, site: Site, why: str
    ) -> None:
        caller, dial = await being_called(site, minutes=40)
        pbx.channels = [[("Uniqueid", "1.2"), ("Linkedid", "1.2" if why == "gone" else dial)]]
        if why == "silent":
            pbx.trouble.silent_after = "Login"
        if why == "cut":
            pbx.trouble.cut_after = "CoreShowChannels"
        if why == "forbidden":
            pbx.users["richiamo"] = replace(pbx.users["richiamo"], write=frozenset({"originate"}))
        assert await site.sweeps() == 1
        assert await outcomes(site, caller) == ["unknown"]

    async def test_a_channel_that_hangs_on_the_pbx_hides_nothing_for_ever(self, pbx: AsteriskPbx, site: Site) -> None:
        caller, dial = await being_called(site, minutes=9 * 60)
        pbx.channels = [[("Uniqueid", dial), ("Linkedid", dial)]]
        assert await site.sweeps() == 1
        assert await outcomes(site, caller) == ["unknown"]


class TestAsking:
    async def test_the_pbx_is_asked_now_and_then(self, pbx: AsteriskPbx) -> None:
        account = AmiAccount(host="127.0.0.1", port=pbx.port, username="richiamo", secret="ami secret")
        living = Living(lambda: account)
        one, two = DialId("one"), DialId("two")
        pbx.channels = [[("Uniqueid", "1.2"), ("Linkedid", one)]]
        for second in range(20):
            assert await living.among([one], NOW + timedelta(seconds=second)) == {one}
        assert pbx.actions.count("CoreShowChannels") == 1
        pbx.channels = [[("Uniqueid", "1.2"), ("Linkedid", two)]]
        assert await living.among([one, two], NOW + timedelta(seconds=19)) == {two}
        assert await living.among([two], NOW + timedelta(seconds=38)) == {two}
        assert pbx.actions.count("CoreShowChannels") == 2
        assert await living.among([two], NOW + timedelta(seconds=60)) == {two}
        assert pbx.actions.count("CoreShowChannels") == 3

    async def test_nobody_is_asked_about_nothing(self, pbx: AsteriskPbx) -> None:
        assert await Living(lambda: None).among([DialId("one")], NOW) == frozenset()
        account = AmiAccount(host="127.0.0.1", port=pbx.port, username="richiamo", secret="ami secret")
        assert await Living(lambda: account).among([], NOW) == frozenset()
        assert pbx.actions == []
