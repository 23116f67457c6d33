"""Is one lost call one trace, from the PBX's request to the browsers' rows, and one click too? On a whole Richiamo."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.journeys import edge as pbx
from tests.journeys import people
from tests.journeys.edge import ROUTING, Edge
from tests.journeys.people import Person
from tests.journeys.system import System
from tests.journeys.test_main_journey import outbound, row
from tests.journeys.waiting import eventually
from tests.traces.collector import Collector, Seen, collecting

pytestmark = [pytest.mark.servers, pytest.mark.slow]

QUEUE = "Coda tracciata"
SENDERS = "0af7651916cd43dd8448eb211c80319c"
"""A trace that a program begins before it asks Richiamo for something."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as one:
        yield one


@pytest.fixture(scope="module")
def system(collector: Collector) -> Iterator[System]:
    running = System(
        environment={
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "RICHIAMO_LOG_FORMAT": "json",
            "RICHIAMO_LOG_LEVEL": "info",
        }
    )
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def edge(system: System) -> Edge:
    return Edge(system)


@pytest.fixture(scope="module")
def anna(system: System) -> Person:
    return people.hire(system, "anna")


@pytest.fixture(scope="module")
def number() -> str:
    return pbx.new_number()


@pytest.fixture(scope="module")
def lost(edge: Edge, number: str) -> str:
    return edge.loses(number, QUEUE)


def path(collector: Collector, *names: str, trace: str = "") -> list[Seen]:
    """The newest spans of these names in which each is the child of the one before, once they have arrived."""

    def look() -> list[Seen]:
        for last in reversed(collector.spans):
            found = [last]
            by_id = {span.id: span for span in collector.of_trace(last.trace)}
            while len(found) < len(names) and (parent := by_id.get(found[0].parent)) is not None:
                found.insert(0, parent)
            if tuple(span.name for span in found) == names and trace in ("", last.trace):
                return found
        raise AssertionError(sorted({f"{span.service}: {span.name}" for span in collector.spans}))

    return eventually(look, what=" > ".join(names))


def said(system: System, event: str) -> list[dict[str, Any]]:
    """The lines of all services' logs about an event; each begins with the name of its service."""
    lines = (system.folder / "up.log").read_text().splitlines()
    return [json.loads(line.partition(" | ")[2]) for line in lines if f'"event": "{event}"' in line]


def test_a_lost_call_is_one_trace_from_the_pbx_to_the_browsers(collector: Collector, lost: str) -> None:
    spans = path(collector, f"POST {ROUTING}", "append caller.call_missed", "project view_worklist", "push changes")
    assert [span.service for span in spans] == ["ingest", "ingest", "queue", "gateway"]
    assert spans[0].parent == ""
    assert not any(span.failed for span in spans)


def test_logs_name_the_trace_beside_the_call(collector: Collector, system: System, lost: str) -> None:
    trace = path(collector, f"POST {ROUTING}", "append caller.call_missed")[0].trace
    received = eventually(lambda: said(system, "lost_call_received"))
    assert [(line["call"], line["trace_id"]) for line in received] == [(f"main:{lost}", trace)]
    assert all(len(line["span_id"]) == 16 for line in received)


def test_a_click_goes_on_with_the_trace_of_who_asks(collector: Collector, anna: Person, lost: str) -> None:
    caller = eventually(lambda: row(anna, "recall", QUEUE))["caller_id"]
    answer = anna.reserve(caller, traceparent=f"00-{SENDERS}-b7ad6b7169203331-01")
    assert answer.status_code == 200, answer.text
    spans = path(
        collector,
        "PUT /api/v1/callers/{caller_id}/reservation",
        "ask richiamo.queue.reserve",
        "answer richiamo.queue.reserve",
        "append caller.call_reserved",
        "project view_worklist",
        "push changes",
        trace=SENDERS,
    )
    assert [span.service for span in spans] == ["gateway", "gateway", "queue", "queue", "queue", "gateway"]
    assert spans[0].parent == "b7ad6b7169203331"


def test_a_refusal_is_no_failure(collector: Collector, system: System, anna: Person, lost: str) -> None:
    bruno = people.hire(system, "bruno")
    caller = row(anna, "mine", QUEUE)["caller_id"]
    trace = SENDERS[::-1]
    assert bruno.reserve(caller, traceparent=f"00-{trace}-b7ad6b7169203331-01").status_code == 409
    names = ("ask richiamo.queue.reserve", "answer richiamo.queue.reserve")
    assert not any(span.failed for span in path(collector, *names, trace=trace))


def test_a_dial_and_its_record_are_traces_too(
    collector: Collector, edge: Edge, anna: Person, lost: str, number: str
) -> None:
    caller = row(anna, "mine", QUEUE)["caller_id"]
    assert anna.dial(caller).status_code == 202
    path(
        collector,
        "POST /api/v1/callers/{caller_id}/recalls",
        "ask richiamo.queue.start_recall",
        "answer richiamo.queue.start_recall",
        "dial link",
    )
    edge.records(outbound(anna, number, talk=60))
    spans = path(
        collector,
        "POST /pbx/cdr",
        "keep call records",
        "track call records",
        "append caller.recall_succeeded",
        "project view_worklist",
        "push changes",
    )
    assert [span.service for span in spans[1:4]] == ["ingest", "callback-tracker", "callback-tracker"]


def test_no_number_is_told(collector: Collector, edge: Edge, anna: Person, lost: str, number: str) -> None:
    """Nor what was searched, nor what could not be read, nor an address that is none."""
    assert anna.api.get("/requests", params={"view": "recall", "caller": number}).status_code == 200
    assert anna.api.get(f"/callers/{number}/timeline").status_code == 404
    edge.post(f"<parameters><caller>{number}</caller>")
    anna.api.get(f"/nowhere/{number}")
    path(collector, "GET")
    path(collector, "GET /api/v1/callers/{caller_id}/timeline", "ask richiamo.queue.timeline")
    digits = number.lstrip("0").encode()
    assert not any(digits in body for body in collector.bodies)


def test_without_its_collector_richiamo_works_and_says_so_once(
    collector: Collector, system: System, edge: Edge, anna: Person
) -> None:
    collector.close()
    for attempt in range(5):
        edge.loses(pbx.new_number(), f"{QUEUE} {attempt}")
        eventually(partial(row, anna, "recall", f"{QUEUE} {attempt}"))
    told = eventually(lambda: said(system, "spans_are_lost"))
    assert len({line["service"] for line in told}) == len(told)
