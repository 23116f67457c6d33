"""Does the checker see what it is there to see? Logs and answers in each of which one rule is broken once."""

from dataclasses import replace
from typing import Any

import pytest

from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import FlushUndone, RecallOutcome, ReleaseReason, ReservationReleased
from tests.call_queue.log import (
    ANNA,
    BRUNO,
    assigned,
    flushed,
    history,
    missed,
    no_answer,
    recorded,
    reserved,
    served,
    started,
)
from tests.call_queue.proof.checker import Answer, Walk

ROSSI = CallerId("rossi")


def released(name: str = "r1") -> ReservationReleased:
    return ReservationReleased(
        caller=ROSSI, reservation=reserved(name=name).reservation, operator=ANNA, by="anna", why=ReleaseReason.OPERATOR
    )


def answer(command: str, actor: str = "anna", *, granted: bool = True, **told: Any) -> Answer:
    return Answer(actor=actor, command=command, callers=(ROSSI,), granted=granted, told=told)


def rules_broken(walk: Walk) -> set[str]:
    return {breach.partition(":")[0] for breach in walk.breaches}


ORDERLY = history(
    missed(1),
    reserved(ANNA, name="r1"),
    started(ANNA, name="d1"),
    (5, no_answer(2, 5)),
    released("r1"),
    assigned(BRUNO, name="r2"),
    flushed(1),
    FlushUndone(caller=ROSSI, flush=flushed(1).flush, by="sara"),
    reserved(ANNA, name="r3"),
    served(3, 9),
)
"""What each broken log departs from; the flush at position 7 and the call at 10 end what was held."""


def test_an_orderly_log_and_true_answers_break_nothing() -> None:
    walk = Walk().through(ORDERLY)
    walk.answered(
        [
            answer("reserve", position=2),
            answer("start_recall", position=3, dial_id="d1"),
            answer("release", position=5),
            Answer(
                actor="sara",
                command="assign",
                callers=(ROSSI,),
                granted=True,
                told={"position": 6},
                operators=("bruno",),
            ),
            answer("reserve", "sara", granted=False, type="already-reserved", reserved_by="bruno"),
            answer("start_recall", "bruno", granted=False, type="being-called", called_by="anna"),
            answer("flush", "sara", position=7, flush_id="f1"),
            Answer(
                actor="sara",
                command="undo_flush",
                callers=(),
                granted=True,
                told={"position": 8, "callers": 1},
                flush="f1",
            ),
            answer("reserve", position=9),
            answer("show", position=5),
        ]
    )
    walk.rang([(ROSSI, "201")]).shown([], {})
    assert walk.breaches == []
    assert walk.counts["CallReserved"] == 2


BROKEN_LOGS: dict[str, tuple[list[Recorded], str]] = {
    "reserved while somebody holds it": (
        history(missed(1), reserved(ANNA), reserved(BRUNO, name="r2")),
        "two reservations",
    ),
    "moved from somebody who does not hold it": (
        history(missed(1), reserved(ANNA), assigned(BRUNO, name="r2")),
        "two reservations",
    ),
    "dialled without a reservation": (history(missed(1), started(ANNA)), "dialled without a reservation"),
    "dialled under a reservation that had ended": (
        history(missed(1), reserved(ANNA), released(), started(ANNA)),
        "dialled without a reservation",
    ),
    "dialled under what another holds": (
        history(missed(1), reserved(BRUNO), started(ANNA)),
        "dialled without a reservation",
    ),
    "dialled while it rings": (
        history(missed(1), reserved(ANNA), started(ANNA), started(ANNA, name="d2")),
        "dialled twice",
    ),
    "reserved what is closed": (history(missed(1), served(2, 1), reserved(ANNA)), "reserved nothing"),
    "released what had ended": (history(missed(1), reserved(ANNA), served(2, 1), released()), "released twice"),
    "the same reservation made twice": (
        history(missed(1), reserved(ANNA), released(), reserved(ANNA)),
        "stored twice",
    ),
}


