"""Which events does a command cause? The rules 6 to 10 and 14 of `domain.md` for one caller, pure.

`decide(command, caller)` answers the data of the events to append, in order; an empty list means
"already so". It raises a subclass of `Rejected` when the rules do not allow the command.
"""

from datetime import datetime
from typing import assert_never

from richiamo_events.caller import Caller, Calling, Reserved, Settled, Waiting, standing
from richiamo_events.ids import Username
from richiamo_events.language import (
    CallAssigned,
    CallerErased,
    CallerShown,
    CallFlushed,
    CallReserved,
    Decision,
    FlushUndone,
    NoteWritten,
    RecallDisputed,
    RecallFailed,
    RecallOutcome,
    RecallStarted,
    ReleaseReason,
    ReservationReleased,
)
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
from richiamo_queue.caller.errors import (
    AlreadyReserved,
    BeingCalled,
    HiddenForNow,
    NotAssignable,
    NoteChanged,
    NothingToRecall,
    NotReserved,
    NotYourCall,
    UnknownCaller,
)

Events = list[Decision | RecallFailed]


def decide(command: Command, caller: Caller) -> Events:
    """The events that follow from a command on this state, or a refusal (see the module)."""
    match command:
        case Reserve():
            return reserve(command, caller)
        case Release():
            return release(command, caller)
        case HandBack():
            return hand_back(command, caller)
        case Assign():
            return assign(command, caller)
        case Unassign():
            return unassign(command, caller)
        case Flush():
            return flush(command, caller)
        case UndoFlush():
            return undo_flush(command, caller)
        case StartRecall():
            return start_recall(command, caller)
        case ExpireReservation():
            return expire_reservation(command, caller)
        case EndRecall():
            return end_recall(command, caller)
        case Show():
            return show(command, caller)
        case Dispute():
            return dispute(command, caller)
        case Erase():
            return erase(command, caller)
        case WriteNote():
            return write_note(command, caller)
        case _:
            assert_never(command)


def reserve(command: Reserve, caller: Caller) -> Events:
    """Rule 8: what one already holds stays as it is; what somebody else holds is refused by name."""
    match standing(caller):
        case Settled():
            raise NothingToRecall
        case Reserved(reservation=held) | Calling(reservation=held) if held is not None:
            if held.operator == command.operator:
                return []
            raise AlreadyReserved(held.operator, held.since)
        case Calling(recall=recall) if recall.operator != command.operator:
            raise BeingCalled(recall.operator, recall.since)
        case Waiting() if not command.may_see_hidden:
            _refuse_hidden(caller, command.at)
    return [
        CallReserved(
            caller=caller.id,
            operator=command.operator,
            reservation=command.reservation,
            expires_at=command.at + command.lease,
        )
    ]


def release(command: Release, caller: Caller) -> Events:
    """The holder, or a supervisor, ends the reservation; nobody holds it: already so."""
    held = caller.reservation
    if held is None:
        return []
    if held.operator == command.operator:
        return [_released(caller, command.operator, ReleaseReason.OPERATOR)]
    if command.supervises:
        return [_released(caller, command.operator, ReleaseReason.SUPERVISOR)]
    raise AlreadyReserved(held.operator, held.since)


def hand_back(command: HandBack, caller: Caller) -> Events:
    """Ends the reservation of who leaves; what somebody else holds by now is theirs no more: already so."""
    held = caller.reservation
    if held is None or held.operator != command.operator:
        return []
    return [_released(caller, command.operator, command.why)]


def assign(command: Assign, caller: Caller) -> Events:
    """Gives or moves the reservation; whoever is on the phone with the customer keeps it until then."""
    match standing(caller):
        case Settled():
            raise NothingToRecall
        case Calling(recall=recall) if recall.operator != command.operator:
            raise BeingCalled(recall.operator, recall.since)
        case _:
            held = caller.reservation
    if held is not None and held.operator == command.operator:
        return []
    if command.queues and not any(request.queue in command.queues for request in caller.open_requests):
        # The row would be on nobody's list.
        raise NotAssignable(f"{command.operator} may see none of the queues on which this customer waits.")
    return [
        CallAssigned(
            caller=caller.id,
            operator=command.operator,
            by=command.by,
            previous=None if held is None else held.operator,
            reservation=command.reservation,
            expires_at=None if command.lease is None else command.at + command.lease,
        )
    ]


def unassign(command: Unassign, caller: Caller) -> Events:
    """Takes the caller away from whoever holds it."""
    if caller.reservation is None:
        return []
    return [_released(caller, command.by, ReleaseReason.SUPERVISOR)]


def flush(command: Flush, caller: Caller) -> Events:
    """Rule 14: names the calls of the requests that are open as the log knows them now; once for each id (rule 9)."""
    if any(one.id == command.flush for one in caller.history.flushes):
        return []
    calls = tuple(
        call.call
        for request in caller.open_requests
        if command.opened_before is None or request.opened_at < command.opened_before
        if not command.queues or request.queue in command.queues
        for call in request.calls
    )
    if not calls:
        return []
    return [CallFlushed(caller=caller.id, flush=command.flush, by=command.by, reason=command.reason, calls=calls)]


