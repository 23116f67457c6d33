"""What does tracing say, where does a trace go on, and what does it cost when nobody collects or the collector hangs?"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from richiamo_kit import tracing
from richiamo_kit.errors import Rejected
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.messages import newest_on
from richiamo_kit.store.port import EventStore
from richiamo_kit.store.streams import EVENTS
from tests.kit.events import many
from tests.traces.collector import collecting

FIRST, SECOND = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319c"
NUMBER = "+390501234567"


def parent(trace: str, span: str = "b7ad6b7169203331") -> str:
    return f"00-{trace}-{span}-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """This process traces while the test lasts; what it would have sent."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing._provider, tracing._tracer = provider, provider.get_tracer("test")
    try:
        yield kept
    finally:
        tracing.end()


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def links_of(span: ReadableSpan) -> list[str]:
    return [f"{link.context.trace_id:032x}" for link in span.links]


def test_causes_of_one_trace_go_on_in_it(spans: InMemorySpanExporter) -> None:
    with tracing.consequence("project", [parent(FIRST), "", parent(FIRST, "b7ad6b7169203332"), parent(FIRST)]):
        pass
    [span] = spans.get_finished_spans()
    assert (trace_of(span), links_of(span)) == (FIRST, [FIRST])
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"


def test_causes_of_several_traces_are_linked(spans: InMemorySpanExporter) -> None:
    with tracing.consequence("project", [parent(FIRST), parent(SECOND)]):
        pass
    [span] = spans.get_finished_spans()
    assert span.parent is None
    assert trace_of(span) not in {FIRST, SECOND}
    assert links_of(span) == [FIRST, SECOND]


@pytest.mark.parametrize("cause", ["", "00-nonsense", parent("0" * 32), "x" * 100_000])
def test_without_a_cause_nothing_follows_but_something_may_begin(spans: InMemorySpanExporter, cause: str) -> None:
    with tracing.consequence("project", [cause]), tracing.step("append"):
        assert tracing.headers() == {}
    assert spans.get_finished_spans() == ()
    with tracing.entrance("POST", cause=cause), tracing.step("append"):
        assert tracing.headers()
    assert [span.name for span in spans.get_finished_spans()] == ["append", "POST"]


def test_what_an_exception_says_is_not_told(spans: InMemorySpanExporter) -> None:
    def fails(error: Exception) -> None:
        with pytest.raises(type(error)), tracing.entrance("POST"):
            raise error

    fails(KeyError(NUMBER))
    fails(Rejected())
    broken, refused = spans.get_finished_spans()
    assert not broken.status.is_ok
    assert NUMBER not in broken.to_json()
    assert broken.attributes is not None
    assert broken.attributes["error.type"] == "KeyError"
    assert "ERROR" not in refused.to_json()


@pytest.fixture(params=["memory_store", pytest.param("event_store", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest) -> EventStore:
    kept: EventStore = request.getfixturevalue(request.param)
    return kept


async def test_an_event_carries_the_span_that_appended_it(spans: InMemorySpanExporter, store: EventStore) -> None:
    first, second = many("a", 2)
    await store.append([first])
    with tracing.entrance("POST", cause=parent(FIRST)):
        await store.append([second])
    plain, traced = [event async for event in store.read()]
    assert plain.traceparent == ""
    assert FIRST in traced.traceparent


@pytest.mark.servers
async def test_untraced_nothing_is_sent_along(event_store: JetStreamEventStore) -> None:
    with tracing.entrance("POST", cause=parent(FIRST)) as span:
        assert not span.is_recording()
        await event_store.append(many("a", 1))
    stored = await newest_on(event_store.client, EVENTS, ">")
    assert stored is not None
    assert "traceparent" not in stored.headers


@pytest.mark.parametrize(
    ("environment", "traces"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_it_is_off_until_the_environment_asks(environment: Mapping[str, str], traces: bool) -> None:
    assert tracing.wanted(environment) is traces


MORE_THAN_WAIT = """
import sys
from richiamo_kit import logging, tracing
from richiamo_kit.lifetime import run_service

async def work():
    for _ in range(10_000):
        with tracing.entrance("POST"):
            pass
    print("worked", tracing.on(), flush=True)
    sys.stdin.readline()

logging.configure("info", form="json", service="test")
tracing.begin("test")
run_service(work())
"""


@pytest.mark.slow
async def test_a_collector_that_hangs_neither_holds_up_the_work_nor_the_end() -> None:
    with collecting() as collector:
        collector.hold()
        # Whoever waited for the collector would wait for ten minutes.
        more = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "600"}
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MORE_THAN_WAIT),
            env=os.environ | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            assert child.stdout is not None
            assert await child.stdout.readline() == b"worked True\n"
            assert await asyncio.to_thread(collector.held.wait, 60)
            await child.communicate(b"\n")
        assert child.returncode == 0
        assert collector.spans == []


@pytest.mark.slow
async def test_a_wrong_setting_leaves_the_service_without_traces() -> None:
    wrong = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", MORE_THAN_WAIT),
        env=os.environ | wrong,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said, errors = await child.communicate(b"\n")
    assert (child.returncode, said) == (0, b"worked False\n")
    assert b'"no_traces"' in errors
