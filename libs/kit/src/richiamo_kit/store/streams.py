"""Which streams does Richiamo keep in NATS? Made at the start of any service; an existing one is left as it is."""

from collections.abc import Mapping
from types import MappingProxyType

import structlog
from nats.aio.client import Client

from richiamo_events import subjects
from richiamo_kit.errors import Unavailable
from richiamo_kit.store.api import JetStreamError, api_patiently

_log = structlog.get_logger(__name__)

EVENTS = "EVENTS"
CDR = "CDR"
CHANGES = "CHANGES"
QUARANTINE = "QUARANTINE"
DEAD = "DEAD"
MARKS = "MARKS"
DIRECTORY = "KV_CALLERS"
NOTES = "NOTES"
ERASURES = "ERASURES"

CHANGES_SUBJECT = "richiamo.changes"
CDR_SUBJECTS = "richiamo.cdr.>"
QUARANTINE_SUBJECTS = "richiamo.quarantine.>"
DEAD_SUBJECTS = "richiamo.dead.>"
MARKS_SUBJECTS = "richiamo.mark.>"
NOTES_SUBJECTS = "richiamo.note.>"
DIRECTORY_PREFIX = "$KV.CALLERS"
ERASURES_PREFIX = "richiamo.erasure"

FORGOTTEN = "richiamo.directory.forgotten"
"""No stream: whoever remembers numbers hears at once who was forgotten."""

_NAME_TAKEN = 10058
_SECOND = 1_000_000_000
_HOUR = 3600 * _SECOND
_DAY = 24 * _HOUR


def configurations(*, replicas: int = 1, retention_days: int = 45) -> Mapping[str, Mapping[str, object]]:
    """Every stream's configuration as JetStream's API takes it, by name."""
    kept: dict[str, object] = {
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "num_replicas": replicas,
        "allow_direct": True,
    }
    raw_records: dict[str, object] = {
        **kept,
        "max_age": retention_days * _DAY,
        "duplicate_window": _HOUR,
        "allow_atomic": True,
    }
    return MappingProxyType(
        {
            # The log: append-only, and what is full refuses instead of forgetting. Whether writes are synced is the
            # server's setting, `sync_interval: always`.
            EVENTS: {
                **kept,
                "subjects": [subjects.ALL],
                "discard": "new",
                "deny_delete": True,
                "deny_purge": True,
                "allow_atomic": True,
                "duplicate_window": 600 * _SECOND,
            },
            # Raw call records and refused messages carry numbers: kept for a short time, and deletable.
            CDR: {**raw_records, "subjects": [CDR_SUBJECTS]},
            QUARANTINE: {**raw_records, "subjects": [QUARANTINE_SUBJECTS]},
            DEAD: {**raw_records, "subjects": [DEAD_SUBJECTS]},
            # How far somebody got who reads outside of Richiamo: the newest word of each (decision 0010).
            MARKS: {
                **kept,
                "subjects": [MARKS_SUBJECTS],
                "max_msgs_per_subject": 1,
                "duplicate_window": 120 * _SECOND,
            },
            # What people wrote about customers: the newest text of each; older ones are overwritten, byte by byte.
            NOTES: {**kept, "subjects": [NOTES_SUBJECTS], "duplicate_window": 120 * _SECOND},
            CHANGES: {
                **kept,
                "subjects": [CHANGES_SUBJECT],
                "storage": "memory",
                "max_age": _HOUR,
                "duplicate_window": 120 * _SECOND,
            },
            # A bucket whose messages can be erased: nats-py's own makes one that refuses it (10057).
            DIRECTORY: {
                **kept,
                "subjects": [f"{DIRECTORY_PREFIX}.>"],
                "max_msgs_per_subject": 1,
                "allow_atomic": True,
                "discard": "new",
                "allow_rollup_hdrs": True,
                "deny_delete": False,
                "duplicate_window": 120 * _SECOND,
            },
            # Who was forgotten, by the keyed hash of the number: nothing in it leads to a person.
            ERASURES: {
                **kept,
                "subjects": [f"{ERASURES_PREFIX}.>"],
                "deny_delete": True,
                "deny_purge": True,
                "duplicate_window": 120 * _SECOND,
            },
        }
    )


async def ensure_streams(client: Client, *, replicas: int = 1, retention_days: int = 45) -> None:
    """Make the streams that are missing. Safe to call from all services at once.

    Waits up to 30 s for JetStream. A stream that exists with another configuration is left alone, for only `ops` may
    change one; it is said in the log.
    """
    for name, configuration in configurations(replicas=replicas, retention_days=retention_days).items():
        try:
            await api_patiently(client, f"STREAM.CREATE.{name}", {"name": name, **configuration}, within=30.0)
        except JetStreamError as error:
            if error.code != _NAME_TAKEN:
                raise
            _log.info("stream_configured_otherwise", stream=name)


async def keep_raw_for(client: Client, days: int) -> None:
    """Let raw records and what was refused be forgotten after so many days. Raises `Unavailable`; repeatable."""
    for name in (CDR, QUARANTINE, DEAD):
        try:
            answer = await api_patiently(client, f"STREAM.INFO.{name}")
            configuration = answer["config"]
            if isinstance(configuration, dict) and configuration.get("max_age") != days * _DAY:
                await api_patiently(client, f"STREAM.UPDATE.{name}", {**configuration, "max_age": days * _DAY})
                _log.info("raw_records_kept_for", stream=name, days=days)
        except JetStreamError as error:
            raise Unavailable(str(error)) from error
