"""Where do spans go? To the collector of the environment, by OTLP over HTTP, in batches from a thread of their own.

Imported only where traces are wanted. A collector that is away or slow costs spans and nothing else: at most 2,048
wait (`OTEL_BSP_MAX_QUEUE_SIZE`), the oldest are dropped, and it is said once when spans begin and cease to be lost.
"""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from richiamo_kit import metrics

_log = structlog.get_logger(__name__)


def make_provider(service_name: str) -> TracerProvider:
    """Traces of this process, exported as the `OTEL_*` variables say. Raises what the SDK says of wrong ones."""
    # Each try of each batch would be a line; `_Telling` says what changes.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service_name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_Telling(OTLPSpanExporter())))
    return provider


class _Telling(SpanExporter):
    """An exporter that counts what is lost, and logs when losing begins and ends."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._losing = False
        # Spans leave from another thread, which does not know the name of the service.
        self._log = _log.bind(**structlog.contextvars.get_contextvars())

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        losing = result is not SpanExportResult.SUCCESS
        if losing:
            metrics.SPANS_LOST.inc(len(spans))
        if losing and not self._losing:
            self._log.warning(
                "spans_are_lost", remedy="Look whether the collector of OTEL_EXPORTER_OTLP_ENDPOINT answers."
            )
        elif self._losing and not losing:
            self._log.info("spans_arrive_again")
        self._losing = losing
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)
