"""Does each command cause the right events, refuse what the rules refuse, and stay quiet on repeat?"""

from dataclasses import replace

from richiamo_events.ids import DialId, FlushId, ReservationId, Username
from richiamo_events.language import (
    CallAssigned,
    CallerErased,
    CallerShown,
    CallFlushed,
    CallReserved,
    FlushUndone,
    RecallDisputed,
    RecallOutcome,
    RecallStarted,
    ReleaseReason,
)
from richiamo_queue.caller.commands import (
    Dispute,
    EndRecall,
    Erase,
    Flush,
    Show,
    Unassign,
    UndoFlush,
)
from richiamo_queue.caller.errors import (
    AlreadyReserved,
    BeingCalled,
    HiddenForNow,
    NotAssignable,
    NothingToRecall,
    NotReserved,
    NotYourCall,
)
from tests.call_queue.deciding import (
    HALF_AN_HOUR,
    ROSSI,
    SARA,
    assign,
    expire,
    failed,
    given,
    hand_back,
    release,
    released,
    reserve,
    start,
)
from tests.call_queue.log import (
    ANNA,
    BRUNO,
    HELP,
    assigned,
    call_id,
    flushed,
    minutes,
    missed,
    no_answer,
    reached,
    recorded,
    reserved,
    served,
    standing_after,
    started,
)


class TestReserving:
    def test_a_waiting_caller_is_reserved_for_the_lease(self) -> None:
        given(missed(1)).when(reserve()).then(
            CallReserved(caller=ROSSI, operator=ANNA, reservation=ReservationId("new"), expires_at=minutes(40))
        )

    def test_what_one_holds_already_stays_as_it_is(self) -> None:
        given(missed(1), reserved()).when(reserve()).then_nothing()

    def test_a_caller_somebody_else_holds_is_refused_by_name(self) -> None:
        refusal = given(missed(1), (3, reserved(ANNA))).when(reserve(BRUNO)).then_rejects(AlreadyReserved)
        assert refusal.extra["reserved_by"] == "anna"
        assert refusal.extra["since"] == minutes(3).isoformat()

    def test_a_caller_lost_in_two_queues_is_held_as_one(self) -> None:
        given(missed(1), missed(2, queue=HELP), reserved(ANNA)).when(reserve(BRUNO)).then_rejects(AlreadyReserved)

    def test_nothing_open_is_nothing_to_recall(self) -> None:
        given(missed(1), served(2, 5)).when(reserve()).then_rejects(NothingToRecall)

    def test_a_released_caller_can_be_reserved_by_another(self) -> None:
        past = given(missed(1), reserved(ANNA), released("anna", ReleaseReason.OPERATOR))
        assert past.when(reserve(BRUNO)).events

    def test_a_caller_being_called_without_a_reservation_is_refused(self) -> None:
        past = given(missed(1), reserved(), started(), released("sara", ReleaseReason.SUPERVISOR))
        past.when(reserve(BRUNO)).then_rejects(BeingCalled)
        assert past.when(reserve(ANNA)).events

    def test_a_cool_down_is_for_supervisors_to_end(self) -> None:
        past = given(missed(1), (5, no_answer(2, 5, by=BRUNO)))
        past.when(reserve(ANNA, 10)).then_rejects(HiddenForNow)
        assert past.when(reserve(SARA, 10, supervises=True)).events
        assert past.when(reserve(ANNA, 66)).events


class TestReleasing:
    def test_the_holder_gives_back(self) -> None:
        given(missed(1), reserved()).when(release()).then(released("anna", ReleaseReason.OPERATOR))

    def test_nobody_holds_it_already_so(self) -> None:
        given(missed(1)).when(release()).then_nothing()

    def test_somebody_else_cannot(self) -> None:
        given(missed(1), reserved()).when(release(BRUNO)).then_rejects(AlreadyReserved)

    def test_a_supervisor_can(self) -> None:
        given(missed(1), reserved()).when(release(SARA, supervises=True)).then(
            released("sara", ReleaseReason.SUPERVISOR)
        )


class TestHandingBack:
    def test_who_leaves_gives_back(self) -> None:
        given(missed(1), reserved()).when(hand_back()).then(released("anna", ReleaseReason.LOGOUT))

    def test_what_somebody_else_took_over_meanwhile_holds_up_nothing(self) -> None:
        """It is one of many that are given back all or nothing: a refusal would leave the others in a drawer."""
        given(missed(1), reserved(BRUNO)).when(hand_back()).then_nothing()
        given(missed(1)).when(hand_back()).then_nothing()


