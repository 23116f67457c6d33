"""Can every event that was ever written still be read? One frozen file an event and version."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from richiamo_events import subjects, wire
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, CallId, DialId, FlushId, NoteId, ReservationId, Username
from richiamo_events.language import (
    CallAssigned,
    CallerErased,
    CallerShown,
    CallFlushed,
    CallMissed,
    CallReserved,
    CallServed,
    CallVoided,
    Event,
    FlushUndone,
    NoteWritten,
    OperatorChanged,
    Rank,
    RecallDisputed,
    RecallFailed,
    RecallOutcome,
    RecallStarted,
    RecallSucceeded,
    ReleaseReason,
    ReservationReleased,
    SettingsChanged,
    VoidUndone,
)

SNAPSHOTS = Path(__file__).parent / "snapshots"
AT = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
CALLER = CallerId("0c3b")
CALL = CallId("main", "1772449200.1")
ANNA = Username("anna")

EXAMPLES: list[Event] = [
    CallMissed(
        caller=CALLER,
        call=CALL,
        rank=Rank.LEGS,
        received_at=AT,
        started_at=AT,
        called="0509876543",
        queue="Vendite",
        type="queue",
        account_code="A1",
        source="trunk-1",
        waiting_seconds=31.5,
        reason="CANCELED",
    ),
    CallServed(
        caller=None,
        call=CALL,
        rank=Rank.NOTIFICATION,
        received_at=AT,
        started_at=AT,
        queue="Vendite",
        extension="204",
        operator=ANNA,
        answered_at=AT,
        talk_seconds=61.25,
    ),
    RecallSucceeded(
        caller=CALLER,
        call=CALL,
        rank=Rank.LEGS,
        received_at=AT,
        started_at=AT,
        extension="204",
        operator=ANNA,
        dial=DialId("d1"),
        answered_at=AT,
        ended_at=AT,
        talk_seconds=5.2,
    ),
    RecallFailed(
        caller=CALLER,
        call=None,
        received_at=AT,
        started_at=AT,
        dial=DialId("d1"),
        ended_at=AT,
        outcome=RecallOutcome.UNKNOWN,
    ),
    CallVoided(caller=CALLER, call=CALL, why="a test call"),
    VoidUndone(caller=CALLER, call=CALL, why="the rules for numbers changed"),
    RecallDisputed(caller=CALLER, call=CALL, by=ANNA),
    CallReserved(caller=CALLER, operator=ANNA, reservation=ReservationId("r1"), expires_at=AT),
    CallAssigned(
        caller=CALLER,
        operator=ANNA,
        by=Username("eva"),
        previous=None,
        reservation=ReservationId("r2"),
        expires_at=None,
    ),
    ReservationReleased(
        caller=CALLER, reservation=ReservationId("r1"), operator=ANNA, by="system", why=ReleaseReason.EXPIRED
    ),
    CallFlushed(caller=CALLER, flush=FlushId("f1"), by="eva", reason="duplicate", calls=(CALL,)),
    FlushUndone(caller=CALLER, flush=FlushId("f1"), by="eva"),
    CallerShown(caller=CALLER, by="eva"),
    RecallStarted(caller=CALLER, operator=ANNA, extension="204", reservation=ReservationId("r1"), dial=DialId("d1")),
    CallerErased(caller=CALLER, by="admin", reason="request of the person", calls=(CALL,)),
    NoteWritten(caller=CALLER, note=NoteId("n1"), by=ANNA),
    OperatorChanged(username=ANNA, name="Anna Bianchi", role="operator", extension="204", queues=("Vendite",)),
    SettingsChanged(values={"success_threshold_seconds": 10, "operator_extensions": ["204"]}),
]


def new(data: Event) -> NewEvent:
    return NewEvent(
        id="e1",
        subject=subjects.caller(CALLER),
        data=data,
        occurred_at=AT,
        actor="user:anna",
        correlation_id="c1",
        causation_id="k1",
    )


def test_there_is_an_example_of_every_type() -> None:
    assert {wire.type_of(example) for example in EXAMPLES} == set(wire.TYPES)


@pytest.mark.parametrize("example", EXAMPLES, ids=wire.type_of)
def test_the_newest_version_is_written_as_its_frozen_file_says(example: Event) -> None:
    headers, body = wire.encode(new(example))
    frozen = SNAPSHOTS / f"{headers['ce-type']}.v{headers['ce-dataversion']}.json"
    assert frozen.exists(), f"A new event or version: freeze it as {frozen.name}."
    assert json.loads(body) == json.loads(frozen.read_text())


@pytest.mark.parametrize("frozen", sorted(SNAPSHOTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_frozen_file_can_still_be_read(frozen: Path) -> None:
    name, _, version = frozen.stem.rpartition(".v")
    event = wire.decode(
        {"ce-type": name, "ce-dataversion": version, "ce-id": "e1"},
        frozen.read_bytes(),
        subject=subjects.caller(CALLER),
        position=7,
        stored_at=AT,
    )
    assert wire.type_of(event.data) == name
    assert event.position == 7


@pytest.mark.parametrize("example", EXAMPLES, ids=wire.type_of)
def test_what_was_written_is_read_back(example: Event) -> None:
    headers, body = wire.encode(new(example))
    event = wire.decode(headers, body, subject=subjects.caller(CALLER), position=3, stored_at=AT)
    assert event.data == example
    assert (event.id, event.actor, event.correlation_id, event.causation_id) == ("e1", "user:anna", "c1", "k1")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"ce-type": "caller.call_sung", "ce-dataversion": "1"}, b"{}"),
        ({"ce-type": "caller.call_voided", "ce-dataversion": "2"}, b"{}"),
        ({"ce-type": "caller.call_voided", "ce-dataversion": "x"}, b"{}"),
        ({"ce-type": "caller.call_voided", "ce-dataversion": "1"}, b'{"caller": 3}'),
        ({}, b""),
    ],
)
def test_what_this_version_does_not_know_is_refused_loudly(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(wire.Unreadable):
        wire.decode(headers, body, subject="s", position=1, stored_at=AT)
