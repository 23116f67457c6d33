"""Does each command do the right thing on *any* state? Said once more in plain terms, and compared on random histories.

For each command an oracle says what must follow: exactly these events, or this refusal. Then the events are appended
and the command sent again: it must stay quiet.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from richiamo_events.caller import Caller
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId, DialId, FlushId, NoteId, ReservationId, Username
from richiamo_events.language import (
    CallAssigned,
    CallerErased,
    CallerShown,
    CallFlushed,
    CallReserved,
    Event,
    FlushUndone,
    NoteWritten,
    RecallDisputed,
    RecallFailed,
    RecallOutcome,
    RecallStarted,
    ReleaseReason,
    ReservationReleased,
)
from richiamo_kit.errors import Rejected
from richiamo_queue.caller.commands import (
    Assign,
    Command,
    Dispute,
    EndRecall,
    Erase,
    ExpireReservation,
    Flush,
    HandBack,
    Release,
    Reserve,
    Show,
    StartRecall,
    Unassign,
    UndoFlush,
    WriteNote,
)
from richiamo_queue.caller.decide import decide
from richiamo_queue.caller.errors import (
    AlreadyReserved,
    BeingCalled,
    HiddenForNow,
    NoteChanged,
    NothingToRecall,
    NotReserved,
    NotYourCall,
    UnknownCaller,
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

ROSSI = CallerId("rossi")
SARA = Username("sara")
Expected = type[Rejected] | list[Any]

operators = st.sampled_from([ANNA, BRUNO])
instants = st.integers(6, 120).map(minutes)
leases = st.sampled_from([timedelta(minutes=30), timedelta(minutes=5)])
flags = st.booleans()

STEPS: st.SearchStrategy[Event] = st.sampled_from(
    [
        missed(1),
        missed(2, 20),
        missed(3, 21, queue=HELP),
        served(4, 25),
        no_answer(5, 26),
        no_answer(6, 12, by=BRUNO, extension="202"),
        no_answer(9, 3, by=SARA, extension="300"),
        reached(7, 30),
        reached(8, 31, talk=4),
        reserved(ANNA),
        reserved(BRUNO, until=35),
        assigned(ANNA),
        assigned(BRUNO, until=40),
        started(ANNA),
        started(BRUNO, extension="202", name="d2"),
        flushed(1),
        flushed(2, 3, name="f2"),
        NoteWritten(caller=ROSSI, note=NoteId("n1"), by=ANNA),
        NoteWritten(caller=ROSSI, note=NoteId("n2"), by=BRUNO),
    ]
)


@st.composite
def histories(draw: st.DrawFn) -> list[Recorded]:
    """Facts and decisions in any order, also such as no service would write: a decision must cope with any state."""
    steps = draw(st.lists(STEPS, max_size=10))
    return [recorded(number, step, draw(st.integers(0, 5))) for number, step in enumerate([missed(1), *steps], 1)]


COMMANDS: dict[type, st.SearchStrategy[Any]] = {
    WriteNote: st.builds(
        WriteNote,
        by=operators,
        note=st.just(NoteId("n3")),
        base=st.sampled_from([NoteId(""), NoteId("n1"), NoteId("n2"), NoteId("n3")]),
        emptied=flags,
    ),
    Reserve: st.builds(
        Reserve,
        operator=operators,
        reservation=st.just(ReservationId("new")),
        at=instants,
        lease=leases,
        may_see_hidden=flags,
    ),
    Release: st.builds(Release, operator=operators, at=instants, supervises=flags),
    HandBack: st.builds(
        HandBack,
        operator=operators,
        at=instants,
        why=st.sampled_from([ReleaseReason.LOGOUT, ReleaseReason.DEACTIVATED]),
    ),
    Assign: st.builds(
        Assign,
        operator=operators,
        by=st.just(SARA),
        reservation=st.just(ReservationId("new")),
        at=instants,
        lease=st.none() | leases,
    ),
    Unassign: st.builds(Unassign, by=st.just(SARA), at=instants),
    Flush: st.builds(
        Flush,
        flush=st.just(FlushId("new")),
        by=st.just("sara"),
        reason=st.just("old"),
        at=instants,
        opened_before=st.none() | instants,
    ),
    UndoFlush: st.builds(
        UndoFlush, flush=st.sampled_from([FlushId("f1"), FlushId("f2"), FlushId("f9")]), by=st.just("sara"), at=instants
    ),
    StartRecall: st.builds(
        StartRecall,
        operator=operators,
        extension=st.just("201"),
        dial=st.sampled_from([DialId("d1"), DialId("new")]),
        at=instants,
    ),
    ExpireReservation: st.builds(
        ExpireReservation,
        reservation=st.sampled_from([ReservationId("r1"), ReservationId("r9")]),
        at=instants,
        active_at=st.none() | instants,
        lease=leases,
    ),
    EndRecall: st.builds(
        EndRecall,
        dial=st.sampled_from([DialId("d1"), DialId("d2"), DialId("d9")]),
        outcome=st.sampled_from([RecallOutcome.UNKNOWN, RecallOutcome.NOT_DIALLED]),
        at=instants,
    ),
    Show: st.builds(Show, by=operators, at=instants, supervises=flags),
    Dispute: st.builds(
        Dispute,
        call=st.sampled_from([call_id(5), call_id(7), call_id(99)]),
        by=operators,
        extension=st.sampled_from(["", "201", "202"]),
        at=instants,
        since=instants,
        supervises=flags,
    ),
    Erase: st.builds(Erase, by=st.just("root"), reason=st.just("asked"), at=instants),
}


def holder(caller: Caller) -> Username | None:
    return caller.reservation.operator if caller.reservation else None


def is_open(caller: Caller) -> bool:
    return any(request.closed_at is None for request in caller.requests)


def hides(caller: Caller, at: Any) -> bool:
    return caller.hidden is not None and at < caller.hidden.until


def release_of(caller: Caller, by: str, why: ReleaseReason) -> ReservationReleased:
    assert caller.reservation
    return ReservationReleased(
        caller=ROSSI, reservation=caller.reservation.id, operator=caller.reservation.operator, by=by, why=why
    )


def end_of(caller: Caller, outcome: RecallOutcome, at: Any) -> RecallFailed:
    recall = caller.recall
    assert recall
    return RecallFailed(
        caller=ROSSI,
        call=None,
        received_at=at,
        started_at=recall.since,
        extension=recall.extension,
        operator=recall.operator,
        dial=recall.dial,
        ended_at=max(at, recall.since),
        outcome=outcome,
    )


def reserve_oracle(command: Reserve, caller: Caller) -> Expected:
    if not is_open(caller):
        return NothingToRecall
    if holder(caller) == command.operator:
        return []
    if holder(caller):
        return AlreadyReserved
    if caller.recall and caller.recall.operator != command.operator:
        return BeingCalled
    if hides(caller, command.at) and not caller.recall and not command.may_see_hidden:
        return HiddenForNow
    until = command.at + command.lease
    return [CallReserved(caller=ROSSI, operator=command.operator, reservation=ReservationId("new"), expires_at=until)]


def release_oracle(command: Release, caller: Caller) -> Expected:
    if holder(caller) is None:
        return []
    if holder(caller) == command.operator:
        return [release_of(caller, command.operator, ReleaseReason.OPERATOR)]
    return [release_of(caller, command.operator, ReleaseReason.SUPERVISOR)] if command.supervises else AlreadyReserved


def hand_back_oracle(command: HandBack, caller: Caller) -> Expected:
    return [release_of(caller, command.operator, command.why)] if holder(caller) == command.operator else []


def assign_oracle(command: Assign, caller: Caller) -> Expected:
    if not is_open(caller):
        return NothingToRecall
    if caller.recall and caller.recall.operator != command.operator:
        return BeingCalled
    if holder(caller) == command.operator:
        return []
    return [
        CallAssigned(
            caller=ROSSI,
            operator=command.operator,
            by=SARA,
            previous=holder(caller),
            reservation=ReservationId("new"),
            expires_at=command.at + command.lease if command.lease else None,
        )
    ]


def unassign_oracle(command: Unassign, caller: Caller) -> Expected:
    return [release_of(caller, command.by, ReleaseReason.SUPERVISOR)] if holder(caller) else []


def flush_oracle(command: Flush, caller: Caller) -> Expected:
    old = [
        request
        for request in caller.requests
        if request.closed_at is None and (command.opened_before is None or request.calls[0].at < command.opened_before)
    ]
    calls = tuple(call.call for request in old for call in request.calls)
    return [CallFlushed(caller=ROSSI, flush=FlushId("new"), by="sara", reason="old", calls=calls)] if calls else []


def undo_flush_oracle(command: UndoFlush, caller: Caller) -> Expected:
    known = command.flush in {one.id for one in caller.history.flushes}
    return [FlushUndone(caller=ROSSI, flush=command.flush, by="sara")] if known else []


def start_recall_oracle(command: StartRecall, caller: Caller) -> Expected:
    if not is_open(caller):
        return NothingToRecall
    if caller.recall:
        return [] if caller.recall.dial == command.dial else BeingCalled
    if not caller.reservation:
        return NotReserved
    if holder(caller) != command.operator:
        return AlreadyReserved
    if hides(caller, command.at):
        return HiddenForNow
    return [
        RecallStarted(
            caller=ROSSI,
            operator=command.operator,
            extension="201",
            reservation=caller.reservation.id,
            dial=command.dial,
        )
    ]


def expire_oracle(command: ExpireReservation, caller: Caller) -> Expected:
    held = caller.reservation
    if not held or held.id != command.reservation or not held.expires_at or caller.recall:
        return []
    ends = [held.expires_at]
    if not held.assigned_by and command.active_at:
        ends.append(command.active_at + command.lease)
    return [release_of(caller, "system", ReleaseReason.EXPIRED)] if all(end <= command.at for end in ends) else []


def end_recall_oracle(command: EndRecall, caller: Caller) -> Expected:
    running = caller.recall and caller.recall.dial == command.dial
    return [end_of(caller, command.outcome, command.at)] if running else []


def show_oracle(command: Show, caller: Caller) -> Expected:
    mine = caller.recall is not None and caller.recall.operator == command.by
    if caller.recall and not (mine or command.supervises):
        return NotYourCall
    if not caller.recall and hides(caller, command.at) and not command.supervises:
        return NotYourCall
    events: list[Any] = [end_of(caller, RecallOutcome.NOT_DIALLED, command.at)] if caller.recall else []
    if hides(caller, command.at) and command.supervises:
        events.append(CallerShown(caller=ROSSI, by=command.by))
    return events


def dispute_oracle(command: Dispute, caller: Caller) -> Expected:
    answered = {one.call: one for one in caller.attempts if one.answered_at is not None}
    if command.call not in answered:
        return NotYourCall
    if command.call in caller.history.disputed:
        return []
    call = answered[command.call]
    assert call.answered_at
    theirs = call.operator == command.by or call.extension == command.extension != ""
    if not (theirs or command.supervises) or call.answered_at < command.since:
        return NotYourCall
    return [RecallDisputed(caller=ROSSI, call=command.call, by=command.by)]


def erase_oracle(command: Erase, caller: Caller) -> Expected:
    calls = tuple(call.call for one in caller.requests if one.closed_at is None for call in one.calls)
    return [] if caller.erased else [CallerErased(caller=ROSSI, by="root", reason="asked", calls=calls)]


def write_note_oracle(command: WriteNote, caller: Caller) -> Expected:
    if caller.erased:
        return UnknownCaller
    if command.base != caller.note:
        return NoteChanged
    return [NoteWritten(caller=ROSSI, note=command.note, by=command.by, emptied=command.emptied)]


ORACLES: dict[type, Callable[[Any, Caller], Expected]] = {
    Reserve: reserve_oracle,
    Release: release_oracle,
    HandBack: hand_back_oracle,
    Assign: assign_oracle,
    Unassign: unassign_oracle,
    Flush: flush_oracle,
    UndoFlush: undo_flush_oracle,
    StartRecall: start_recall_oracle,
    ExpireReservation: expire_oracle,
    EndRecall: end_recall_oracle,
    Show: show_oracle,
    Dispute: dispute_oracle,
    Erase: erase_oracle,
    WriteNote: write_note_oracle,
}


def test_no_command_is_left_out() -> None:
    assert set(get_args(Command)) == ORACLES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_right_events_or_a_refusal_and_quiet_on_repeat(kind: type, data: st.DataObject) -> None:
    past = data.draw(histories())
    command = data.draw(COMMANDS[kind])
    caller = standing_after(past)
    expected = ORACLES[kind](command, caller)
    if not isinstance(expected, list):
        with pytest.raises(expected) as refused:
            decide(command, caller)
        assert str(refused.value)
        return
    events = decide(command, caller)
    assert events == expected
    minute = int((getattr(command, "at", minutes(10)) - minutes(0)).total_seconds() // 60)
    more = [recorded(len(past) + number, event, minute) for number, event in enumerate(events, 1)]
    if not more:
        return
    after = standing_after([*past, *more])
    if isinstance(command, Show) and not command.supervises and hides(after, command.at):
        # Their own call has been put back; the cool-down that somebody else's began is not theirs to end.
        with pytest.raises(NotYourCall):
            decide(command, after)
    else:
        assert decide(command, after) == []
