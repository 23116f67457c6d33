"""Does the fold obey the rules? Examples by rule, and generated histories against the naive fold."""

import random
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from richiamo_events import subjects
from richiamo_events.caller import Caller, Settled, Waiting, dump, evolve, load, standing, unknown
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallId, DialId, FlushId, ReservationId, Username
from richiamo_events.language import (
    CallerEvent,
    CallFlushed,
    CallMissed,
    CallReserved,
    CallServed,
    Event,
    FlushUndone,
    Rank,
    RecallDisputed,
    RecallFailed,
    RecallOutcome,
    RecallStarted,
    RecallSucceeded,
    SettingsChanged,
)
from richiamo_events.requests import episodes
from richiamo_events.settings import Rules, SiteSettings
from tests.events.histories import CALLER, NOON, decisions, facts
from tests.events.naive import Told, tell

RULES = Rules.initial(SiteSettings())


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(number: int) -> CallId:
    return CallId("main", f"{int(NOON.timestamp())}.{number}")


def recorded(position: int, data: Event, occurred_at: datetime = NOON, event_id: str = "") -> Recorded:
    return Recorded(
        position=position,
        recorded_at=occurred_at,
        id=event_id or f"e{position}",
        subject=subjects.caller(CALLER),
        data=data,
        occurred_at=occurred_at,
        actor="test",
        correlation_id="",
        causation_id="",
    )


def fold(*events: Event | tuple[datetime, Event], rules: Rules = RULES) -> Caller:
    state = unknown(CALLER)
    for position, entry in enumerate(events, start=1):
        occurred_at, data = entry if isinstance(entry, tuple) else (NOON, entry)
        state = evolve(state, recorded(position, data, occurred_at), rules)
    return state


def missed(number: int, seconds: float, queue: str = "Vendite", rank: Rank = Rank.LEGS) -> CallMissed:
    return CallMissed(
        caller=CALLER,
        call=call(number),
        rank=rank,
        received_at=at(seconds),
        started_at=at(seconds) if rank >= Rank.SUMMARY else None,
        queue=queue,
    )


def served(number: int, answered: float, rank: Rank = Rank.LEGS) -> CallServed:
    return CallServed(
        caller=CALLER,
        call=call(number),
        rank=rank,
        received_at=at(answered),
        started_at=at(answered - 2),
        queue="Vendite",
        answered_at=at(answered),
        talk_seconds=30,
    )


def recall(
    number: int, started: float, talk: float = 0.0, extension: str = "204", operator: str = "anna"
) -> RecallSucceeded | RecallFailed:
    if talk > 5:
        return RecallSucceeded(
            caller=CALLER,
            call=call(number),
            rank=Rank.LEGS,
            received_at=at(started + talk + 10),
            started_at=at(started),
            extension=extension,
            operator=Username(operator),
            answered_at=at(started + 8),
            ended_at=at(started + 8 + talk),
            talk_seconds=talk,
        )
    return RecallFailed(
        caller=CALLER,
        call=call(number),
        rank=Rank.LEGS,
        received_at=at(started + talk + 10),
        started_at=at(started),
        extension=extension,
        operator=Username(operator),
        answered_at=at(started + 8) if talk else None,
        ended_at=at(started + 8 + talk),
        talk_seconds=talk,
        outcome=RecallOutcome.SHORT_TALK if talk else RecallOutcome.NO_ANSWER,
    )


RESERVED = CallReserved(caller=CALLER, operator=Username("anna"), reservation=ReservationId("r1"), expires_at=at(1800))
DIALLED = RecallStarted(
    caller=CALLER, operator=Username("anna"), extension="204", reservation=ReservationId("r1"), dial=DialId("d1")
)


class TestRule1OneCallIsOneMissedCall:
    def test_three_reports_of_one_call_are_one(self) -> None:
        caller = fold(missed(1, 2, rank=Rank.ROUTING), missed(1, 3, rank=Rank.NOTIFICATION), missed(1, 0))
        assert [len(request.calls) for request in caller.requests] == [1]

    def test_the_record_s_queue_leads(self) -> None:
        caller = fold(missed(1, 5), missed(1, 9, queue="altra", rank=Rank.ROUTING))
        assert [request.queue for request in caller.requests] == ["Vendite"]

    def test_an_answer_withdraws_the_loss(self) -> None:
        caller = fold(missed(1, 0, rank=Rank.ROUTING), RESERVED, served(1, 10))
        assert caller.requests == ()
        assert standing(caller) == Settled()
        assert caller.reservation is None

    def test_an_old_unique_id_dates_the_call_by_its_reception(self) -> None:
        caller = fold(
            CallMissed(
                caller=CALLER,
                call=CallId("main", "1511212918.0"),
                rank=Rank.ROUTING,
                received_at=at(0.7),
                queue="Assistenza",
            )
        )
        assert caller.requests[0].opened_at == NOON


