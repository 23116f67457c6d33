"""Do other rules change the figures they should, and leave the real view and the log alone?"""

from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import sql

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallId
from richiamo_events.language import Rank, RecallSucceeded, SettingsChanged
from richiamo_events.settings import SiteSettings
from richiamo_kit import database
from richiamo_kit.directory import NatsDirectory, read_key
from richiamo_kit.errors import Problem
from richiamo_kit.projector import Projector
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_ops.endpoints import Endpoints
from richiamo_ops.site import Site
from richiamo_ops.what_if import compared, settings_of
from richiamo_reporting.facts.projection import ReportingFacts
from richiamo_reporting.questions import Question, read
from tests.ops.test_rebuild import NOON, lose

pytestmark = pytest.mark.servers


async def test_a_higher_threshold_turns_a_success_into_an_attempt(
    event_store: JetStreamEventStore, database_url: str, tmp_path: Path
) -> None:
    site = Site(
        store=event_store,
        directory=NatsDirectory(event_store.client, read_key(tmp_path / "directory.key")),
        database_url=database_url,
        defaults=SiteSettings(),
        found=Endpoints("", "", "", "", 0),
    )
    await event_store.append(
        [
            NewEvent(
                id="s1",
                subject=subjects.SETTINGS,
                data=SettingsChanged(values={"success_threshold_seconds": 6}),
                occurred_at=NOON,
                actor="user:admin",
                correlation_id="k",
            )
        ]
    )
    await lose(site, 1)
    caller = await site.directory.resolve("+390501000001")
    await event_store.append(
        [
            NewEvent(
                id="r1",
                subject=subjects.caller(caller),
                data=RecallSucceeded(
                    caller=caller,
                    call=CallId("main", "9.0"),
                    rank=Rank.LEGS,
                    received_at=NOON + timedelta(minutes=9),
                    started_at=NOON + timedelta(minutes=5),
                    answered_at=NOON + timedelta(minutes=6),
                    ended_at=NOON + timedelta(minutes=6, seconds=8),
                    talk_seconds=8.0,
                ),
                occurred_at=NOON,
                actor="pbx:main",
                correlation_id="k",
            )
        ]
    )
    await Projector(event_store, ReportingFacts(site.defaults), database_url).catch_up()
    question = read(Question, {"from": "2026-03-02", "to": "2026-03-02"})
    rows = await compared(site, {"success_threshold_seconds": 10}, question)
    changed = {(figure, now, other) for day, figure, now, other in rows if day == "period" and now != other}
    assert changed == {("recalled", 1, 0), ("unanswered", 0, 1)}
    async with await database.connect(database_url, autocommit=True) as another:
        for schema in ("what_if_killed", "what_if_running"):
            await another.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        assert await database.try_lock(another, "what if what_if_running")
        assert all(now == other for _, _, now, other in await compared(site, {}, question))
        left = await another.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'what_if%'")
        assert await left.fetchall() == [("what_if_running",)], "what a killed run left is gone, what runs is not"
    assert await event_store.last_position() == 3


def test_a_setting_that_is_none_is_refused_in_words() -> None:
    assert settings_of(["success_threshold_seconds=10", "country=DE"]) == {
        "success_threshold_seconds": 10,
        "country": "DE",
    }
    for wrong in ("success_threshold_seconds", "nonsense=1", "cooldown_minutes=-1"):
        with pytest.raises(Problem):
            settings_of([wrong])
