"""Does every call of the PBX's records reach the log, once, whatever goes wrong? Against a simulated Kalliope."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from richiamo_events.language import CallMissed
from richiamo_ingest.kalliope.records import Reading
from richiamo_ingest.poll.marks import MarkMoved, Marks
from richiamo_ingest.poll.poller import Poller
from richiamo_ingest.poll.schedule import first_mark
from richiamo_ingest.settings import IngestSettings
from richiamo_ingest.taking import Taken, Taking
from richiamo_kit.clock import FixedClock
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.kalliope_rest import Trouble
from richiamo_kit.raw_records import erase_raw_records
from richiamo_kit.servers import NatsServer
from richiamo_kit.store.api import api
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.streams import QUARANTINE
from tests.ingest.polled import FIVE, NOW, Site, lost
from tests.ingest.running import running_ingest, until
from tests.kalliope.cdr import Form, Generation, Record
from tests.kalliope.pbx import KalliopePbx
from tests.kalliope.pbx import Trouble as PbxFault
from tests.kalliope.running import running
from tests.kit.servers import digits_anywhere

pytestmark = pytest.mark.servers


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def pbx(clock: FixedClock) -> KalliopePbx:
    return KalliopePbx(clock=clock.now)


@pytest.fixture
def url(pbx: KalliopePbx) -> Iterator[str]:
    with running(pbx) as address:
        yield address


@pytest.fixture
def settings(nats_url: str, database_url: str, tmp_path: Path) -> IngestSettings:
    return IngestSettings(
        nats_url=SecretStr(nats_url),
        database_url=SecretStr(database_url),
        data_dir=tmp_path,
        ingest_port=0,
        cdr_password=SecretStr("secret"),
        cdr_timeout_seconds=0.5,
    )


@asynccontextmanager
async def polling(
    settings: IngestSettings, store: JetStreamEventStore, pbx: KalliopePbx, url: str, clock: FixedClock
) -> AsyncIterator[Site]:
    async with running_ingest(settings, store, clock=clock) as ingest:
        site = Site(pbx, clock, ingest, url, settings)
        await ingest.set(cdr_poll=True, pbx_url=url, cdr_user="cdr")
        yield site


@pytest_asyncio.fixture
async def site(
    settings: IngestSettings, event_store: JetStreamEventStore, pbx: KalliopePbx, url: str, clock: FixedClock
) -> AsyncIterator[Site]:
    pbx.records = [lost(NOW - timedelta(hours=1))]
    async with polling(settings, event_store, pbx, url, clock) as one:
        await one.marked(NOW)
        yield one


FIRST = f"{int((NOW - timedelta(hours=1)).timestamp())}.1"


class TestPolling:
    async def test_a_lost_call_of_the_records_is_missed_once_however_often_it_is_read(self, site: Site) -> None:
        assert await site.lost() == [FIRST]
        await site.poll()
        await site.poll()
        assert await site.lost() == [FIRST]
        assert site.polls == 3
        fact = next(one for one in await site.ingest.facts() if isinstance(one, CallMissed))
        assert (fact.queue, fact.waiting_seconds) == ("Vendite", 60)
        assert fact.started_at == NOW - timedelta(hours=1)

    async def test_a_call_that_was_pushed_too_is_the_same_call(self, site: Site) -> None:
        later = lost(NOW + timedelta(minutes=1), "0509999999")
        row = {**later.summary, "details": list(later.legs)}
        assert (await site.ingest.pbx.post("/pbx/cdr", json=[row])).json()["accepted"] == 1
        site.pbx.records.append(later)
        await site.poll()
        assert await site.lost() == [FIRST, later.summary["unique_id"]]

    async def test_a_record_that_appears_late_is_found_by_the_overlap(self, site: Site) -> None:
        await site.poll()
        late = lost(NOW - timedelta(minutes=100), "0508888888")
        site.pbx.records.append(late)
        await site.poll()
        assert set(await site.lost()) == {FIRST, late.summary["unique_id"]}

    async def test_a_person_who_was_erased_is_not_brought_back_by_the_records_that_are_read_again(
        self, site: Site, nats_server: NatsServer, tmp_path: Path
    ) -> None:
        client = site.ingest.store.client
        directory = NatsDirectory(client, read_key(tmp_path / "secrets" / "directory.key"))
        caller = await directory.find("+390501234567")
        assert caller is not None
        site.clock.advance(timedelta(minutes=1))
        await directory.register_erasure(caller, site.clock.now())
        await erase_raw_records(client, "+390501234567")
        await directory.forget(caller)
        assert digits_anywhere(nats_server.folder, b"501234567") == []
        # The overlap has the old record again, and one more of the same person that appears only now.
        late = lost(NOW - timedelta(minutes=90))
        site.pbx.records.append(late)
        await site.poll(timedelta(minutes=4))
        await site.ingest.drained()
        assert await site.lost() == [FIRST, late.summary["unique_id"]]
        assert [one.caller for one in await site.ingest.facts() if isinstance(one, CallMissed)] == [caller, None]
        assert await directory.find("+390501234567") is None
        assert digits_anywhere(nats_server.folder, b"501234567") == []
        assert digits_anywhere(tmp_path, b"501234567") == []

    async def test_a_call_that_still_goes_on_is_judged_when_it_ended(self, site: Site) -> None:
        at = NOW + timedelta(minutes=3)
        site.pbx.records.append(lost(at, end_datetime=""))
        await site.poll()
        assert await site.lost() == [FIRST]
        site.pbx.records[-1] = lost(at)
        await site.poll()
        assert len(await site.lost()) == 2

    async def test_it_is_asked_no_sooner_than_the_interval(self, site: Site) -> None:
        site.clock.advance(timedelta(minutes=4, seconds=59))
        await site.ingest.set(cooldown_minutes=61)  # Something to wait for that has nothing to do with it.
        await asyncio.gather(*(site.ingest.pbx.get("/healthz") for _ in range(20)))
        assert site.polls == 1
        await site.poll(timedelta(seconds=1))
        assert site.polls == 2

    async def test_the_metrics_say_when_it_last_went_well(self, site: Site) -> None:
        text = (await site.ingest.pbx.get("/metrics")).text
        shown = re.search(r'richiamo_poll_last_success_timestamp_seconds\{pbx="main"\} (\S+)', text)
        assert shown is not None
        assert float(shown[1]) == NOW.timestamp()

    @pytest.mark.parametrize("generation", ["2020", "later"])
    @pytest.mark.parametrize("form", ["application/json", "application/xml", "text/csv"])
    async def test_every_form_a_kalliope_answers_in_is_read(
        self, site: Site, form: Form, generation: Generation
    ) -> None:
        site.pbx.only_form, site.pbx.generation = form, generation
        site.pbx.records.append(lost(NOW + timedelta(minutes=2), "0507777777"))
        mark = await site.poll()
        assert mark.trouble is None
        assert len(await site.lost()) == 2

    async def test_a_pbx_that_knows_no_hours_is_asked_for_days(self, site: Site) -> None:
        site.pbx.knows_hours = False
        site.pbx.records.append(lost(NOW + timedelta(minutes=2)))
        assert (await site.poll()).trouble is None
        assert len(await site.lost()) == 2
        assert site.pbx.asked[-1] == "GET /rest/cdr/detailed/2026/03/02"

    async def test_the_times_are_in_the_zone_of_the_pbx(self, site: Site) -> None:
        await site.ingest.set(pbx_timezone="UTC")
        at = NOW + timedelta(minutes=1)
        record = lost(at)
        record.summary["start_datetime"] = f"{at:%Y-%m-%d %H:%M:%S}"
        site.pbx.records.append(record)
        await site.poll()
        facts = [one for one in await site.ingest.facts() if isinstance(one, CallMissed)]
        assert facts[-1].started_at == at


class TestRestart:
    async def test_it_goes_on_where_it_was(
        self, settings: IngestSettings, event_store: JetStreamEventStore, pbx: KalliopePbx, url: str, clock: FixedClock
    ) -> None:
        async with polling(settings, event_store, pbx, url, clock) as site:
            await site.marked(NOW)
        gone = lost(NOW + timedelta(hours=30))
        pbx.records.append(gone)
        clock.advance(timedelta(hours=60))
        async with polling(settings, event_store, pbx, url, clock) as site:
            # The gap of 60 hours is repaired in slices of a day, a minute apart.
            assert (await site.marked(clock.now())).through == NOW + timedelta(hours=24)
            assert await site.lost() == []
            assert (await site.poll(timedelta(minutes=1))).through == NOW + timedelta(hours=48)
            assert await site.lost() == [gone.summary["unique_id"]]
            assert (await site.poll(timedelta(minutes=1))).through == clock.now()

    async def test_two_hours_without_ingest_leave_exactly_the_facts_of_a_day_without_a_gap(
        self, settings: IngestSettings, event_store: JetStreamEventStore, pbx: KalliopePbx, url: str, clock: FixedClock
    ) -> None:
        def call(minute: int) -> Record:
            return lost(NOW + timedelta(minutes=minute), f"0501{minute:06}")

        day = {minute: call(minute) for minute in range(0, 240, 7)}

        def ring(begin: int, end: int) -> None:
            pbx.records.extend(day[minute] for minute in range(begin, end) if minute in day)

        async with polling(settings, event_store, pbx, url, clock) as site:
            await site.marked(NOW)
            for hour_quarter in range(4):
                ring(hour_quarter * 15, hour_quarter * 15 + 15)
                await site.poll(timedelta(minutes=15))
        ring(60, 180)  # Nobody listens, and what was pushed meanwhile is gone.
        clock.advance(timedelta(hours=2))
        pbx.troubles = [PbxFault(status=503)]
        async with polling(settings, event_store, pbx, url, clock) as site:
            assert (await site.marked(clock.now())).trouble is Trouble.REFUSED
            ring(180, 240)
            await site.poll(timedelta(hours=1))
            row = {**day[63].summary, "details": list(day[63].legs)}
            assert (await site.ingest.pbx.post("/pbx/cdr", json=[row])).json()["duplicates"] == 1
            facts = [one for one in await site.ingest.facts() if isinstance(one, CallMissed)]
        told = [(one.call.unique_id, one.started_at, one.queue) for one in facts]
        assert sorted(told) == [
            (record.summary["unique_id"], NOW + timedelta(minutes=minute), "Vendite") for minute, record in day.items()
        ]
        assert len({one.caller for one in facts}) == len(day)

    async def test_two_instances_ask_once(
        self,
        settings: IngestSettings,
        event_store: JetStreamEventStore,
        pbx: KalliopePbx,
        url: str,
        clock: FixedClock,
        tmp_path: Path,
    ) -> None:
        other = settings.model_copy(update={"data_dir": tmp_path / "other"})
        async with running_ingest(other, event_store, clock=clock) as second:
            async with polling(settings, event_store, pbx, url, clock) as site:
                await until(lambda: second.service.site.settings.cdr_poll)
                await site.marked(NOW)
                await site.poll()
                assert site.polls == 2
            # Whichever held the lock is gone or stays: the other goes on.
            clock.advance(FIVE)
            pbx.records.append(lost(NOW + FIVE))
            await Site(pbx, clock, second, url, settings).marked(clock.now())
            assert len([one for one in await second.facts() if isinstance(one, CallMissed)]) == 1

    async def test_of_two_pollers_one_moves_the_mark(self, event_store: JetStreamEventStore) -> None:
        marks = Marks(event_store.client)
        kept = await marks.write("main", first_mark(NOW), after=0)
        await marks.write("main", first_mark(NOW + FIVE), after=kept.position)
        with pytest.raises(MarkMoved):
            await marks.write("main", first_mark(NOW), after=kept.position)
        standing = await marks.read("main")
        assert standing is not None
        assert standing.mark == first_mark(NOW + FIVE)


class TestTrouble:
    @pytest.mark.parametrize(
        ("fault", "trouble"),
        [
            (PbxFault(status=502), Trouble.REFUSED),
            (PbxFault(cut_to_bytes=40), Trouble.UNREADABLE),
            (PbxFault(garbage=b"\x00\xff"), Trouble.UNREADABLE),
            (PbxFault(garbage=b""), Trouble.UNREADABLE),
            (PbxFault(garbage=b"<html><body>Please log in</body></html>"), Trouble.UNREADABLE),
            (PbxFault(garbage=b'{"error": "busy"}'), Trouble.UNREADABLE),
            (PbxFault(delay_seconds=0.8), Trouble.SLOW),
        ],
    )
    async def test_a_bad_answer_leaves_nothing_out(self, site: Site, fault: PbxFault, trouble: Trouble) -> None:
        later = lost(NOW + timedelta(minutes=1))
        site.pbx.records.append(later)
        site.pbx.troubles = [PbxFault(), fault]  # The salt is told well.
        failed = await site.poll()
        assert (failed.trouble, failed.through, failed.failing_since) == (trouble, NOW, NOW + FIVE)
        assert await site.alarms() == [failed.words]
        mended = await site.poll(timedelta(minutes=1))
        assert (mended.trouble, mended.failures, mended.failing_since) == (None, 0, None)
        assert await site.lost() == [FIRST, later.summary["unique_id"]]
        assert await site.alarms() == []
        state = await api(site.ingest.store.client, f"STREAM.INFO.{QUARANTINE}")
        assert state["state"]["messages"] == 0  # type: ignore[index]

    async def test_a_pbx_that_is_away_for_hours_loses_no_call(self, site: Site) -> None:
        password = site.pbx.passwords.pop("cdr")
        for minute in (5, 1, 2, 4, 8, 15, 15):
            assert (await site.poll(timedelta(minutes=minute))).trouble is Trouble.CREDENTIALS
        missed = [lost(NOW + timedelta(minutes=minute), f"05011{minute:05}") for minute in (10, 30, 49)]
        site.pbx.records.extend(missed)
        site.pbx.passwords["cdr"] = password
        await site.poll(timedelta(minutes=15))
        assert sorted(await site.lost()) == sorted([FIRST, *(one.summary["unique_id"] for one in missed)])

    async def test_what_cannot_be_read_is_put_aside_once_and_holds_nothing_up(self, site: Site) -> None:
        site.pbx.records.append(lost(NOW + timedelta(minutes=1), start_datetime="soon"))
        site.pbx.records[-1].summary["start_datetime"] = "2026-03-02 11:01:xx"
        site.pbx.records.append(lost(NOW + timedelta(minutes=2)))
        for _ in range(3):
            assert (await site.poll()).trouble is None
        assert len(await site.lost()) == 2
        state = await api(site.ingest.store.client, f"STREAM.INFO.{QUARANTINE}")
        assert state["state"]["messages"] == 1  # type: ignore[index]

    async def test_masked_numbers_are_an_alarm_with_its_remedy_and_are_read_when_it_is_mended(self, site: Site) -> None:
        site.pbx.privacy.clear()
        later = lost(NOW + timedelta(minutes=1))
        site.pbx.records.append(later)
        failed = await site.poll()
        assert failed.trouble is Trouble.MASKED
        assert failed.through == NOW, "they are read again when the right was given"
        (alarm,) = await site.alarms()
        assert "xxx" in alarm
        assert "right to see whole numbers" in alarm
        assert 'richiamo_numbers_masked{pbx="main"} 1.0' in (await site.ingest.pbx.get("/metrics")).text
        assert await site.lost() == [FIRST]
        site.pbx.privacy.add("cdr")
        await site.poll(timedelta(minutes=1))
        assert await site.lost() == [FIRST, later.summary["unique_id"]]
        assert await site.alarms() == []

    async def test_records_that_cannot_be_kept_are_asked_for_again_after_a_pause(self, site: Site) -> None:
        class FullDisk(Taking):
            async def take(self, reading: Reading, *, pbx: str, received_at: datetime, query: str = "") -> Taken:
                raise OSError(28, "No space left on device")

        service = site.ingest.service
        poller = Poller(site.settings, service.site, service.link, FullDisk(service.intake, service.site), site.clock)
        mark = await poller._poll(first_mark(NOW), service.site.settings)
        assert (mark.trouble, mark.failures, mark.through) == (Trouble.NOT_KEPT, 1, first_mark(NOW).through)
        assert "OSError" in mark.words

    async def test_what_is_not_set_up_is_said_and_nobody_is_asked(self, site: Site) -> None:
        await site.ingest.set(cdr_user="")
        assert (await site.poll()).trouble is Trouble.NOT_SET_UP
        assert site.polls == 1
