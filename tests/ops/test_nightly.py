"""Is the night found, whatever the clocks do, and is a breach found, said and measured?"""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from richiamo_kit import database
from richiamo_kit.directory import read_key
from richiamo_kit.projector import Projector
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.bench.filling import fill
from richiamo_ops.nightly import next_night, one_night
from richiamo_ops.site import reached
from richiamo_ops.views import VIEWS
from richiamo_reporting.settings import Settings
from tests.reporting.test_service import running

ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-03-02T01:00+00:00", "2026-03-02T02:30+00:00"),
        ("2026-03-02T02:30+00:00", "2026-03-03T02:30+00:00"),
        ("2026-03-28T12:00+00:00", "2026-03-29T01:30+00:00"),
        ("2026-10-24T22:30+00:00", "2026-10-25T02:30+00:00"),
        ("2026-10-25T00:30+00:00", "2026-10-25T02:30+00:00"),
    ],
)
def test_the_night_is_half_past_three_on_the_sites_clock(now: str, night: str) -> None:
    found = next_night(datetime.fromisoformat(now), ROME)
    assert found == datetime.fromisoformat(night)
    assert found.tzinfo is UTC


@pytest.mark.servers
async def test_a_whole_night_checks_everything_says_what_is_wrong_and_is_measured(
    event_store: JetStreamEventStore,
    nats_url: str,
    database_url: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (("NATS_URL", nats_url), ("DATABASE_URL", database_url), ("DATA_DIR", str(data_dir))):
        monkeypatch.setenv(f"RICHIAMO_{name}", value)
    settings = Settings(nats_url=SecretStr(nats_url), database_url=SecretStr(database_url), data_dir=data_dir)
    read_key(data_dir / "secrets" / "directory.key")
    async with reached("test") as site:
        await fill(site, past=300, waiting=20, told=lambda _: None)
        for name, make in VIEWS.items():
            if name not in {"reporting", "audit"}:
                await Projector(site.store, make(site, ""), database_url).catch_up()
        newest = await site.store.last_position()
    async with running(settings) as service, AsyncExitStack() as stack:
        trail = asyncio.ensure_future(service.trail.run())
        stack.callback(trail.cancel)
        async with asyncio.timeout(60):
            while min(service.projector.position, service.trail.position) < newest:
                await asyncio.sleep(0.02)
        assert await one_night() == 0
        assert sentences(capsys) == []
        assert faults_measured() == 0
        async with await database.connect(database_url, autocommit=True) as connection:
            await connection.execute("UPDATE view_calls.calls_v1 SET caller_id = 'nobody'")
            await connection.execute("UPDATE view_reporting.daily_requests SET n = n + 1")
        faults = await one_night()
        told = sentences(capsys)
        assert faults == len(told) == faults_measured()
        assert "calls: 460 rows of calls_v1 are not what the log says; run: richiamo rebuild calls" in told
        assert any(
            " rows of daily_requests are not what the log says; run: richiamo rebuild reporting" in one for one in told
        )
        assert any(one.startswith("reports: S (dashboard total) does not hold for ") for one in told)


def sentences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed, but for the log lines of the service beside."""
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith("20")]


def faults_measured() -> float | None:
    return REGISTRY.get_sample_value("richiamo_check_faults")