class TestAssigning:
    def test_a_waiting_caller_is_given_to_an_operator(self) -> None:
        given(missed(1)).when(assign()).then(
            CallAssigned(
                caller=ROSSI,
                operator=BRUNO,
                by=SARA,
                previous=None,
                reservation=ReservationId("new"),
                expires_at=None,
            )
        )

    def test_only_to_who_sees_one_of_the_queues_on_which_the_customer_waits(self) -> None:
        given(missed(1)).when(replace(assign(), queues=(HELP,))).then_rejects(NotAssignable)
        (event,) = given(missed(1), missed(2, queue=HELP)).when(replace(assign(), queues=(HELP,))).events
        assert isinstance(event, CallAssigned)

    def test_a_held_caller_is_moved_and_says_from_whom(self) -> None:
        (event,) = given(missed(1), reserved(ANNA)).when(assign(lease=HALF_AN_HOUR)).events
        assert isinstance(event, CallAssigned)
        assert event.previous == ANNA
        assert event.expires_at == minutes(40)

    def test_to_its_holder_is_already_so(self) -> None:
        given(missed(1), reserved(BRUNO)).when(assign(BRUNO)).then_nothing()

    def test_nothing_open_is_refused(self) -> None:
        given(missed(1), served(2, 5)).when(assign()).then_rejects(NothingToRecall)

    def test_whoever_is_on_the_phone_keeps_the_customer(self) -> None:
        given(missed(1), reserved(ANNA), started(ANNA)).when(assign(BRUNO)).then_rejects(BeingCalled)

    def test_taking_away_releases(self) -> None:
        past = given(missed(1), assigned(ANNA))
        past.when(Unassign(by=SARA, at=minutes(10))).then(released("sara", ReleaseReason.SUPERVISOR))
        given(missed(1)).when(Unassign(by=SARA, at=minutes(10))).then_nothing()


class TestFlushing:
    command = Flush(flush=FlushId("f1"), by="sara", reason="doppioni", at=minutes(10))

    def test_names_every_call_of_every_open_request(self) -> None:
        given(missed(1), missed(2), missed(3, queue=HELP), reserved()).when(self.command).then(
            CallFlushed(
                caller=ROSSI,
                flush=FlushId("f1"),
                by="sara",
                reason="doppioni",
                calls=(call_id(1), call_id(2), call_id(3)),
            )
        )

    def test_of_a_supervisor_who_sees_some_queues_names_their_calls_alone(self) -> None:
        command = replace(self.command, queues=(HELP,))
        (event,) = given(missed(1), missed(2, queue=HELP)).when(command).events
        assert isinstance(event, CallFlushed)
        assert event.calls == (call_id(2),)
        given(missed(1)).when(command).then_nothing()

    def test_nothing_open_is_already_so(self) -> None:
        given(missed(1), served(2, 5)).when(self.command).then_nothing()

    def test_by_age_leaves_the_newer_request(self) -> None:
        command = Flush(flush=FlushId("f1"), by="system", reason="age", at=minutes(10), opened_before=minutes(4))
        (event,) = given(missed(1, 0), missed(2, 5, queue=HELP)).when(command).events
        assert isinstance(event, CallFlushed)
        assert event.calls == (call_id(1),)

    def test_undo_is_said_once(self) -> None:
        undo = UndoFlush(flush=FlushId("f1"), by="sara", at=minutes(11))
        given(missed(1), (5, flushed(1))).when(undo).then(FlushUndone(caller=ROSSI, flush=FlushId("f1"), by="sara"))
        given(missed(1)).when(undo).then_nothing()


class TestStartingARecall:
    def test_the_holder_dials_under_the_reservation(self) -> None:
        given(missed(1), reserved()).when(start()).then(
            RecallStarted(
                caller=ROSSI,
                operator=ANNA,
                extension="201",
                reservation=ReservationId("r1"),
                dial=DialId("d2"),
            )
        )

    def test_without_a_reservation_it_is_refused(self) -> None:
        given(missed(1)).when(start()).then_rejects(NotReserved)

    def test_of_somebody_elses_caller_it_is_refused(self) -> None:
        given(missed(1), reserved(BRUNO)).when(start()).then_rejects(AlreadyReserved)

    def test_a_second_click_while_it_rings_is_refused(self) -> None:
        given(missed(1), reserved(), started()).when(start()).then_rejects(BeingCalled)

    def test_nothing_open_is_refused(self) -> None:
        given(missed(1), reserved(), served(2, 5)).when(start()).then_rejects(NothingToRecall)

    def test_during_a_cool_down_it_is_refused(self) -> None:
        given(missed(1), reserved(ANNA), (5, no_answer(2, 5, by=BRUNO, extension="202"))).when(start()).then_rejects(
            HiddenForNow
        )


