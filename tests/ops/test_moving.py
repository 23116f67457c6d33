"""Is a call that was brought to another caller, and perhaps back, as if it had never been anywhere else?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from richiamo_events import subjects
from richiamo_events.caller import Caller, evolve, unknown
from richiamo_events.envelope import NewEvent, Recorded
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import CallerEvent
from richiamo_events.requests import Request
from richiamo_events.settings import Rules, SiteSettings
from richiamo_ops.moving import Place, Trail, moved
from tests.events.histories import CALLER, NOON, decisions, facts

OTHER = CallerId("c2")
RULES = Rules.initial(SiteSettings())


def told(event_id: str, caller: CallerId, data: CallerEvent, at: datetime) -> NewEvent:
    return NewEvent(
        id=event_id,
        subject=subjects.caller(caller),
        data=data,
        occurred_at=at,
        actor="pbx:main",
        correlation_id="k",
    )


class Log:
    """A log in memory, as far as moving needs one."""

    def __init__(self, first: Sequence[tuple[datetime, CallerEvent]]) -> None:
        self.events: list[Recorded] = []
        for number, (at, data) in enumerate(first):
            self.store(told(f"e{number}", CALLER, data, at))

    def store(self, event: NewEvent) -> None:
        position = len(self.events) + 1
        self.events.append(
            Recorded(
                position=position,
                recorded_at=NOON + timedelta(seconds=position),
                id=event.id,
                subject=event.subject,
                data=event.data,
                occurred_at=event.occurred_at,
                actor=event.actor,
                correlation_id=event.correlation_id,
                causation_id=event.causation_id,
            )
        )

    def caller(self, caller: CallerId) -> Caller:
        state = unknown(caller)
        for event in self.events:
            if getattr(event.data, "caller", None) == caller:
                state = evolve(state, event, RULES)
        return state

    def trails(self) -> list[Trail]:
        calls: dict[CallId, None] = {
            call: None for event in self.events if (call := getattr(event.data, "call", None)) is not None
        }
        found = [Trail(call) for call in calls]
        for trail in found:
            for event in self.events:
                trail.take(event)
        return found

    def move(self, to: Place, times: int = 1000) -> int:
        """Bring calls to `to`, at most so many; answers how many had to go."""
        gone = 0
        for trail in self.trails()[:times]:
            events = moved(trail, to, ever_lost=True, at=NOON)
            gone += bool(events)
            for event in events:
                self.store(event)
        return gone


def requests(log: Log, caller: CallerId) -> tuple[Request, ...]:
    return log.caller(caller).requests


histories = st.tuples(st.lists(st.tuples(st.just(NOON), facts()), max_size=12), decisions()).map(
    lambda parts: Log([*parts[0], *parts[1]])
)


@given(log=histories, first=st.integers(min_value=0, max_value=4))
def test_what_moves_takes_everything_along_and_comes_back_whole(log: Log, first: int) -> None:
    before = requests(log, CALLER)
    log.move(OTHER, first)  # A run that was cut short.
    log.move(OTHER)
    assert (requests(log, CALLER), requests(log, OTHER)) == ((), before)
    assert log.move(OTHER) == 0, "a second run finds nothing to do"
    log.move(CALLER)
    assert (requests(log, CALLER), requests(log, OTHER)) == (before, ())
    log.move(OTHER)
    assert (requests(log, CALLER), requests(log, OTHER)) == ((), before)


@given(log=histories)
def test_a_withheld_number_has_no_requests_and_its_calls_come_back(log: Log) -> None:
    before = requests(log, CALLER)
    log.move(None)
    assert requests(log, CALLER) == ()
    assert all(event.subject == subjects.WITHHELD for event in log.events if getattr(event.data, "caller", "") is None)
    log.move(OTHER)
    assert requests(log, OTHER) == before


@given(log=histories, late=facts(), nth=st.integers(min_value=0, max_value=7))
def test_a_late_report_counts_where_its_call_is(log: Log, late: CallerEvent, nth: int) -> None:
    history = log.caller(CALLER).history
    known = [one.call for one in history.in_force()]
    if not known:
        return
    late = replace(late, caller=CALLER, call=known[nth % len(known)])  # type: ignore[arg-type]
    told_before = Log([(event.occurred_at, event.data) for event in log.events])  # type: ignore[misc]
    told_before.store(told("late", CALLER, late, NOON))
    log.move(OTHER)
    log.store(told("late", OTHER, replace(late, caller=OTHER), NOON))
    assert requests(log, OTHER) == requests(told_before, CALLER)
