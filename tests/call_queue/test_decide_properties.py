"""Does each command do the right thing on *any* state? Said once more in plain terms, and compared on random histories.

For each command an oracle says what must follow: exactly these events, or this refusal. Then the events are appended
and the command sent again: it must stay quiet.
"""

from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from richiamo_events.envelope import Recorded
from richiamo_events.ids import DialId, FlushId, NoteId, ReservationId
from richiamo_events.language import (
    Event,
    NoteWritten,
    RecallOutcome,
    ReleaseReason,
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
from richiamo_queue.caller.decide import decide
from richiamo_queue.caller.errors import (
    NotYourCall,
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
from tests.call_queue.oracles import ORACLES, ROSSI, SARA, hides

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
