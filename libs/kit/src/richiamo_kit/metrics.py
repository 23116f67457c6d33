"""What is measured? Every metric of every service in one typed catalogue, so that names never drift."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LOST_CALLS = Counter("richiamo_lost_calls", "Lost calls received from the PBX", ["pbx", "source", "result"])
CALL_RECORDS = Counter("richiamo_call_records", "Call records received", ["pbx", "result"])
NOTIFICATIONS = Counter("richiamo_notifications", "Event notifications received", ["pbx", "event"])
AMI_CONNECTED = Gauge("richiamo_ami_connected", "Whether the events of the AMI are heard now", ["pbx"])
AMI_EVENTS = Counter("richiamo_ami_events", "Events of the AMI that say something of a call", ["pbx", "event"])
AMI_GAP_SECONDS = Counter("richiamo_ami_gap_seconds", "Time in which events of the AMI were not heard", ["pbx"])
QUARANTINED = Counter("richiamo_quarantined", "Reports that could not be understood", ["pbx", "reason"])
QUARANTINE_ENTRIES = Gauge("richiamo_quarantine_entries", "Reports kept in the quarantine now")
SPOOLED = Gauge("richiamo_spool_entries", "Reports on the local disk that the log has not taken yet")
WRONG_CREDENTIALS = Counter("richiamo_wrong_credentials", "Requests with wrong credentials", ["edge"])
POLLS = Counter("richiamo_polls", "Times that the PBX was asked for call records", ["pbx", "result"])
POLL_LAST_SUCCESS = Gauge(
    "richiamo_poll_last_success_timestamp_seconds", "When the last successful poll for call records ended", ["pbx"]
)
POLL_THROUGH = Gauge(
    "richiamo_poll_through_timestamp_seconds", "Up to which instant the call records of the PBX have been read", ["pbx"]
)
NUMBERS_MASKED = Gauge("richiamo_numbers_masked", "1 while the PBX hides the last digits of its numbers", ["pbx"])
FACTS = Counter("richiamo_facts", "Facts written by the callback tracker", ["type"])
COMMANDS = Counter("richiamo_commands", "Commands decided", ["command", "result"])
LOG_POSITION = Gauge("richiamo_log_position", "Position of the newest event of the log")
DISK_FREE = Gauge("richiamo_disk_free_bytes", "Free space where a folder is", ["folder"])
VIEW_POSITION = Gauge("richiamo_view_position", "Position of the log that a view has reached", ["view"])
IDENTITY_BREACHES = Gauge(
    "richiamo_identity_breaches",
    "Identities of the reports that do not hold, over the weeks checked",
    ["identity", "day"],
)
RECONCILED = Gauge("richiamo_reconciled_timestamp_seconds", "When the identities of the reports were last checked")
CHECK_FAULTS = Gauge("richiamo_check_faults", "Breaches that the last nightly check found; -1: it could not be made")
CHECK_ENDED = Gauge("richiamo_check_ended_timestamp_seconds", "When the last nightly check ended")
STREAMS_OPEN = Gauge("richiamo_live_streams", "Browsers that follow the changes")
SPANS_LOST = Counter("richiamo_spans_lost", "Spans of traces that the collector did not take")
REQUEST_SECONDS = Histogram(
    "richiamo_request_seconds",
    "Time to answer over HTTP, in seconds",
    ["edge", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def catalogue() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Every metric as (name as Prometheus has it, kind, meaning, labels), by name."""
    found: list[tuple[str, str, str, tuple[str, ...]]] = []
    for metric in {one for one in globals().values() if isinstance(one, Counter | Gauge | Histogram)}:
        described = next(iter(metric.describe()))
        name = f"{described.name}_total" if described.type == "counter" else described.name
        found.append((name, described.type, described.documentation, tuple(metric._labelnames)))  # noqa: SLF001 -- Nothing else tells them.
    return sorted(found)


def page() -> str:
    """The catalogue as `docs/metrics.md`; `make metrics-page` writes it."""
    rows = "\n".join(
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"
        for name, kind, meaning, labels in catalogue()
    )
    return f"""# Metrics

What `/metrics` of each service tells Prometheus. Written by `make metrics-page` from `richiamo_kit/metrics.py`; the
alerts on them are in `deploy/prometheus/rules`, what to do about each is in [runbooks](runbooks).

| Metric | Kind | Labels | Meaning |
|---|---|---|---|
{rows}
"""


def exposition() -> bytes:
    """All metrics of this process in Prometheus' text format."""
    return generate_latest(REGISTRY)
