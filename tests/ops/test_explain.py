"""Does the explanation name every event, what followed from it, and by which rule, in both languages?"""

import re
from collections.abc import Iterable

import pytest

from richiamo_events.ids import CallerId
from richiamo_events.language import Event, OperatorChanged, SettingsChanged
from richiamo_events.settings import Rules, SiteSettings
from richiamo_ops.explaining.phrases import _PHRASES
from richiamo_ops.explaining.request import Explainer, Step
from tests.call_queue import log
from tests.events.test_wire import EXAMPLES

ROSSI = CallerId("rossi")
PEOPLE = log.operator("anna", name="Anna Rossi"), log.operator("bruno", name="Bruno Bianchi")


def told(*events: Event | tuple[float, Event], language: str = "en", call: int = 1) -> tuple[list[Step], str]:
    users = log.history(*PEOPLE)
    explainer = Explainer(Rules.initial(SiteSettings()), users, language)
    steps, state = explainer.steps(ROSSI, log.history(*events, after=len(users)))
    return steps, explainer.conclusion(state, log.call_id(call))


def consequences(steps: Iterable[Step]) -> list[list[str]]:
    return [[word.split(" ")[0] + " " + rule(word) for word in step.therefore] for step in steps]


def rule(word: str) -> str:
    found = re.search(r"\((?:rule|regola) (\d+)\)", word)
    return found[1] if found else "-"


def test_a_request_from_its_first_call_to_the_recall_that_closed_it() -> None:
    steps, conclusion = told(
        (0, log.missed(1)),
        (1, log.missed(2, 1)),
        (2, log.reserved()),
        (3, log.reached(8, 3, talk=4)),
        (4, log.reached(9, 4, talk=42)),
    )
    assert [step.what for step in steps] == [
        "Call main:call-1 was lost on queue Vendite (record with legs)",
        "Call main:call-2 was lost on queue Vendite (record with legs)",
        "Anna Rossi reserved the customer",
        "Anna Rossi called the customer and was answered: 4 s of talk (main:call-8)",
        "Anna Rossi called the customer and was answered: 42 s of talk (main:call-9)",
    ]
    assert [list(step.therefore) for step in steps] == [
        ["opens request main:call-1 on queue Vendite (rule 3)"],
        ["adds to request main:call-1, which now has 2 calls (rule 3)"],
        ["the reservation of Anna Rossi covers all its requests"],
        [
            "is attempt number 1 for request main:call-1 (rule 6)",
            "is not enough: it takes more than 5 s (rule 4)",
        ],
        [
            "is attempt number 2 for request main:call-1 (rule 6)",
            "closes request main:call-1: more than 5 s of talk, the threshold in force at the answer (rule 4)",
            "the reservation of Anna Rossi ends with it (rule 8)",
        ],
    ]
    assert conclusion == (
        "So request main:call-1 is closed since 02/03/2026 10:04:00 (recalled); calls: 2, attempts: 2."
    )


def test_a_late_fact_is_told_as_what_it_does_to_what_was_believed() -> None:
    steps, conclusion = told((0, log.missed(1)), (30, log.flushed(1)), (31, log.served(7, 20)), (40, log.missed(1, 0)))
    assert consequences(steps) == [["opens 3"], ["closes 14"], ["closes 5"], ["the 1"]]
    assert "(served)" in conclusion
    steps, conclusion = told((0, log.missed(1)), (1, log.served(1, 0)))
    assert consequences(steps)[1] == ["request 2", "the 1"]
    assert conclusion == "So there is no request main:call-1: its calls do not count."


def test_a_call_in_vain_by_somebody_else_hides_and_one_without_a_request_closes_nothing() -> None:
    steps, conclusion = told((0, log.missed(1)), (5, log.no_answer(8, 5, by=log.BRUNO)), call=1)
    assert steps[1].therefore[-1] == "the customer is hidden from the others until 11:05 (rule 6)"
    assert conclusion == "So request main:call-1 is open; calls: 1, attempts: 1."
    steps, _ = told((0, log.missed(1)), (1, log.reached(8, 1)), (2, log.reached(9, 2)))
    assert steps[2].therefore == ("no request was open: it closes nothing (rule 4)",)


def test_it_is_told_in_italian_too() -> None:
    steps, conclusion = told((0, log.missed(1)), (3, log.reached(9, 3)), language="it")
    assert steps[0].what == "La telefonata main:call-1 è andata persa sulla coda Vendite (cartellino completo)"
    assert steps[1].therefore[-1].endswith("la soglia in vigore alla risposta (regola 4)")
    assert conclusion.startswith("Dunque la richiesta main:call-1 è chiusa dal 02/03/2026 10:03:00 (richiamata)")


@pytest.mark.parametrize("name", sorted(_PHRASES))
def test_both_languages_fill_in_the_same(name: str) -> None:
    italian, english = (set(re.findall(r"\{(\w+)\}", text)) for text in _PHRASES[name])
    assert italian == english


@pytest.mark.parametrize("language", ["it", "en"])
def test_every_kind_of_event_has_a_sentence(language: str) -> None:
    events = [one for one in EXAMPLES if not isinstance(one, OperatorChanged | SettingsChanged)]
    steps, _ = told(*events, language=language)
    assert all(step.what for step in steps)
    assert len(steps) == len(events)