@pytest.mark.parametrize("name", BROKEN_LOGS)
def test_a_broken_log_is_seen(name: str) -> None:
    log, rule = BROKEN_LOGS[name]
    walk = Walk().through(log)
    assert rules_broken(walk) == {rule}
    assert len(walk.breaches) == 1


def test_an_event_stored_twice_is_seen() -> None:
    log = history(missed(1))
    again = Recorded(**{**{name: getattr(log[0], name) for name in Recorded.__slots__}, "position": 2})
    assert rules_broken(Walk().through([*log, again])) == {"stored twice"}


def test_a_reservation_that_no_timer_ends_is_seen() -> None:
    forever = replace(reserved(ANNA), expires_at=None)  # type: ignore[arg-type]  # The type alone forbids it.
    assert rules_broken(Walk().through(history(missed(1), forever))) == {"hidden for ever"}


FALSE_ANSWERS = {
    "a reservation that is nowhere": answer("reserve", "bruno", position=2),
    "a reservation before its time": answer("reserve", position=1),
    "a reservation that had ended": answer("reserve", position=5),
    "a release that is not": answer("release", position=4),
    "a taking away that is not": answer("unassign", position=6),
    "an assignment to another": Answer(
        actor="sara", command="assign", callers=(ROSSI,), granted=True, told={"position": 6}, operators=("anna",)
    ),
    "a dial that is nowhere": answer("start_recall", position=3, dial_id="d9"),
    "a dial of another": answer("start_recall", "bruno", position=3, dial_id="d1"),
    "a row put back that rings": answer("show", position=3),
    "a flush that is nowhere": answer("flush", "sara", position=7, flush_id="f9"),
    "a flush from later": answer("flush", "sara", position=6, flush_id="f1"),
    "an undo that is nowhere": Answer(
        actor="sara", command="undo_flush", callers=(), granted=True, told={"position": 8}, flush="f9"
    ),
}


@pytest.mark.parametrize("name", FALSE_ANSWERS)
def test_a_grant_that_the_log_does_not_hold_is_seen(name: str) -> None:
    assert rules_broken(Walk().through(ORDERLY).answered([FALSE_ANSWERS[name]])) == {"granted but not in the log"}


@pytest.mark.parametrize(
    "told",
    [
        {"type": "already-reserved", "reserved_by": "carla"},
        {"type": "being-called", "called_by": "bruno"},
    ],
)
def test_a_refusal_that_names_the_wrong_one_is_seen(told: dict[str, str]) -> None:
    walk = Walk().through(ORDERLY).answered([answer("reserve", granted=False, **told)])
    assert rules_broken(walk) == {"told a wrong name"}


def test_a_phone_that_rang_too_often_is_seen() -> None:
    assert rules_broken(Walk().through(ORDERLY).rang([(ROSSI, "201")] * 2)) == {"rang without a dial in the log"}
    assert rules_broken(Walk().through(ORDERLY).rang([(ROSSI, "202")])) == {"rang without a dial in the log"}


def test_a_row_on_no_list_on_two_or_after_its_end_is_seen() -> None:
    still_open = history(missed(1))
    assert Walk().through(still_open).shown([ROSSI], {"anna": []}).breaches == []
    assert rules_broken(Walk().through(still_open).shown([], {"anna": []})) == {"hidden for ever"}
    assert rules_broken(Walk().through(still_open).shown([ROSSI], {"anna": [ROSSI]})) == {"two reservations"}
    assert rules_broken(Walk().through(ORDERLY).shown([ROSSI], {})) == {"shown though closed"}


def test_a_dial_that_outlives_its_end_is_seen() -> None:
    walk = Walk().through(history(missed(1), reserved(ANNA), started(ANNA)))
    end = replace(no_answer(2, 5), dial=started(ANNA).dial, outcome=RecallOutcome.UNKNOWN)
    # An event whose position the fold has seen changes nothing there, so to it the dial goes on.
    walk.through([recorded(3, end, 5)])
    assert "hidden for ever" in rules_broken(walk)
