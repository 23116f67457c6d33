"""How is one lost call followed through all processes? By spans of OpenTelemetry, when somebody collects them.

Off unless `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector; then nothing is measured and nothing is sent along. A trace
goes from process to process as W3C `traceparent`, in headers alone. Names and attributes are routes, subjects, types of
events, counts and positions: never a number, a question, nor what an exception says. `docs/traces.md` lists the spans.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from richiamo_kit.errors import Problem, Rejected, StreamMoved

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["SpanKind", "begin", "consequence", "end", "entrance", "headers", "of", "on", "step", "wanted"]

_HEADER = "traceparent"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_FAREWELL = 0.5
"""Seconds for the last spans: a collector that is away must not keep a service from ending."""
_LINKS = 128
"""Causes that one span names: what the SDK keeps."""

_log = structlog.get_logger(__name__)
_w3c = TraceContextTextMapPropagator()
_no_span = nullcontext(trace.INVALID_SPAN)
_tracer: Tracer | None = None
_provider: "TracerProvider | None" = None


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces, by the variables of the OpenTelemetry specification."""
    off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not off and environment.get("OTEL_TRACES_EXPORTER") != "none" and any(map(environment.get, _ENDPOINTS))


def begin(service: str) -> None:
    """Trace from now on if the environment asks for it; a wrong setting is logged and leaves the service without."""
    global _tracer, _provider  # noqa: PLW0603 -- One a process, like logging.
    if not wanted(os.environ):
        return
    try:
        # Fifth of a second of imports, for those who ask.
        from richiamo_kit.trace_export import make_provider  # noqa: PLC0415

        _provider = make_provider(os.environ.get("OTEL_SERVICE_NAME") or f"richiamo-{service}")
    except Exception:
        _log.exception("no_traces")
        return
    _tracer = _provider.get_tracer("richiamo")


def end() -> None:
    """Trace no more; the last spans get half a second to be sent."""
    global _tracer, _provider
    provider, _tracer, _provider = _provider, None, None
    if provider is not None:
        sending = threading.Thread(target=provider.shutdown, name="last_spans", daemon=True)
        sending.start()
        sending.join(_FAREWELL)


def on() -> bool:
    """Whether this process traces."""
    return _tracer is not None


def entrance(name: str, kind: SpanKind = SpanKind.INTERNAL, *, cause: str = "") -> AbstractContextManager[Span]:
    """A span at which something begins: of the trace of `cause` (a `traceparent`), else of a new one."""
    if _tracer is None:
        return _no_span
    return _open(_tracer, name, kind, *_origin([cause]))


def consequence(name: str, causes: Iterable[str], kind: SpanKind = SpanKind.CONSUMER) -> AbstractContextManager[Span]:
    """A span of what follows from messages, given the `traceparent` of each (empty: it has none).

    Causes of one trace go on in it; several traces are linked with a trace of its own; without any there is no span.
    """
    if _tracer is None:
        return _no_span
    parent, links = _origin(causes)
    if not parent and not links:
        return _no_span
    return _open(_tracer, name, kind, parent, links)


def step(name: str, kind: SpanKind = SpanKind.INTERNAL) -> AbstractContextManager[Span]:
    """A part of what goes on; no span when nothing does that is traced."""
    if _tracer is None or not trace.get_current_span().get_span_context().is_valid:
        return _no_span
    return _open(_tracer, name, kind, None, ())


def headers() -> dict[str, str]:
    """What a message carries so that its reader goes on with this trace; empty when nothing is traced."""
    carried: dict[str, str] = {}
    if _tracer is not None:
        _w3c.inject(carried)
    return carried


def of(carried: Mapping[str, str]) -> str:
    """The `traceparent` among the headers of a message; empty when it has none."""
    return carried.get(_HEADER, "")


@contextmanager
def _open(tracer: Tracer, name: str, kind: SpanKind, parent: Context | None, links: Iterable[Link]) -> Iterator[Span]:
    # Exceptions are not recorded: what they say may hold a number.
    with tracer.start_as_current_span(
        name, parent, kind, links=tuple(links), record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", error.type if isinstance(error, Problem) else type(error).__name__)
            if not _is_expected(error):
                span.set_status(StatusCode.ERROR)
            raise


def _is_expected(error: Exception) -> bool:
    """A refusal is an answer, and a race that was lost is run again."""
    return isinstance(error, Rejected | StreamMoved) or (isinstance(error, Problem) and error.status < 500)


def _origin(causes: Iterable[str]) -> tuple[Context, list[Link]]:
    """The parent (an empty context: none) and the links that causes give a span."""
    found = [context for cause in dict.fromkeys(causes) if (context := _read(cause)).is_valid]
    links = [Link(context) for context in found[:_LINKS]]
    if len({context.trace_id for context in found}) != 1:
        return Context(), links
    return trace.set_span_in_context(NonRecordingSpan(found[0]), Context()), links[1:]


def _read(cause: str) -> SpanContext:
    return trace.get_current_span(_w3c.extract({_HEADER: cause}, Context())).get_span_context()