class TestRules3To5:
    def test_calls_on_one_queue_share_a_request_and_another_queue_has_its_own(self) -> None:
        caller = fold(missed(1, 0), missed(2, 10), missed(3, 20, queue="Assistenza"))
        assert [(request.queue, len(request.calls)) for request in caller.open_requests] == [
            ("Vendite", 2),
            ("Assistenza", 1),
        ]

    def test_exactly_five_seconds_of_talk_do_not_close(self) -> None:
        caller = fold(missed(1, 0), recall(2, 60, talk=5.0))
        assert isinstance(standing(caller), Waiting)
        assert caller.attempts[0].outcome is RecallOutcome.SHORT_TALK
        assert len(caller.requests[0].tried_at) == 1

    def test_more_than_five_seconds_close_all_queues(self) -> None:
        caller = fold(missed(1, 0), missed(2, 5, queue="Assistenza"), recall(3, 60, talk=5.2))
        assert [request.closed_by for request in caller.requests] == ["recalled", "recalled"]
        assert {request.closed_at for request in caller.requests} == {at(68)}

    def test_the_threshold_in_force_at_the_answer_decides(self) -> None:
        change = Recorded(
            position=1,
            recorded_at=at(100),
            id="s",
            subject=subjects.SETTINGS,
            data=SettingsChanged(values={"success_threshold_seconds": 10}),
            occurred_at=at(100),
            actor="user:admin",
            correlation_id="",
            causation_id="",
        )
        rules = RULES.changed(change)
        assert fold(missed(1, 0), recall(2, 60, talk=8), rules=rules).requests[0].closed_by == "recalled"
        assert fold(missed(1, 0), recall(2, 160, talk=8), rules=rules).requests[0].closed_by is None

    def test_a_recall_of_yesterday_closes_nothing_that_was_lost_today(self) -> None:
        caller = fold(missed(1, 100), recall(2, 0, talk=20))
        assert caller.requests[0].is_open
        assert caller.attempts[0].tried == ()

    def test_an_answer_on_any_queue_serves_all(self) -> None:
        caller = fold(missed(1, 0), missed(2, 1, queue="Assistenza"), served(3, 50))
        assert [request.closed_by for request in caller.requests] == ["served", "served"]

    def test_an_answering_machine_is_a_short_talk(self) -> None:
        caller = fold(
            missed(1, 0), recall(2, 60, talk=20), RecallDisputed(caller=CALLER, call=call(2), by=Username("anna"))
        )
        assert caller.requests[0].is_open
        assert caller.attempts[0].outcome is RecallOutcome.SHORT_TALK


class TestRules6And7TheRowHidesAndComesBack:
    def test_the_holder_gets_the_row_back_after_a_call_in_vain(self) -> None:
        caller = fold(missed(1, 0), RESERVED, (at(30), DIALLED), recall(2, 32))
        assert caller.recall is None
        assert caller.hidden is None
        assert caller.reservation is not None
        assert len(caller.requests[0].tried_at) == 1

    def test_the_record_of_an_earlier_call_does_not_end_the_recall(self) -> None:
        caller = fold(missed(1, 0), RESERVED, (at(300), DIALLED), recall(2, 32))
        assert caller.recall is not None

    def test_a_call_in_vain_by_somebody_else_rests_the_row_for_the_cool_down(self) -> None:
        caller = fold(missed(1, 0), RESERVED, recall(2, 60, extension="205", operator="bruno"))
        assert caller.hidden is not None
        assert caller.hidden.until == at(68 + 3600)
        assert caller.reservation is not None

    def test_the_customer_who_rings_again_ends_the_rest(self) -> None:
        caller = fold(missed(1, 0), recall(2, 60, extension="205", operator="bruno"), missed(3, 90))
        assert caller.hidden is None

    def test_an_unknown_end_is_no_attempt(self) -> None:
        lost = RecallFailed(
            caller=CALLER,
            call=None,
            received_at=at(900),
            started_at=at(30),
            dial=DialId("d1"),
            ended_at=at(900),
            outcome=RecallOutcome.UNKNOWN,
        )
        caller = fold(missed(1, 0), RESERVED, (at(30), DIALLED), lost)
        assert caller.recall is None
        assert caller.attempts == ()
        assert caller.hidden is None