class TestTimers:
    def test_a_forgotten_reservation_ends(self) -> None:
        given(missed(1), reserved(until=30)).when(expire(30)).then(released("system", ReleaseReason.EXPIRED))

    def test_not_before_its_instant(self) -> None:
        given(missed(1), reserved(until=30)).when(expire(29.9)).then_nothing()

    def test_activity_of_the_holder_keeps_it(self) -> None:
        past = given(missed(1), reserved(until=30))
        past.when(expire(49.9, active_at=20)).then_nothing()
        past.when(expire(50, active_at=20)).then(released("system", ReleaseReason.EXPIRED))

    def test_never_while_a_recall_is_in_progress(self) -> None:
        given(missed(1), reserved(until=30), started()).when(expire(500)).then_nothing()

    def test_an_assignment_without_end_stays(self) -> None:
        given(missed(1), assigned(until=None)).when(expire(5000)).then_nothing()

    def test_an_assignment_ends_at_its_instant_whatever_its_holder_does(self) -> None:
        given(missed(1), assigned(until=30)).when(expire(30, active_at=29)).then(
            released("system", ReleaseReason.EXPIRED)
        )

    def test_a_later_reservation_is_left_alone(self) -> None:
        given(missed(1), reserved(until=30, name="r2")).when(expire(500)).then_nothing()

    def test_a_recall_without_a_record_ends_and_is_no_attempt(self) -> None:
        past = given(missed(1), reserved(), (5, started()))
        end = EndRecall(dial=DialId("d1"), outcome=RecallOutcome.UNKNOWN, at=minutes(20))
        past.when(end).then(failed(RecallOutcome.UNKNOWN, minutes(20), minutes(5)))
        after = standing_after([*past.past, recorded(9, past.when(end).events[0], 20)])
        assert after.recall is None
        assert after.attempts == ()
        assert after.open_requests[0].tried_at == ()

    def test_a_recall_that_its_record_ended_is_left_alone(self) -> None:
        end = EndRecall(dial=DialId("d1"), outcome=RecallOutcome.UNKNOWN, at=minutes(20))
        given(missed(1), reserved(), (5, started()), (6, no_answer(2, 6))).when(end).then_nothing()


class TestShowing:
    def test_a_supervisor_ends_a_cool_down(self) -> None:
        past = given(missed(1), (5, no_answer(2, 5, by=BRUNO)))
        show = Show(by=SARA, at=minutes(10), supervises=True)
        past.when(show).then(CallerShown(caller=ROSSI, by="sara"))
        past.when(Show(by=ANNA, at=minutes(10))).then_rejects(NotYourCall)

    def test_who_calls_puts_the_row_back(self) -> None:
        past = given(missed(1), reserved(), (5, started()))
        past.when(Show(by=ANNA, at=minutes(10))).then(failed(RecallOutcome.NOT_DIALLED, minutes(10), minutes(5)))
        past.when(Show(by=BRUNO, at=minutes(10))).then_rejects(NotYourCall)

    def test_a_recall_of_which_nothing_was_open_ends_too(self) -> None:
        past = given(missed(1), served(2, 3), (5, started()))
        past.when(Show(by=ANNA, at=minutes(10))).then(failed(RecallOutcome.NOT_DIALLED, minutes(10), minutes(5)))

    def test_what_is_shown_is_already_so(self) -> None:
        given(missed(1)).when(Show(by=ANNA, at=minutes(10))).then_nothing()


class TestDisputing:
    def dispute(self, by: Username = ANNA, since: float = 0, *, call: int = 2, supervises: bool = False) -> Dispute:
        return Dispute(
            call=call_id(call), by=by, extension="", at=minutes(20), since=minutes(since), supervises=supervises
        )

    def test_who_called_says_it_was_a_machine(self) -> None:
        past = given(missed(1), reserved(), (5, reached(2, 5)))
        past.when(self.dispute()).then(RecallDisputed(caller=ROSSI, call=call_id(2), by=ANNA))
        past.when(self.dispute(BRUNO)).then_rejects(NotYourCall)
        assert past.when(self.dispute(SARA, supervises=True)).events

    def test_not_the_day_after_and_not_of_a_call_that_was_not(self) -> None:
        past = given(missed(1), reserved(), (5, reached(2, 5)))
        past.when(self.dispute(since=6)).then_rejects(NotYourCall)
        past.when(self.dispute(call=9)).then_rejects(NotYourCall)


class TestErasing:
    def test_closes_what_is_open_once(self) -> None:
        given(missed(1), missed(2, queue=HELP)).when(Erase(by="root", reason="gdpr", at=minutes(10))).then(
            CallerErased(caller=ROSSI, by="root", reason="gdpr", calls=(call_id(1), call_id(2)))
        )
