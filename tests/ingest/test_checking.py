"""Is it said in words what is wrong with the PBX? Each fault of a simulated Kalliope, by its name."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from richiamo_events.settings import SiteSettings
from richiamo_ingest.checking import check_records, tried
from richiamo_ingest.settings import IngestSettings
from richiamo_kit.clock import FixedClock
from richiamo_kit.errors import Problem
from richiamo_kit.kalliope_rest import KalliopeAccount, PbxTrouble, Trouble, check_log_in
from tests.ingest.polled import lost
from tests.kalliope.pbx import KalliopePbx
from tests.kalliope.pbx import Trouble as PbxFault
from tests.kalliope.running import running

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SETTINGS = IngestSettings(cdr_password=SecretStr("secret"), cdr_timeout_seconds=0.5)
CLOCK = FixedClock(NOW)


@pytest.fixture
def pbx() -> KalliopePbx:
    return KalliopePbx(clock=lambda: NOW, records=[lost(NOW - timedelta(minutes=20))])


@pytest.fixture
def site(pbx: KalliopePbx) -> Iterator[SiteSettings]:
    with running(pbx) as url:
        yield SiteSettings(pbx_url=url, cdr_user="cdr")


async def trouble(site: SiteSettings, settings: IngestSettings = SETTINGS) -> Trouble | None:
    finding = await check_records(site, settings, CLOCK)
    assert finding.words
    return finding.trouble


class TestRecords:
    async def test_all_is_well(self, site: SiteSettings) -> None:
        finding = await check_records(site, SETTINGS, CLOCK)
        assert (finding.trouble, finding.values["calls"]) == (None, 1)
        assert finding.as_json()["ok"] is True

    async def test_the_calls_of_a_day_are_looked_at_when_the_last_hour_had_none(
        self, site: SiteSettings, pbx: KalliopePbx
    ) -> None:
        pbx.records = [lost(NOW - timedelta(hours=20))]
        assert (await check_records(site, SETTINGS, CLOCK)).values["calls"] == 1
        pbx.records = []
        finding = await check_records(site, SETTINGS, CLOCK)
        assert (finding.trouble, finding.values) == (None, {"calls": 0, "newest": None})
        assert "no call" in finding.words

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({"pbx_url": ""}, Trouble.NOT_SET_UP),
            ({"cdr_user": ""}, Trouble.NOT_SET_UP),
            ({"pbx_url": "pbx.example"}, Trouble.ADDRESS),
            ({"pbx_domain": "other"}, Trouble.DOMAIN),
            ({"cdr_user": "nobody"}, Trouble.CREDENTIALS),
            ({"pbx_timezone": "Asia/Tokyo"}, Trouble.TIMEZONE),
        ],
    )
    async def test_a_wrong_setting(self, site: SiteSettings, settings: dict[str, str], expected: Trouble) -> None:
        assert await trouble(site.with_values(settings)) is expected

    async def test_a_wrong_password_or_none(self, site: SiteSettings, tmp_path: Path) -> None:
        assert await trouble(site, SETTINGS.model_copy(update={"cdr_password": SecretStr("no")})) is Trouble.CREDENTIALS
        missing = IngestSettings(cdr_password_file=tmp_path / "nothing")
        assert await trouble(site, missing) is Trouble.NOT_SET_UP

    async def test_the_password_of_a_file(self, site: SiteSettings, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("secret\n")
        assert await trouble(site, IngestSettings(cdr_password_file=tmp_path / "password")) is None

    @pytest.mark.parametrize("minutes", [-7, 7])
    async def test_clocks_apart_are_told_by_how_many_minutes(
        self, site: SiteSettings, pbx: KalliopePbx, minutes: int
    ) -> None:
        pbx.clock = lambda: NOW + timedelta(minutes=minutes)
        with running(pbx) as url:
            finding = await check_records(replace(site, pbx_url=url), SETTINGS, CLOCK)
        assert (finding.trouble, finding.values) == (Trouble.CLOCK, {"minutes": minutes})
        assert f"{minutes} minutes" in finding.words

    async def test_a_user_without_the_right(self, site: SiteSettings, pbx: KalliopePbx) -> None:
        pbx.may_read.discard("cdr")
        assert await trouble(site) is Trouble.RIGHTS

    async def test_masked_numbers(self, site: SiteSettings, pbx: KalliopePbx) -> None:
        pbx.privacy.clear()
        assert await trouble(site) is Trouble.MASKED

    @pytest.mark.parametrize(
        ("faults", "expected"),
        [
            ([PbxFault(garbage=b'{"salt": ""}')], Trouble.NO_KALLIOPE),
            ([PbxFault(garbage=b"<html>a router</html>")], Trouble.NO_KALLIOPE),
            ([PbxFault(status=500)], Trouble.REFUSED),
            ([PbxFault(delay_seconds=0.8)], Trouble.SLOW),
            ([PbxFault(), PbxFault(garbage=b"[{")], Trouble.UNREADABLE),
        ],
    )
    async def test_a_pbx_that_answers_nonsense(
        self, site: SiteSettings, pbx: KalliopePbx, faults: list[PbxFault], expected: Trouble
    ) -> None:
        pbx.troubles = faults
        assert await trouble(site) is expected

    async def test_nobody_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        site = SiteSettings(pbx_url=f"http://127.0.0.1:{port}", cdr_user="cdr")
        assert await trouble(site) is Trouble.UNREACHABLE

    async def test_a_salt_in_xml_is_read_too(self, site: SiteSettings, pbx: KalliopePbx) -> None:
        pbx.only_form = "application/xml"
        assert await trouble(site) is None


class TestDialling:
    async def test_the_user_for_click_to_call_is_let_in_and_nothing_rings(
        self, site: SiteSettings, pbx: KalliopePbx
    ) -> None:
        account = KalliopeAccount(url=site.pbx_url, domain="default", username="click2call", password="c2c")
        await check_log_in(account, CLOCK)
        assert pbx.dialled == []
        with pytest.raises(PbxTrouble, match="user or password"):
            await check_log_in(replace(account, password="no"), CLOCK)


class TestTrying:
    def test_what_is_typed_is_tried_and_what_cannot_be_is_refused(self) -> None:
        assert tried(SiteSettings(), {"cdr_user": "a", "cooldown_minutes": 1}) == SiteSettings(cdr_user="a")
        with pytest.raises(Problem):
            tried(SiteSettings(), {"pbx_url": "ftp://nowhere"})
