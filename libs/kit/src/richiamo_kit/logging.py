"""How does a service tell what it does? One structlog configuration; no caller's number in clear."""

import logging
import re
import signal
import sys

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, WrappedLogger

_NUMBER = re.compile(r"(?<!\w)(?<!\w[.-])((?:%2B|\+)?\d{4,13})\d{3}(?!\w|[.:-]\w)")
"""Seven to sixteen digits that are no part of a name, a version, a `unique_id` with its counter, or an identifier."""
_NUMBER_KEYS = frozenset({"number", "caller_number", "called", "caller"})


def masked(number: str) -> str:
    """A number as logs and pages without the right show it: its last three digits hidden as `xxx`."""
    return number[:-3] + "xxx" if len(number) > 3 else "xxx"


def masked_in(text: str) -> str:
    """A text with the last three digits of each phone number in it hidden."""
    return _NUMBER.sub(r"\1xxx", text)


def _mask_numbers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, str) and key not in {"timestamp", "level", "logger"}:
            event[key] = masked(value) if key in _NUMBER_KEYS else masked_in(value)
    return event


def _name_span(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """After the masking: an identifier may happen to be all digits."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def configure(level: str = "info", *, form: str = "console", service: str = "") -> None:
    """Set up logging for the process: `form` is `console` or `json`; standard library records take the same way.

    A `service` tells everything (debug) from SIGUSR1 on, and what `level` says again from SIGUSR2 on.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask_numbers,
        _name_span,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn.access", "nats", "faststream", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if service:
        structlog.contextvars.bind_contextvars(service=service)
        signal.signal(signal.SIGUSR1, lambda *_: root.setLevel(logging.DEBUG))
        signal.signal(signal.SIGUSR2, lambda *_: root.setLevel(level.upper()))
