"""Which histories are worth trying? Generated ones, crowded into few seconds so that everything ties."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from richiamo_events.ids import CallerId, CallId, FlushId, Username
from richiamo_events.language import (
    CallerEvent,
    CallFlushed,
    CallMissed,
    CallServed,
    CallVoided,
    FlushUndone,
    Rank,
    RecallDisputed,
    RecallFailed,
    RecallOutcome,
    RecallSucceeded,
)

CALLER = CallerId("c1")
NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)

seconds = st.integers(min_value=0, max_value=40).map(lambda n: NOON + timedelta(seconds=n))
ranks = st.sampled_from([Rank.ROUTING, Rank.NOTIFICATION, Rank.LEGS])
talks = st.sampled_from([0.0, 4.9, 5.0, 5.001, 60.0])


@st.composite
def calls(draw: st.DrawFn) -> CallId:
    number = draw(st.integers(min_value=0, max_value=7))
    epoch = draw(st.sampled_from([NOON, NOON + timedelta(seconds=20), datetime(2017, 1, 1, tzinfo=UTC)]))
    return CallId("main", f"{int(epoch.timestamp())}.{number}")


@st.composite
def facts(draw: st.DrawFn) -> CallerEvent:
    call = draw(calls())
    rank = draw(ranks)
    started = draw(seconds) + timedelta(milliseconds=draw(st.sampled_from([0, 999])))
    received = draw(seconds) + timedelta(seconds=60)
    kind = draw(st.sampled_from(["missed", "missed", "missed", "served", "outbound", "outbound", "void"]))
    if kind == "void":
        return CallVoided(caller=CALLER, call=call, why="test call")
    if kind == "missed":
        return CallMissed(
            caller=CALLER,
            call=call,
            rank=rank,
            received_at=received,
            started_at=started if rank is Rank.LEGS else None,
            queue=draw(st.sampled_from(["Vendite", "Assistenza"])),
        )
    answered = started + timedelta(seconds=draw(st.integers(min_value=0, max_value=5)))
    if kind == "served":
        return CallServed(
            caller=CALLER, call=call, rank=rank, received_at=received, started_at=started, answered_at=answered
        )
    talk = draw(talks)
    ended = answered + timedelta(seconds=talk)
    if talk > 0 and draw(st.booleans()):
        return RecallSucceeded(
            caller=CALLER,
            call=call,
            rank=Rank.LEGS,
            received_at=received,
            started_at=started,
            extension="204",
            answered_at=answered,
            ended_at=ended,
            talk_seconds=talk,
        )
    return RecallFailed(
        caller=CALLER,
        call=call,
        rank=Rank.LEGS,
        received_at=received,
        started_at=started,
        extension="204",
        answered_at=answered if talk > 0 else None,
        ended_at=ended,
        talk_seconds=talk,
        outcome=RecallOutcome.NO_ANSWER,
    )


@st.composite
def decisions(draw: st.DrawFn) -> list[tuple[datetime, CallerEvent]]:
    """Flushes, some undone, and disputes, each with its instant, in the order of the log."""
    made: list[tuple[datetime, CallerEvent]] = []
    for number in range(draw(st.integers(min_value=0, max_value=2))):
        flush = FlushId(f"f{number}")
        covered = tuple(draw(st.lists(calls(), max_size=4, unique=True)))
        made.append(
            (draw(seconds), CallFlushed(caller=CALLER, flush=flush, by="user:eva", reason="done", calls=covered))
        )
        if draw(st.booleans()):
            made.append((draw(seconds), FlushUndone(caller=CALLER, flush=flush, by="user:eva")))
    if draw(st.booleans()):
        made.append((draw(seconds), RecallDisputed(caller=CALLER, call=draw(calls()), by=Username("anna"))))
    return made
