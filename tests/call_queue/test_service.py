"""Does the service do what its subjects promise? Asked over real NATS, with its view in real PostgreSQL."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from richiamo_events import subjects
from richiamo_events.ids import CallerId, DialId, ReservationId
from richiamo_events.language import CallFlushed, CallReserved, RecallFailed, RecallStarted, SettingsChanged
from richiamo_kit.errors import Problem
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.call_queue.instances import Site, running
from tests.call_queue.log import ANNA, HELP, missed, new, no_answer, operator, reached, served

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def site(
    event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path
) -> AsyncIterator[Site]:
    async with running(event_store, nats_url, database_url, data_dir, sweeping=False) as made:
        await made.happens(
            operator("anna", extension="201", name="Anna Bianchi"),
            operator("bruno", extension="202"),
            operator("carla", extension=""),
            operator("sara", role="supervisor", extension="300"),
        )
        yield made


async def lost(site: Site, call: int = 1, **more: Any) -> CallerId:
    caller = await site.directory.resolve(f"+3905012345{call:02d}")
    await site.happens(missed(call, caller=caller, **more))
    return caller


async def refused(site: Site, subject: str, username: str = "anna", **payload: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await site.ask(subject, username, **payload)
    return caught.value


async def kinds(site: Site, caller: CallerId) -> list[str]:
    return [type(event.data).__name__ async for event in site.store.read(subject=subjects.caller(caller))]


async def total(site: Site, view: str, username: str = "anna") -> int:
    return (await site.ask("requests", username, view=view))["total"]  # type: ignore[no-any-return]


async def forget_answers(site: Site) -> None:
    """As if the service had died between the log and its notebook."""
    async with await psycopg.AsyncConnection.connect(site.database_url, autocommit=True) as connection:
        await connection.execute("DELETE FROM queue.answer")


async def _reserve_in_the_past(site: Site, caller: CallerId, *, minutes_ago: float, expired_ago: float) -> None:
    now = datetime.now(UTC)
    event = CallReserved(
        caller=caller,
        operator=ANNA,
        reservation=ReservationId("old"),
        expires_at=now - timedelta(minutes=expired_ago),
    )
    await site.happens(replace(new(event), occurred_at=now - timedelta(minutes=minutes_ago)))
    await site.ask("summary")


async def _started_in_the_past(site: Site, caller: CallerId, *, minutes_ago: float) -> None:
    event = RecallStarted(
        caller=caller, operator=ANNA, extension="201", reservation=ReservationId("old"), dial=DialId("old")
    )
    await site.happens(replace(new(event), occurred_at=datetime.now(UTC) - timedelta(minutes=minutes_ago)))
    await site.ask("summary")


class TestOneCaller:
    async def test_a_lost_call_is_reserved_and_called(self, site: Site) -> None:
        caller = await lost(site)
        listed = await site.ask("requests", view="recall")
        assert [(item["number"], item["caller_id"]) for item in listed["items"]] == [("+390501234501", caller)]

        await site.ask("reserve", caller_id=caller)
        assert await total(site, "recall") == 0
        mine = await site.ask("requests", view="mine")
        assert [item["reserved_by_name"] for item in mine["items"]] == ["Anna Bianchi"]

        begun = await site.ask("start_recall", caller_id=caller)
        assert (begun["how"], begun["link"]) == ("link", "tel:+390501234501")
        assert (await total(site, "mine"), await total(site, "calling")) == (0, 1)

        told = (await site.ask("timeline", caller_id=caller))["items"]
        assert [item["kind"] for item in told] == ["call_missed", "call_reserved", "recall_started"]

    async def test_the_unanswered_call_brings_the_row_back_with_one_more_attempt(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("reserve", caller_id=caller)
        begun = await site.ask("start_recall", caller_id=caller)
        now = (datetime.now(UTC) - datetime(2026, 3, 2, 9, 0, tzinfo=UTC)).total_seconds() / 60
        await site.happens(no_answer(2, now, caller=caller))
        (item,) = (await site.ask("requests", view="mine"))["items"]
        assert item["recalled"] == 1
        assert begun["dial_id"]
        told = (await site.ask("timeline", caller_id=caller))["items"]
        assert [item["outcome"] for item in told if item["kind"] == "recall_failed"] == ["no_answer"]

    async def test_the_loser_is_told_who_and_since_when(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("reserve", caller_id=caller)
        problem = await refused(site, "reserve", "bruno", caller_id=caller)
        assert (problem.status, problem.type) == (409, "already-reserved")
        assert (problem.extra["reserved_by"], problem.extra["reserved_by_name"]) == ("anna", "Anna Bianchi")
        assert datetime.fromisoformat(str(problem.extra["since"])).utcoffset() is not None

    async def test_a_settled_caller_is_nothing_to_recall_and_an_unknown_one_is_not_found(self, site: Site) -> None:
        caller = await lost(site)
        await site.happens(served(2, 1, caller=caller))
        assert (await refused(site, "reserve", caller_id=caller)).type == "nothing-to-recall"
        assert (await refused(site, "reserve", caller_id="nobody")).status == 404
        assert (await refused(site, "timeline", caller_id="nobody")).status == 404

    async def test_a_caller_of_a_queue_one_may_not_see_is_not_found(self, site: Site) -> None:
        caller = await lost(site)
        assert (await refused(site, "reserve", caller_id=caller, user={"queues": [HELP]})).status == 404

    async def test_release_gives_back_to_everybody(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("reserve", caller_id=caller)
        await site.ask("release", caller_id=caller)
        await site.ask("reserve", "bruno", caller_id=caller)
        assert await total(site, "mine", "bruno") == 1

    async def test_put_back_shows_the_row_again(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("reserve", caller_id=caller)
        await site.ask("start_recall", caller_id=caller)
        assert (await refused(site, "show", "bruno", caller_id=caller)).status == 409
        await site.ask("show", caller_id=caller)
        (item,) = (await site.ask("requests", view="mine"))["items"]
        assert item["recalled"] == 0

    async def test_an_answering_machine_opens_the_request_again(self, site: Site) -> None:
        caller = await lost(site)
        now = (datetime.now(UTC) - datetime(2026, 3, 2, 9, 0, tzinfo=UTC)).total_seconds() / 60
        await site.happens(reached(2, now, caller=caller))
        assert await total(site, "all", "sara") == 0
        await site.ask("dispute", caller_id=caller, call="main:call-2")
        assert await total(site, "all", "sara") == 1

    async def test_after_the_day_of_the_call_nobody_can_say_so(self, site: Site) -> None:
        caller = await lost(site)
        await site.happens(reached(2, 5, caller=caller))
        for who in ("anna", "sara"):
            refusal = await refused(site, "dispute", who, caller_id=caller, call="main:call-2")
            assert (refusal.status, refusal.type) == (409, "not-your-call")
            assert "on the day of the call only" in refusal.detail


class TestSupervising:
    async def test_assign_move_and_take_away(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("assign", "sara", caller_id=caller, operator="anna")
        await site.ask("assign", "sara", caller_id=caller, operator="bruno")
        (item,) = (await site.ask("callers", "sara"))["items"]
        assert (item["reserved_by"], item["expires_at"]) == ("bruno", None)
        await site.ask("unassign", "sara", caller_id=caller)
        assert await total(site, "recall") == 1

    async def test_only_active_users_with_an_extension_that_is_picked(self, site: Site) -> None:
        caller = await lost(site)
        for name in ("carla", "nobody"):
            assert (await refused(site, "assign", "sara", caller_id=caller, operator=name)).type == "not-assignable"
        await site.happens(SettingsChanged(values={"operator_extensions": ["202"]}))
        await site.services[0].catch_up_site()
        await site.ask("assign", "sara", caller_id=caller, operator="bruno")
        problem = await refused(site, "assign", "sara", caller_id=caller, operator="anna")
        assert problem.type == "not-assignable"

    async def test_shared_out_by_present_load(self, site: Site) -> None:
        callers = [await lost(site, number) for number in range(5)]
        await site.ask("reserve", "anna", caller_id=callers[0])
        await site.ask("assign_many", "sara", caller_ids=callers[1:], operators=["anna", "bruno"])
        items = (await site.ask("callers", "sara"))["items"]
        held = [item["reserved_by"] for item in items]
        assert sorted((held.count("anna"), held.count("bruno"))) == [2, 3]

    async def test_nobody_is_given_a_customer_whose_row_they_would_not_see(self, site: Site) -> None:
        await site.happens(operator("dora", extension="204", queues=(HELP,)))
        await site.services[0].catch_up_site()
        elsewhere, hers = await lost(site, 1), await lost(site, 2, queue=HELP)
        problem = await refused(site, "assign", "sara", caller_id=elsewhere, operator="dora")
        assert problem.type == "not-assignable"
        assert "none of the queues" in problem.detail
        both = {"caller_ids": [elsewhere, hers], "operators": ["dora", "bruno"]}
        await site.ask("assign_many", "sara", **both)
        held = {item["caller_id"]: item["reserved_by"] for item in (await site.ask("callers", "sara"))["items"]}
        assert held[elsewhere] == "bruno"
        alone = both | {"operators": ["dora"]}
        assert (await refused(site, "assign_many", "sara", **alone)).type == "not-assignable"

    async def test_a_supervisor_closes_nothing_of_a_queue_that_is_out_of_sight(self, site: Site) -> None:
        caller = await lost(site, 1)
        await site.happens(missed(2, caller=caller, queue=HELP))
        flush = await site.ask("flush", "sara", caller_ids=[caller], reason="", user={"queues": [HELP]})
        assert [item["queue"] for item in (await site.ask("requests", "sara", view="all"))["items"]] != [HELP]
        assert await total(site, "all", "sara") == 1
        await site.ask("undo_flush", "sara", flush_id=flush["flush_id"])
        assert await total(site, "all", "sara") == 2

    async def test_an_operator_may_not(self, site: Site) -> None:
        caller = await lost(site)
        assert (await refused(site, "assign", caller_id=caller, operator="anna")).status == 403
        assert (await refused(site, "unassign", caller_id=caller)).status == 403
        assert (await refused(site, "flush", caller_ids=[caller], reason="")).status == 403
        assert (await refused(site, "undo_flush", flush_id="f")).status == 403
        assert (await refused(site, "erase", "sara", caller_id=caller)).status == 403
        assert (await refused(site, "requests", view="all")).status == 403
        assert (await refused(site, "callers")).status == 403

    async def test_flush_closes_all_and_undo_brings_all_back(self, site: Site) -> None:
        callers = [await lost(site, number) for number in range(30)]
        await site.ask("reserve", caller_id=callers[0])
        flush = await site.ask("flush", "sara", caller_ids=callers, reason="campagna")
        assert (flush["callers"], flush["reserved"], flush["being_called"]) == (30, 1, 0)
        assert await total(site, "all", "sara") == 0
        assert (await refused(site, "flush", "sara", caller_ids=callers, reason="")).type == "nothing-to-flush"
        await site.ask("undo_flush", "sara", flush_id=flush["flush_id"])
        assert await total(site, "all", "sara") == 30
        assert await total(site, "mine") == 0
        assert (await refused(site, "undo_flush", "sara", flush_id="never")).status == 404

    async def test_one_unknown_caller_keeps_all_others_open(self, site: Site) -> None:
        caller = await lost(site)
        assert (await refused(site, "flush", "sara", caller_ids=[caller, "nobody"], reason="")).status == 404
        assert await total(site, "all", "sara") == 1

    async def test_hand_back_releases_all_that_one_holds(self, site: Site) -> None:
        for number in range(3):
            await site.ask("reserve", caller_id=await lost(site, number))
        assert (await site.ask("hand_back", username="anna", why="logout"))["callers"] == 3
        assert await total(site, "recall") == 3

    async def test_erase_closes_and_forgets(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("erase", "root", caller_id=caller, reason="gdpr")
        assert await total(site, "all", "sara") == 0
        assert await site.directory.number_of(caller) is None
        assert (await site.ask("timeline", caller_id=caller))["number"] == ""


class TestTheSameCommandTwice:
    async def test_has_one_effect_and_one_answer(self, site: Site) -> None:
        caller = await lost(site)
        first = await site.ask("reserve", caller_id=caller, key="k1")
        await site.ask("release", caller_id=caller)
        assert await site.ask("reserve", caller_id=caller, key="k1") == first
        assert await total(site, "mine") == 0

    async def test_also_when_the_answer_was_lost_in_a_crash(self, site: Site) -> None:
        caller = await lost(site)
        first = await site.ask("reserve", caller_id=caller, key="k1")
        dial = await site.ask("start_recall", caller_id=caller, key="k2")
        flush = await site.ask("flush", "sara", caller_ids=[caller], reason="", key="k3")
        await forget_answers(site)
        assert await site.ask("reserve", caller_id=caller, key="k1") == first
        assert await site.ask("start_recall", caller_id=caller, key="k2") == dial
        again = await site.ask("flush", "sara", caller_ids=[caller], reason="", key="k3")
        assert (again["flush_id"], again["position"]) == (flush["flush_id"], flush["position"])
        assert await kinds(site, caller) == ["CallMissed", "CallReserved", "RecallStarted", "CallFlushed"]

    async def test_a_refusal_is_repeated_too(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("reserve", "bruno", caller_id=caller)
        first = await refused(site, "reserve", caller_id=caller, key="k1")
        await site.ask("release", "bruno", caller_id=caller)
        assert (await refused(site, "reserve", caller_id=caller, key="k1")).as_json() == first.as_json()
        assert await site.ask("reserve", caller_id=caller, key="k2")

    async def test_a_key_of_somebody_else_is_another_command(self, site: Site) -> None:
        one, two = await lost(site, 1), await lost(site, 2)
        await site.ask("reserve", "anna", caller_id=one, key="k1")
        await site.ask("reserve", "bruno", caller_id=two, key="k1")
        assert (await total(site, "mine", "anna"), await total(site, "mine", "bruno")) == (1, 1)


class TestTimers:
    async def test_a_forgotten_reservation_ends_once(self, site: Site) -> None:
        caller = await lost(site)
        await site.happens(SettingsChanged(values={"reservation_minutes": 1}))
        await site.services[0].catch_up_site()
        await _reserve_in_the_past(site, caller, minutes_ago=5, expired_ago=4)
        assert await site.sweeps() == 1
        assert await site.sweeps() == 0
        assert (await kinds(site, caller))[-1] == "ReservationReleased"
        assert (await site.ask("requests", view="recall", min_position=await site.store.last_position()))["total"] == 1

    async def test_the_holders_activity_keeps_it(self, site: Site) -> None:
        caller = await lost(site)
        await _reserve_in_the_past(site, caller, minutes_ago=50, expired_ago=20)
        other = await lost(site, 2)
        await site.ask("reserve", caller_id=other)
        await site.services[0].sweep.write_activity()
        assert await site.sweeps() == 0
        assert (await kinds(site, caller))[-1] == "CallReserved"

    async def test_a_recall_that_never_reported_back_ends(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("reserve", caller_id=caller)
        held = (await site.ask("requests", view="mine"))["items"][0]
        assert held["state"] == "reserved"
        await _started_in_the_past(site, caller, minutes_ago=20)
        assert await site.sweeps() == 1
        last = [event async for event in site.store.read(subject=subjects.caller(caller))][-1]
        assert isinstance(last.data, RecallFailed)
        assert (last.data.outcome, last.data.call, last.actor) == ("unknown", None, "system")
        site.position = last.position
        assert await total(site, "mine") == 1

    async def test_requests_too_old_are_flushed_by_age(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("summary")
        assert await site.sweeps() == 0
        await site.happens(SettingsChanged(values={"close_after_days": 30}))
        await site.ask("requests", view="recall")
        await site.services[0].catch_up_site()
        assert await site.sweeps() == 1
        last = [event async for event in site.store.read(subject=subjects.caller(caller))][-1]
        assert isinstance(last.data, CallFlushed)
        assert (last.data.reason, last.data.by) == ("age", "system")


class TestTelling:
    async def test_every_commit_is_told_with_its_position_and_callers(self, site: Site) -> None:
        heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def hear(message: Any) -> None:
            heard.put_nowait(json.loads(message.data))

        await site.store.client.subscribe("richiamo.changes", cb=hear)
        await site.store.client.flush()
        caller = await lost(site)
        while True:
            told = await asyncio.wait_for(heard.get(), 60)
            if told.get("callers"):
                break
        assert told == {"position": site.position, "callers": [caller]}


class TestTheTimeline:
    async def test_one_call_reported_twice_is_one_item(self, site: Site) -> None:
        caller = await lost(site)
        await site.happens(missed(1, caller=caller), served(2, 1, caller=caller))
        told = (await site.ask("timeline", caller_id=caller))["items"]
        assert [(item["kind"], len(item["reports"])) for item in told] == [("call_missed", 2), ("call_served", 1)]

    async def test_calls_before_the_first_lost_one_are_in_it(self, site: Site) -> None:
        caller = await site.directory.resolve("+390501234509")
        await site.happens(new(served(1, 0, caller=caller), subject=subjects.elsewhere(caller)))
        await site.happens(missed(2, 5, caller=caller))
        told = (await site.ask("timeline", caller_id=caller))["items"]
        assert [item["kind"] for item in told] == ["call_served", "call_missed"]
