"""Does one customer have one holder, and no dial without a reservation, in any history?"""

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from richiamo_events.envelope import Recorded
from richiamo_events.ids import DialId, FlushId
from richiamo_events.language import (
    CallAssigned,
    CallFlushed,
    CallReserved,
    Event,
    RecallOutcome,
    RecallStarted,
    ReservationReleased,
)
from richiamo_kit.errors import Rejected
from richiamo_queue.caller.commands import (
    Command,
    EndRecall,
    Flush,
    Show,
    Unassign,
    UndoFlush,
)
from richiamo_queue.caller.decide import decide
from tests.call_queue.deciding import SARA, assign, expire, release, reserve, start
from tests.call_queue.log import (
    ANNA,
    BRUNO,
    HELP,
    minutes,
    missed,
    no_answer,
    reached,
    recorded,
    served,
    standing_after,
)

COMMANDS = st.sampled_from(
    [
        reserve(ANNA),
        reserve(BRUNO),
        reserve(SARA, supervises=True),
        release(ANNA),
        release(SARA, supervises=True),
        assign(ANNA),
        assign(BRUNO),
        Unassign(by=SARA, at=minutes(10)),
        start(ANNA, dial="d1"),
        start(BRUNO, dial="d3"),
        expire(500),
        EndRecall(dial=DialId("d1"), outcome=RecallOutcome.UNKNOWN, at=minutes(10)),
        Show(by=ANNA, at=minutes(10)),
        Show(by=SARA, at=minutes(10), supervises=True),
        Flush(flush=FlushId("f1"), by="sara", reason="doppioni", at=minutes(10)),
        UndoFlush(flush=FlushId("f1"), by="sara", at=minutes(11)),
    ]
)
FACTS = st.sampled_from(
    [
        missed(1),
        missed(2, 20),
        missed(3, 21, queue=HELP),
        served(4, 25),
        no_answer(5, 26),
        no_answer(6, 12, by=BRUNO, extension="202"),
        reached(7, 30),
        reached(8, 31, talk=4),
    ]
)


class TestAnyHistory:
    @settings(deadline=None)
    @for_all(st.lists(FACTS | COMMANDS, max_size=14))
    def test_one_holder_at_a_time_and_no_dial_without_a_reservation(self, steps: list[Event | Command]) -> None:
        log: list[Recorded] = []
        for step in steps:
            caller = standing_after(log)
            if not isinstance(step, Command):
                log.append(recorded(len(log) + 1, step, 10))
                continue
            try:
                events = decide(step, caller)
            except Rejected:
                continue
            for event in events:
                match event:
                    case CallReserved():
                        assert caller.reservation is None
                        assert caller.open_requests
                    case CallAssigned(previous=previous):
                        held = caller.reservation
                        assert previous == (held.operator if held else None)
                    case RecallStarted(reservation=reservation, operator=operator):
                        assert caller.reservation is not None
                        assert (caller.reservation.id, caller.reservation.operator) == (reservation, operator)
                        assert caller.recall is None
                        assert caller.open_requests
                    case ReservationReleased(reservation=reservation):
                        assert caller.reservation is not None
                        assert caller.reservation.id == reservation
                    case CallFlushed(calls=calls):
                        assert set(calls) == {call.call for one in caller.open_requests for call in one.calls}
                    case _:
                        pass
                log.append(recorded(len(log) + 1, event, 10))
            if events:
                assert decide(step, standing_after(log)) == []