def undo_flush(command: UndoFlush, caller: Caller) -> Events:
    """Rule 14: as if never made. What was undone, or never touched this caller, is already so."""
    if all(one.id != command.flush for one in caller.history.flushes):
        return []
    return [FlushUndone(caller=caller.id, flush=command.flush, by=command.by)]


def start_recall(command: StartRecall, caller: Caller) -> Events:
    """Rule 7: only the holder dials, only what is open, not hidden and not being called already."""
    match standing(caller):
        case Settled():
            raise NothingToRecall
        case Calling(recall=recall):
            if recall.dial == command.dial:
                return []
            raise BeingCalled(recall.operator, recall.since)
        case Waiting():
            raise NotReserved
        case Reserved(reservation=held):
            if held.operator != command.operator:
                raise AlreadyReserved(held.operator, held.since)
            _refuse_hidden(caller, command.at)
            return [
                RecallStarted(
                    caller=caller.id,
                    operator=command.operator,
                    extension=command.extension,
                    reservation=held.id,
                    dial=command.dial,
                )
            ]


def expire_reservation(command: ExpireReservation, caller: Caller) -> Events:
    """Rule 8: the timer ends what its holder forgot, never while a recall is in progress.

    An assigned caller ends at its instant; what an operator took lives on with the operator's activity.
    """
    held = caller.reservation
    if held is None or held.id != command.reservation or held.expires_at is None or caller.recall is not None:
        return []
    until = held.expires_at
    if held.assigned_by is None and command.active_at is not None:
        until = max(until, command.active_at + command.lease)
    if command.at < until:
        return []
    return [_released(caller, "system", ReleaseReason.EXPIRED)]


def end_recall(command: EndRecall, caller: Caller) -> Events:
    """Rule 7: a recall that never reported back ends; it was no attempt."""
    if caller.recall is None or caller.recall.dial != command.dial:
        return []
    return [_failed(caller, command.outcome, command.at)]


def show(command: Show, caller: Caller) -> Events:
    """Ends a hiding: a supervisor any, an operator that of their own running call."""
    recall = caller.recall
    hidden = caller.hidden is not None and caller.hidden.until > command.at
    if recall is not None:
        if not command.supervises and recall.operator != command.by:
            raise NotYourCall("Somebody else is calling this customer.")
        events: Events = [_failed(caller, RecallOutcome.NOT_DIALLED, command.at)]
        if hidden and command.supervises:
            events.append(CallerShown(caller=caller.id, by=command.by))
        return events
    if not hidden:
        return []
    if not command.supervises:
        raise NotYourCall("Only a supervisor can end a cool-down.")
    return [CallerShown(caller=caller.id, by=command.by)]


def dispute(command: Dispute, caller: Caller) -> Events:
    """It was an answering machine: who made that recall, or a supervisor, says so within the day."""
    attempt = next((one for one in caller.attempts if one.call == command.call), None)
    if attempt is None or attempt.answered_at is None:
        raise NotYourCall("There is no answered recall with this id.")
    if command.call in caller.history.disputed:
        return []
    mine = command.by == attempt.operator or (command.extension != "" and command.extension == attempt.extension)
    if not command.supervises and not mine:
        raise NotYourCall
    if attempt.answered_at < command.since:
        raise NotYourCall("This can be said on the day of the call only.")
    return [RecallDisputed(caller=caller.id, call=command.call, by=command.by)]


def erase(command: Erase, caller: Caller) -> Events:
    """Closes what is open, told apart as erased; an erased caller is already so."""
    if caller.erased:
        return []
    calls = tuple(call.call for request in caller.open_requests for call in request.calls)
    return [CallerErased(caller=caller.id, by=command.by, reason=command.reason, calls=calls)]


def write_note(command: WriteNote, caller: Caller) -> Events:
    """Only on top of the version that its writer has read: nobody's note is overwritten unseen."""
    if caller.erased:
        raise UnknownCaller
    if caller.note == command.note:
        return []
    if caller.note != command.base:
        raise NoteChanged
    return [NoteWritten(caller=caller.id, note=command.note, by=command.by, emptied=command.emptied)]


def _refuse_hidden(caller: Caller, at: datetime) -> None:
    if caller.hidden is not None and caller.hidden.until > at:
        raise HiddenForNow(caller.hidden.until, caller.hidden.reason)


def _released(caller: Caller, by: str, why: ReleaseReason) -> ReservationReleased:
    held = caller.reservation
    assert held is not None
    return ReservationReleased(caller=caller.id, reservation=held.id, operator=held.operator, by=by, why=why)


def _failed(caller: Caller, outcome: RecallOutcome, at: datetime) -> RecallFailed:
    recall = caller.recall
    assert recall is not None
    return RecallFailed(
        caller=caller.id,
        call=None,
        received_at=at,
        started_at=recall.since,
        extension=recall.extension,
        operator=Username(recall.operator),
        dial=recall.dial,
        ended_at=max(at, recall.since),
        outcome=outcome,
    )
