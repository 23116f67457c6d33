"""What can happen? Every event of `domain.md` as a frozen dataclass; the wire names are in `wire.py`.

Instants are aware datetimes in UTC; those of facts (calls) are whole seconds. Durations are seconds.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from richiamo_events.ids import CallerId, CallId, DialId, FlushId, NoteId, ReservationId, Username


class Rank(IntEnum):
    """How much a report of a call knows; of one call the highest rank counts (`domain.md` rule 1)."""

    ROUTING = 1
    NOTIFICATION = 2
    SUMMARY = 3
    LEGS = 4


class RecallOutcome(StrEnum):
    """Why a recall did not reach the customer. The last two are decisions, never attempts (rule 4)."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    SHORT_TALK = "short_talk"
    NOT_DIALLED = "not_dialled"
    UNKNOWN = "unknown"


class ReleaseReason(StrEnum):
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    EXPIRED = "expired"
    LOGOUT = "logout"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMissed:
    """A queue (or time check, menu) lost this call. `caller` is None for a withheld number."""

    caller: CallerId | None
    call: CallId
    rank: Rank
    received_at: datetime
    started_at: datetime | None = None
    """The start in its record; None while only routing or a notification reported it."""
    called: str = ""
    queue: str = ""
    type: str = "queue"
    account_code: str = ""
    source: str = ""
    waiting_seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallServed:
    """A person answered this inbound call and it waited in no queue after (`domain.md` rules 2 and 5)."""

    caller: CallerId | None
    call: CallId
    rank: Rank
    received_at: datetime
    started_at: datetime | None = None
    queue: str | None = None
    called: str = ""
    extension: str = ""
    operator: Username | None = None
    answered_at: datetime
    talk_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallSucceeded:
    """An outbound call was answered and lasted longer than the threshold of the moment it was written.

    The fold decides again with the threshold in force at the answer (`domain.md` rule 4).
    """

    caller: CallerId | None
    call: CallId
    rank: Rank
    received_at: datetime
    started_at: datetime
    extension: str = ""
    operator: Username | None = None
    dial: DialId | None = None
    answered_at: datetime
    ended_at: datetime
    talk_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFailed:
    """An outbound call did not reach the customer.

    With `call` None it is the queue's own word about a dial (`not_dialled`, `unknown`): it ends the
    hiding and is no attempt (rule 4).
    """

    caller: CallerId | None
    call: CallId | None
    rank: Rank = Rank.LEGS
    received_at: datetime
    started_at: datetime
    extension: str = ""
    operator: Username | None = None
    dial: DialId | None = None
    answered_at: datetime | None = None
    ended_at: datetime
    talk_seconds: float = 0.0
    outcome: RecallOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CallVoided:
    """This call counts nowhere: a test call, or a number that was normalised wrongly."""

    caller: CallerId | None
    call: CallId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidUndone:
    """This call counts under this caller again: it was voided there, and its number belongs there after all."""

    caller: CallerId | None
    call: CallId
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallDisputed:
    """It was an answering machine: the fold reads that success as a short talk."""

    caller: CallerId
    call: CallId
    by: Username


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReserved:
    caller: CallerId
    operator: Username
    reservation: ReservationId
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAssigned:
    caller: CallerId
    operator: Username
    by: Username
    previous: Username | None
    reservation: ReservationId
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationReleased:
    caller: CallerId
    reservation: ReservationId
    operator: Username
    by: str
    why: ReleaseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlushed:
    """Requests of this caller were closed without a recall; names the calls it covers (rule 14)."""

    caller: CallerId
    flush: FlushId
    by: str
    reason: str
    calls: tuple[CallId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushUndone:
    caller: CallerId
    flush: FlushId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerShown:
    """Ends a hiding."""

    caller: CallerId
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallStarted:
    """Committed before the PBX is told to dial: it hides the row and never counts (rules 4 and 7)."""

    caller: CallerId
    operator: Username
    extension: str
    reservation: ReservationId
    dial: DialId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerErased:
    """Closes what is open, told apart as *erased*; `calls` are those of the requests open then."""

    caller: CallerId
    by: str
    reason: str
    calls: tuple[CallId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWritten:
    """Somebody wrote the note about this caller, or emptied it. Its text is beside the log, never in it."""

    caller: CallerId
    note: NoteId
    by: Username
    emptied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChanged:
    """The whole new state of a user; credentials are never in the log."""

    username: Username
    name: str
    role: str
    extension: str = ""
    queues: tuple[str, ...] = ()
    language: str = "it"
    active: bool = True
    masked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """The settings that changed, with their new values (JSON values)."""

    values: dict[str, object] = field(default_factory=dict)


Fact = CallMissed | CallServed | RecallSucceeded | RecallFailed | CallVoided | VoidUndone
Decision = (
    RecallDisputed
    | CallReserved
    | CallAssigned
    | ReservationReleased
    | CallFlushed
    | FlushUndone
    | CallerShown
    | RecallStarted
    | CallerErased
    | NoteWritten
)
CallerEvent = Fact | Decision
Event = CallerEvent | OperatorChanged | SettingsChanged
