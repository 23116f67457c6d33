"""Is a customer's history told in the order in which things happened?"""

from zoneinfo import ZoneInfo

from richiamo_events.caller import Caller
from richiamo_events.envelope import Recorded
from richiamo_events.operators import Operators
from richiamo_queue.worklist.timeline import Teller
from tests.call_queue.log import (
    ANNA,
    BRUNO,
    flushed,
    history,
    missed,
    operator,
    reached,
    reserved,
    standing_after,
    started,
)

A_MOMENT = 0.4 / 60


def kinds(events: list[Recorded], caller: Caller) -> list[str]:
    return [item["kind"] for item in Teller(Operators(), ZoneInfo("Europe/Rome")).items(events, caller)]


def test_within_one_second_the_recall_follows_the_click_that_began_it() -> None:
    """The PBX cuts the start of the call to the second, which is before the click (rule 11)."""
    log = history(
        missed(1, -5), (A_MOMENT, reserved()), (2 * A_MOMENT, started()), (2 * A_MOMENT, reached(2, 0)), missed(3, 0)
    )
    told = kinds(log, standing_after(log))
    assert told == ["call_missed", "call_missed", "call_reserved", "recall_started", "recall_succeeded"]


def test_a_flush_in_the_second_of_an_answer_comes_after_it() -> None:
    log = history(missed(1, -5), (A_MOMENT, flushed(1)), (3, reached(2, 0)))
    assert kinds(log, standing_after(log)) == ["call_missed", "recall_succeeded", "call_flushed"]


def test_operators_are_numbers_when_the_site_wants_that_but_for_whoever_reads() -> None:
    people = history((0, operator(BRUNO)), (0, operator(ANNA)), (1, operator(BRUNO)))
    operators = Operators()
    for event in people:
        operators = operators.changed(event)
    log = history(missed(1, -5), (1, reserved(ANNA)), (2, started(ANNA)), (3, reached(2, 2)))
    caller, rome = standing_after(log), ZoneInfo("Europe/Rome")

    def told(reader: str | None) -> list[dict[str, object]]:
        items = Teller(operators, rome, reader).items(log, caller)
        return [item for item in items if "operator" in item]

    named = str(told(None))
    assert ANNA in named
    assert "Op." not in named
    shown = told(BRUNO)
    assert {(one["operator"], one["operator_name"]) for one in shown} == {("Op. 2", "Op. 2")}
    assert {one.get("extension", "") for one in shown} == {""}
    assert ANNA not in str(shown)
    assert told(ANNA) == told(None)
