"""Which tables hold the worklist? The statements that make them, in whatever schema they are filled.

`caller` holds the state of the fold; `request` one row a version of an open request, valid from
`recorded_from` until `recorded_to` (infinity: now), so that "as of" is a WHERE; `number` the digits, apart
from everything else, so that erasing is one DELETE, and without the samples that PostgreSQL keeps of a column.
"""

from collections.abc import Sequence

from richiamo_events.caller import SHAPE

_TABLES = """
CREATE TABLE {schema}.caller (
    caller_id      text PRIMARY KEY,
    state          text NOT NULL,
    position       bigint NOT NULL,
    is_open        boolean NOT NULL,
    shared         boolean NOT NULL,
    reservation    text,
    operator       text,
    expires_at     timestamptz,
    assigned       boolean NOT NULL,
    dial           text,
    recall_since   timestamptz,
    hidden_until   timestamptz
);
CREATE INDEX ON {schema}.caller (expires_at) WHERE expires_at IS NOT NULL AND dial IS NULL;
CREATE INDEX ON {schema}.caller (recall_since) WHERE dial IS NOT NULL;
CREATE INDEX ON {schema}.caller (hidden_until) WHERE hidden_until IS NOT NULL;
CREATE INDEX ON {schema}.caller (operator) WHERE operator IS NOT NULL;

CREATE TABLE {schema}.request (
    request_id     text NOT NULL,
    caller_id      text NOT NULL,
    recorded_from  timestamptz NOT NULL,
    recorded_to    timestamptz NOT NULL DEFAULT 'infinity',
    queue          text NOT NULL,
    type           text NOT NULL,
    called         text NOT NULL,
    source         text NOT NULL,
    account_code   text NOT NULL,
    calls          integer NOT NULL,
    recalled       integer NOT NULL,
    first_call     timestamptz NOT NULL,
    last_call      timestamptz NOT NULL,
    last_recall    timestamptz,
    routing_only   boolean NOT NULL,
    reserved_by    text,
    reserved_at    timestamptz,
    expires_at     timestamptz,
    assigned_by    text,
    calling_by     text,
    calling_since  timestamptz,
    dial           text,
    hidden_until   timestamptz,
    hidden_reason  text
);
CREATE UNIQUE INDEX ON {schema}.request (caller_id, request_id) WHERE recorded_to = 'infinity';
CREATE INDEX ON {schema}.request (last_call) WHERE recorded_to = 'infinity';
CREATE INDEX ON {schema}.request (first_call) WHERE recorded_to = 'infinity';
CREATE INDEX ON {schema}.request (reserved_by) WHERE recorded_to = 'infinity' AND reserved_by IS NOT NULL;
CREATE INDEX ON {schema}.request (recorded_to, recorded_from);

CREATE TABLE {schema}.number (
    caller_id text PRIMARY KEY,
    number    text NOT NULL,
    digits    text NOT NULL
);
ALTER TABLE {schema}.number ALTER COLUMN number SET STATISTICS 0, ALTER COLUMN digits SET STATISTICS 0;

CREATE TABLE {schema}.flush (
    flush_id  text NOT NULL,
    caller_id text NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (flush_id, caller_id)
);

CREATE TABLE {schema}.decided (
    correlation_id text PRIMARY KEY,
    position       bigint NOT NULL
);

CREATE TABLE {schema}.recall_ended (
    operator text PRIMARY KEY,
    ended_at timestamptz NOT NULL
);

CREATE TABLE {schema}.withheld (
    call    text PRIMARY KEY,
    state   text NOT NULL,
    at      timestamptz,
    queue   text NOT NULL
);
CREATE INDEX ON {schema}.withheld (at) WHERE at IS NOT NULL;

CREATE TABLE {schema}.setting_change (
    position    bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    values      json NOT NULL
);
COMMENT ON TABLE {schema}.caller IS 'States of the fold, shape {shape}';
"""

REQUEST_COLUMNS = (
    "request_id",
    "caller_id",
    "recorded_from",
    "recorded_to",
    "queue",
    "type",
    "called",
    "source",
    "account_code",
    "calls",
    "recalled",
    "first_call",
    "last_call",
    "last_recall",
    "routing_only",
    "reserved_by",
    "reserved_at",
    "expires_at",
    "assigned_by",
    "calling_by",
    "calling_since",
    "dial",
    "hidden_until",
    "hidden_reason",
)

SHOWN = ", ".join(f"r.{name}" for name in REQUEST_COLUMNS if not name.startswith("recorded_"))
"""The columns of a row as a list shows it; infinity is no instant that Python knows."""


def ddl(schema: str) -> Sequence[str]:
    """The statements, one each, that make the view's tables in `schema`."""
    return [text.strip() for text in _TABLES.format(schema=schema, shape=SHAPE).split(";") if text.strip()]