class TestRule14AFlushNamesItsCalls:
    FLUSH = CallFlushed(caller=CALLER, flush=FlushId("f"), by="user:eva", reason="done", calls=(call(1),))

    def test_the_customer_on_hold_during_the_flush_is_not_lost(self) -> None:
        caller = fold(missed(1, 0), (at(100), self.FLUSH), missed(2, 90))
        assert [(request.closed_by, request.opened_at) for request in caller.requests] == [
            ("flushed", at(0)),
            (None, at(90)),
        ]

    def test_what_was_answered_before_wins_however_late_its_record(self) -> None:
        caller = fold(missed(1, 0), (at(100), self.FLUSH), recall(2, 60, talk=20))
        assert [request.closed_by for request in caller.requests] == ["recalled"]

    def test_a_flushed_request_stays_flushed_when_a_recall_is_answered_after(self) -> None:
        caller = fold(missed(1, 0), (at(100), self.FLUSH), recall(2, 95, talk=20))
        assert [request.closed_by for request in caller.requests] == ["flushed"]

    def test_undo_makes_it_as_if_never_made(self) -> None:
        undo = FlushUndone(caller=CALLER, flush=FlushId("f"), by="user:eva")
        caller = fold(missed(1, 0), RESERVED, (at(100), self.FLUSH), missed(2, 90), (at(120), undo))
        assert [(len(request.calls), request.closed_by) for request in caller.requests] == [(2, None)]
        assert caller.reservation is None, "a reservation that ended does not return"


def test_a_changed_rule_is_heeded_by_what_follows_from_facts_of_before() -> None:
    # A PBX whose clock runs ahead dates the answer after a change that the log holds behind it.
    rules = RULES
    state = unknown(CALLER)
    log: list[tuple[Event, datetime]] = [
        (missed(1, 0), at(0)),
        (recall(2, 300, talk=8), at(200)),
        (SettingsChanged(values={"success_threshold_seconds": 10.0}), at(250)),
        (missed(3, 900), at(900)),
    ]
    for position, (data, when) in enumerate(log, start=1):
        event = recorded(position, data, when)
        rules = rules.changed(event)
        state = evolve(state, event, rules)
    assert [request.is_open for request in state.requests] == [True]
    assert state.episodes == episodes(state.history, rules)


@settings(max_examples=400, deadline=None)
@given(st.lists(facts(), min_size=1, max_size=14), decisions(), st.randoms(use_true_random=False))
def test_any_order_with_any_duplicates_gives_what_the_naive_fold_tells(
    happened: list[CallerEvent], decided: list[tuple[datetime, CallerEvent]], chance: random.Random
) -> None:
    log = [(f"fact-{number}", NOON, fact) for number, fact in enumerate(happened)]
    made = [(f"decision-{number}", when, data) for number, (when, data) in enumerate(decided)]
    expected = tell([*log, *made], threshold=5.0)

    arrived = [*log, *chance.sample(log, k=len(log) // 2)]
    chance.shuffle(arrived)
    for index, decision in enumerate(made):
        # Decisions keep their own order; facts fall around them as they like.
        arrived.insert(chance.randint(index, len(arrived)) if index == 0 else len(arrived), decision)

    state = unknown(CALLER)
    for position, (event_id, occurred_at, data) in enumerate(arrived, start=1):
        event = recorded(position, data, occurred_at, event_id)
        state = evolve(state, event, RULES)
        assert evolve(state, event, RULES) == state
        assert state.episodes == episodes(state.history, RULES), "going on gives what going through all again gives"
    assert [
        Told(
            id=str(request.id),
            queue=request.queue,
            calls=tuple(str(lost.call) for lost in request.calls),
            tried_at=request.tried_at,
            closed_at=request.closed_at,
            closed_by=request.closed_by,
            closing_call=None if request.closing_call is None else str(request.closing_call),
        )
        for request in state.requests
    ] == expected
    assert load(dump(state)) == state
