"""What should each command come to? The rules of `domain.md` told a second time, naively, beside `decide`."""

from collections.abc import Callable
from typing import Any

from richiamo_events.caller import Caller
from richiamo_events.ids import CallerId, FlushId, ReservationId, Username
from richiamo_events.language import (
    CallAssigned,
    CallerErased,
    CallerShown,
    CallFlushed,
    CallReserved,
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

ROSSI = CallerId("rossi")
SARA = Username("sara")
Expected = type[Rejected] | list[Any]


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
