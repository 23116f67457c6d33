"""What may each service say and hear on NATS? One user a service, who may do what is listed here and nothing else.

The servers of `richiamo up` are configured from it, and `deploy/nats/users.conf` is written from it (`make nats-users`).
Who may write about callers may write every type of event about them: the type is a header, which NATS does not look
at. `docs/security.md` says what follows from that.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from richiamo_events import subjects
from richiamo_kit.settling import SETTLE
from richiamo_kit.store import streams
from richiamo_kit.store.connection import inbox_of

OPS = "ops"
"""Commands of administrators: everything, deletion of streams and restoring them too. No service is this user."""

_OF_CALLERS = (f"{subjects.ROOT}.caller.*", f"{subjects.ROOT}.elsewhere.*", subjects.WITHHELD)
_INGEST = "richiamo.ingest"
_QUEUE = "richiamo.queue"
_REPORTING = "richiamo.reporting"


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of one service; subjects may hold wildcards."""

    writes: tuple[str, ...] = ()
    """Subjects of streams and announcements it publishes."""
    reads: tuple[str, ...] = (streams.EVENTS,)
    """Streams it reads."""
    erases: tuple[str, ...] = ()
    """Streams single messages of which it overwrites."""
    keeps: tuple[str, ...] = ()
    """Streams whose configuration it changes (how long raw records are kept)."""
    asks: tuple[str, ...] = ()
    """Questions it puts to others."""
    answers: tuple[str, ...] = ()
    """Questions it listens to."""
    asked_by: tuple[str, ...] = ()
    """Users into whose inboxes it answers."""
    hears: tuple[str, ...] = ()
    """Announcements it listens to."""

    def publish(self) -> list[str]:
        """Every subject it may publish on."""
        api = "$JS.API"
        return [
            *self.writes,
            *self.asks,
            *(f"{inbox_of(user)}.>" for user in self.asked_by),
            *(f"{api}.STREAM.CREATE.{name}" for name in streams.configurations()),
            *(f"{api}.STREAM.INFO.{name}" for name in self.reads),
            *(f"{api}.STREAM.MSG.GET.{name}" for name in self.reads),
            *(f"{api}.CONSUMER.CREATE.{name}" for name in self.reads),
            *(f"$JS.FC.{name}.>" for name in self.reads),
            *(f"{api}.STREAM.MSG.DELETE.{name}" for name in self.erases),
            *(f"{api}.STREAM.UPDATE.{name}" for name in self.keeps),
        ]

    def subscribe(self, user: str) -> list[str]:
        """Every subject it may subscribe to: its own inbox, never another's."""
        return [f"{inbox_of(user)}.>", *self.answers, *self.hears]


_RAW = (streams.CDR, streams.QUARANTINE, streams.DEAD)

SERVICES: Mapping[str, Access] = {
    "ingest": Access(
        writes=(
            *_OF_CALLERS,
            streams.CDR_SUBJECTS,
            streams.QUARANTINE_SUBJECTS,
            streams.MARKS_SUBJECTS,
            f"{streams.DIRECTORY_PREFIX}.>",
        ),
        reads=(streams.EVENTS, streams.MARKS, streams.DIRECTORY, streams.ERASURES, *_RAW),
        erases=(streams.QUARANTINE, streams.DIRECTORY),
        keeps=_RAW,
        answers=(f"{_INGEST}.>",),
        asked_by=("queue", "gateway", OPS),
        hears=(streams.FORGOTTEN,),
    ),
    "queue": Access(
        writes=(
            *_OF_CALLERS,
            streams.CHANGES_SUBJECT,
            streams.NOTES_SUBJECTS,
            f"{streams.ERASURES_PREFIX}.*",
            streams.FORGOTTEN,
        ),
        reads=(streams.EVENTS, streams.NOTES, streams.DIRECTORY, streams.ERASURES, *_RAW),
        erases=(streams.NOTES, streams.DIRECTORY, *_RAW),
        asks=(SETTLE,),
        answers=(f"{_QUEUE}.>",),
        asked_by=("gateway", OPS),
        hears=(streams.FORGOTTEN,),
    ),
    "callback-tracker": Access(
        writes=(*_OF_CALLERS, f"{streams.DEAD_SUBJECTS.removesuffix('>')}tracker"),
        reads=(streams.EVENTS, streams.CDR),
    ),
    "reporting": Access(
        reads=(streams.EVENTS, streams.DIRECTORY, streams.ERASURES),
        answers=(f"{_REPORTING}.>",),
        asked_by=("gateway", OPS),
        hears=(streams.FORGOTTEN,),
    ),
    "gateway": Access(
        writes=(subjects.OPERATORS, subjects.SETTINGS),
        reads=(streams.EVENTS, streams.CHANGES),
        asks=(f"{_QUEUE}.>", f"{_REPORTING}.>", f"{_INGEST}.test_pbx", f"{_INGEST}.poll"),
    ),
}


def users(passwords: Mapping[str, str]) -> str:
    """The server's `authorization` block; `passwords` by user, each as it is written there (quoted, or `$NAME`)."""
    lines = [f"  {{ user: {OPS}, password: {passwords[OPS]} }}"]
    for user, access in SERVICES.items():
        lines += [
            f"  {{ user: {user}, password: {passwords[user]}, permissions: {{",
            f"    publish: {_listed(access.publish())}",
            f"    subscribe: {_listed(access.subscribe(user))}",
            "  } }",
        ]
    return "authorization { users: [\n" + "\n".join(lines) + "\n] }\n"


def page() -> str:
    """`deploy/nats/users.conf`: the block with variables in place of passwords."""
    variables = {user: f"${user.replace('-', '_')}_password" for user in (OPS, *SERVICES)}
    return '# Written by make nats-users. Say the passwords before it: queue_password: "..."\n' + users(variables)


def _listed(allowed: list[str]) -> str:
    return "[\n" + "\n".join(f"      {json.dumps(subject)}" for subject in allowed) + "\n    ]"
