"""What can somebody ask for about one caller? Verbs with everything a decision needs, as values.

Ids and instants come in from outside, so that deciding twice gives the same events twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from richiamo_events.ids import CallId, DialId, FlushId, NoteId, ReservationId, Username
from richiamo_events.language import RecallOutcome, ReleaseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """An operator wants to call this caller back."""

    operator: Username
    reservation: ReservationId
    at: datetime
    lease: timedelta
    may_see_hidden: bool = False
    """Supervisors may take a caller whose cool-down still runs; that ends the hiding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The holder gives the caller back to everybody; `supervises` may take it from another."""

    operator: Username
    at: datetime
    supervises: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBack:
    """Who leaves gives the caller back, if it is theirs still: one of many, and none of them may hold up the others."""

    operator: Username
    at: datetime
    why: ReleaseReason
    """`logout` or `deactivated`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """A supervisor gives the caller to an operator, whoever held it before."""

    operator: Username
    by: Username
    reservation: ReservationId
    at: datetime
    lease: timedelta | None
    """None: it never ends by itself (`assignment_minutes` 0)."""
    queues: tuple[str, ...] = ()
    """The queues that the operator may see; empty: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassign:
    """A supervisor takes the caller away from whoever holds it."""

    by: Username
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """A supervisor closes what is open without a recall."""

    flush: FlushId
    by: str
    reason: str
    at: datetime
    opened_before: datetime | None = None
    """Closes only requests opened before this instant (the nightly flush by age, rule 13)."""
    queues: tuple[str, ...] = ()
    """Closes only requests of these queues, those that the supervisor may see; empty: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoFlush:
    """A flush is to be as if never made."""

    flush: FlushId
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRecall:
    """The holder calls the customer now."""

    operator: Username
    extension: str
    dial: DialId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireReservation:
    """The timer asks whether a reservation has outlived its holder's attention."""

    reservation: ReservationId
    at: datetime
    active_at: datetime | None
    """The holder's last command, or the end of their last recall, whichever is later."""
    lease: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRecall:
    """No record of a dial will come, or it never rang: the row must not stay hidden."""

    dial: DialId
    outcome: RecallOutcome
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Somebody wants to see the caller in the lists again."""

    by: Username
    at: datetime
    supervises: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """It was an answering machine."""

    call: CallId
    by: Username
    extension: str
    at: datetime
    since: datetime
    """Recalls answered before this instant (the start of the site's day) are settled."""
    supervises: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """The caller's number is to be forgotten."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteNote:
    """Somebody wrote something about the caller; the text is kept beside the log."""

    by: Username
    note: NoteId
    base: NoteId
    """The version that was read before it was written; empty: there was none."""
    emptied: bool = False


Command = (
    Reserve
    | Release
    | HandBack
    | Assign
    | Unassign
    | Flush
    | UndoFlush
    | StartRecall
    | ExpireReservation
    | EndRecall
    | Show
    | Dispute
    | Erase
    | WriteNote
)
