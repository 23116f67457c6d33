"""In which tables do the facts of the reports lie? Bitemporal ones: what happened, and when it was recorded.

A row holds from `recorded_from` until `recorded_to` (infinity while it stands). "As of t" is then
`recorded_from <= t AND recorded_to > t`, and no instant of the past is ever computed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from richiamo_events.caller import SHAPE

ROWS = 2
"""Raise this when `derive.py` gives other rows for the same log: the projector then rebuilds the view."""

WITHHELD = ""
"""Stands for the caller of a call that withheld its number."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of versions; its key is (`caller`, the first column, `recorded_from`)."""

    name: str
    columns: tuple[tuple[str, str], ...]
    indexes: tuple[str, ...]
    standing: tuple[str, ...] = ()
    """Indexes of the versions that stand now, which most questions ask for."""

    @property
    def key(self) -> str:
        return self.columns[0][0]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns in the order in which rows are written."""
        return ("caller", *(name for name, _ in self.columns), "recorded_from", "recorded_to")


REQUEST = Table(
    "request",
    (
        ("request_id", "text NOT NULL"),
        ("queue", "text NOT NULL"),
        ("type", "text NOT NULL"),
        ("called", "text NOT NULL"),
        ("source", "text NOT NULL"),
        ("account_code", "text NOT NULL"),
        ("opened_at", "timestamptz NOT NULL"),
        ("last_call", "timestamptz NOT NULL"),
        ("calls_at", "timestamptz[] NOT NULL"),
        ("tried_at", "timestamptz[] NOT NULL"),
        ("closed_at", "timestamptz"),
        ("closed_by", "text"),
        ("closing_call", "text"),
        ("talk_seconds", "numeric"),
    ),
    ("opened_at", "closed_at"),
    # The second finds what was open at an instant.
    ("opened_at", "(coalesce(closed_at, 'infinity')), opened_at"),
)
MISSED_CALL = Table(
    "missed_call",
    (
        ("call_id", "text NOT NULL"),
        ("request_id", "text"),
        ("queue", "text NOT NULL"),
        ("type", "text NOT NULL"),
        ("called", "text NOT NULL"),
        ("source", "text NOT NULL"),
        ("account_code", "text NOT NULL"),
        ("called_at", "timestamptz NOT NULL"),
        ("waiting_seconds", "numeric"),
    ),
    ("called_at",),
    ("called_at",),
)
SERVED_CALL = Table(
    "served_call",
    (
        ("call_id", "text NOT NULL"),
        ("queue", "text"),
        ("called_at", "timestamptz NOT NULL"),
        ("answered_at", "timestamptz NOT NULL"),
        ("talk_seconds", "numeric NOT NULL"),
        ("operator", "text"),
        ("extension", "text NOT NULL"),
    ),
    ("called_at",),
    ("called_at",),
)
RECALL = Table(
    "recall",
    (
        ("call_id", "text NOT NULL"),
        ("started_at", "timestamptz NOT NULL"),
        ("answered_at", "timestamptz"),
        ("ended_at", "timestamptz NOT NULL"),
        ("talk_seconds", "numeric NOT NULL"),
        ("outcome", "text NOT NULL"),
        ("operator", "text"),
        ("extension", "text NOT NULL"),
        ("tried", "text[] NOT NULL"),
        ("closed", "text[] NOT NULL"),
    ),
    ("started_at",),
)
RESERVATION = Table(
    "reservation",
    (
        ("reservation_id", "text NOT NULL"),
        ("operator", "text NOT NULL"),
        ("reserved_at", "timestamptz NOT NULL"),
        ("expires_at", "timestamptz"),
        ("assigned_by", "text"),
    ),
    ("recorded_from",),
)
HIDING = Table(
    "hiding",
    (
        ("hidden_since", "timestamptz NOT NULL"),
        ("hidden_until", "timestamptz NOT NULL"),
        ("reason", "text NOT NULL"),
    ),
    ("recorded_from",),
)

TABLES: tuple[Table, ...] = (REQUEST, MISSED_CALL, SERVED_CALL, RECALL, RESERVATION, HIDING)


def ddl(schema: str) -> Sequence[str]:
    """The statements that make all tables of the view in `schema`."""
    statements: list[str] = []
    for table in TABLES:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns)
        statements.append(
            f"CREATE TABLE {schema}.{table.name} (caller text NOT NULL, {columns}, "
            f"recorded_from timestamptz NOT NULL, recorded_to timestamptz NOT NULL, "
            f"PRIMARY KEY (caller, {table.key}, recorded_from), CHECK (recorded_from < recorded_to))"
        )
        statements.extend(f"CREATE INDEX ON {schema}.{table.name} ({index})" for index in table.indexes)
        statements.extend(
            f"CREATE INDEX ON {schema}.{table.name} ({index}) WHERE recorded_to = 'infinity'"
            for index in table.standing
        )
    statements.append(f"CREATE TABLE {schema}.fold_state (owner text PRIMARY KEY, state text NOT NULL)")
    statements.append(
        f"CREATE TABLE {schema}.horizon (one boolean PRIMARY KEY DEFAULT true CHECK (one), "
        "recorded_at timestamptz NOT NULL)"
    )
    statements.append(
        f"CREATE TABLE {schema}.site_settings (position bigint PRIMARY KEY, recorded_at timestamptz NOT NULL, "
        "changed jsonb NOT NULL)"
    )
    statements.append(
        f"CREATE TABLE {schema}.operator (username text PRIMARY KEY, number integer NOT NULL, name text NOT NULL, role text NOT NULL, "
        "extension text NOT NULL, language text NOT NULL, active boolean NOT NULL, recorded_at timestamptz NOT NULL)"
    )
    statements.append(f"COMMENT ON TABLE {schema}.fold_state IS 'States of the fold, shape {SHAPE}, rows {ROWS}'")
    return statements
