"""What does one call record say happened? The verdict of `domain.md` rule 2, in this one place.

Reading follows `protocols.md`, "reading a call": the legs in order, a person's answer never being a
menu's or a time check's. The same record gives the same verdict for ever; settings are applied outside.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import TypeAdapter

from richiamo_events.history import call_time, whole_second
from richiamo_events.ids import CallerId, CallId
from richiamo_events.language import Rank, RecallOutcome
from richiamo_events.numbers import Number, NumberRules, Withheld, normalise, normalise_dialled

_FACTS = UUID("7d1c7a0e-54a7-5d0c-9a55-2f6f1f8a2b11")
_NOBODY = frozenset({"ivr", "checktime", "voicemail", "fax", "service", "dre"})
"""Kinds of leg that answer without a person: menus, time checks, machines, music."""

_INSIDE = frozenset({"local_exten", "queue", "callg", "service", ""})
"""Kinds of source that may call out: an extension, the PBX itself (its own call-back), or one not told."""

_STAYS_INSIDE = frozenset({"local_exten", "callg", "queue", "ivr", "conference", "fax", "checktime", "voicemail"})

ENDED_AFTER_ANSWER = "NCC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One station of a call, in the words of the record."""

    type: str = ""
    name: str = ""
    number: str = ""
    entered_at: datetime | None = None
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    exited_at: datetime | None = None
    exit_cause: str = ""
    answered_by: str = ""
    waiting_seconds: float | None = None
    account_code: str = ""
    source_number: str = ""
    mapped_number: str = ""

    @property
    def begins(self) -> datetime | None:
        return self.entered_at or self.queued_at or self.answered_at

    @property
    def waited(self) -> float:
        """Seconds in this leg without an answer; 0 when the record does not tell."""
        if self.waiting_seconds is not None:
            return self.waiting_seconds
        since, until = self.queued_at or self.entered_at, self.answered_at or self.exited_at
        return max(0.0, (until - since).total_seconds()) if since and until else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as a PBX recorded it. Instants are in UTC; durations are seconds.

    `customer` is the caller under which this call is (or will be) in the log, set by ingest before it
    stores the record; `numbers_removed` says that the customer was erased and no digits are kept.
    """

    call: CallId
    received_at: datetime
    source_type: str = ""
    destination_type: str = ""
    status: str = ""
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str = ""
    caller: str = ""
    called: str = ""
    anonymous: bool = False
    gateway: str = ""
    account_code: str = ""
    bill_seconds: float | None = None
    duration_seconds: float | None = None
    legs: tuple[Leg, ...] = ()
    customer: CallerId | None = None
    numbers_removed: bool = False
    content: str = ""
    """The digest of what the PBX sent, kept so that removing numbers does not make another record of it."""

    @property
    def rank(self) -> Rank:
        return Rank.LEGS if self.legs else Rank.SUMMARY

    @property
    def at(self) -> datetime:
        """When the call began (`domain.md` rule 1), whole seconds."""
        return call_time(self.call, self.started_at, self.received_at)

    @property
    def ends(self) -> datetime:
        """When the call ended; without an end in the record, as much as the rest of it tells."""
        if self.ended_at is not None:
            return self.ended_at
        if self.duration_seconds is not None:
            return self.at + timedelta(seconds=self.duration_seconds)
        known = [
            self.at,
            *(at for at in (self.answered_at,) if at),
            *(leg.exited_at for leg in self.legs if leg.exited_at),
        ]
        return max(known)

    def digest(self) -> str:
        """The same for the same content, whenever and however often it is received."""
        if self.content:
            return self.content
        plain = replace(self, received_at=_NEVER, customer=None, numbers_removed=False)
        return hashlib.sha256(RECORD.dump_json(plain)).hexdigest()[:32]


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

RECORD: TypeAdapter[CallRecord] = TypeAdapter(CallRecord)
"""Reads and writes the JSON form of the stream `CDR`."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The call was missed; `type` is `queue` or `checktime`."""

    queue: str
    type: str
    waiting_seconds: float
    reason: str
    account_code: str


@dataclass(frozen=True, slots=True)
class Served:
    """A person answered and the call waited in no queue after; `queue` None when no queue was answered."""

    queue: str | None
    extension: str
    answered_at: datetime
    talk_seconds: float


@dataclass(frozen=True, slots=True)
class Outbound:
    """Somebody called an outside number. `outcome` is None when it was answered."""

    extension: str
    answered_at: datetime | None
    ended_at: datetime
    talk_seconds: float
    outcome: RecallOutcome | None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Neither a customer's call nor a call to a customer, or not yet told how it ended."""


Verdict = Lost | Served | Outbound | Nothing

_WHY = {
    "BUSY": RecallOutcome.BUSY,
    "NOANSWER": RecallOutcome.NO_ANSWER,
    "CANCELED": RecallOutcome.NO_ANSWER,
    "CANCELLED": RecallOutcome.NO_ANSWER,
    "UNAVAILABLE": RecallOutcome.UNAVAILABLE,
}


def verdict(record: CallRecord, rules: NumberRules | None = None) -> Verdict:
    """Judge a call by how it ended (`domain.md` rule 2). Never raises.

    `rules` tell an outside number from an internal one.
    """
    legs = _in_order(record.legs)
    if any(_is_queue(leg) for leg in legs):
        return _inbound(record, legs)
    if is_outbound(record, rules or NumberRules()):
        return _outbound(record)
    if record.source_type in {"ibl", ""} or record.destination_type == "queue":
        return _inbound(record, legs)
    return Nothing()


def is_outbound(record: CallRecord, rules: NumberRules) -> bool:
    """Whether this is a call to an outside number, so that `called` is the customer and not `caller`."""
    if record.source_type == "ibl" or any(_is_queue(leg) for leg in record.legs):
        return False
    if record.numbers_removed:
        return not record.called
    if record.source_type not in _INSIDE or record.destination_type in _STAYS_INSIDE:
        return False
    if record.source_type == "" and not _is_internal(normalise(record.caller, rules)):
        return False
    if record.destination_type == "obl":
        return isinstance(normalise_dialled(record.called, rules), Number)
    if record.source_type not in {"", "local_exten"}:
        return False
    dialled = normalise_dialled(record.called, rules)
    return isinstance(dialled, Number) and not dialled.internal


def talked_enough(outbound: Outbound, threshold_seconds: float) -> bool:
    """Whether a recall reached the customer: talk lasted *more* than the threshold (rule 4)."""
    return outbound.outcome is None and outbound.talk_seconds > threshold_seconds


def fact_id(kind: str, call: CallId, content: str) -> str:
    """The event id of one report of one call: the same cause gives the same id, so it is stored once."""
    return str(uuid5(_FACTS, f"{kind}|{call.pbx}|{call.unique_id}|{content}"))


def record_fact_id(record: CallRecord) -> str:
    """The id of the one fact that this record becomes."""
    return fact_id("record", record.call, record.digest())


def record_message_id(record: CallRecord) -> str:
    """The `Nats-Msg-Id` of this record in the stream `CDR`."""
    return str(uuid5(NAMESPACE_URL, f"cdr|{record.call.pbx}|{record.call.unique_id}|{record.digest()}"))


def _inbound(record: CallRecord, legs: tuple[Leg, ...]) -> Verdict:
    answered = _last_answer(record, legs)
    after = legs[answered + 1 :] if answered is not None else legs
    waited = [leg for leg in after if _is_queue(leg)]
    if waited:
        last = waited[-1]
        return Lost(
            queue=last.name or last.number,
            type="queue",
            waiting_seconds=sum(leg.waited for leg in waited),
            reason=last.exit_cause or record.status,
            account_code=last.account_code or record.account_code,
        )
    if answered is not None:
        return _served(record, legs, answered)
    if not legs and record.answered_by and record.destination_type not in _NOBODY:
        return _served(record, legs, None)
    closed = next((leg for leg in reversed(after) if leg.type == "checktime" and leg.exit_cause == "CLOSED"), None)
    if closed is not None:
        return Lost(
            queue=closed.name or closed.number,
            type="checktime",
            waiting_seconds=0.0,
            reason="CLOSED",
            account_code=closed.account_code or record.account_code,
        )
    return Nothing()


def _served(record: CallRecord, legs: tuple[Leg, ...], answered: int | None) -> Served:
    """On the queue leg that was answered; when none was, by the last person who answered."""
    by_queue = [leg for leg in legs if _is_queue(leg) and leg.answered_by]
    queue: str | None = None
    if by_queue:
        leg: Leg | None = by_queue[-1]
        queue = by_queue[-1].name or by_queue[-1].number
    elif answered is not None and _is_queue(legs[answered]):
        leg, queue = legs[answered], legs[answered].name or legs[answered].number
    else:
        leg = legs[answered] if answered is not None else None
    at = (leg.answered_at if leg else None) or record.answered_at or (leg.begins if leg else None) or record.at
    return Served(
        queue=queue,
        extension=(leg.answered_by if leg else "") or record.answered_by,
        answered_at=whole_second(at),
        talk_seconds=max(0.0, (record.ends - at).total_seconds()),
    )


def _last_answer(record: CallRecord, legs: tuple[Leg, ...]) -> int | None:
    """The index of the last leg that a person answered.

    Only when no leg names who answered does the call's own `answered_by` speak: for the leg in which
    its answer falls, else for the last leg that ended after an answer, else for the last one.
    """
    by_person = [index for index, leg in enumerate(legs) if leg.answered_by and leg.type not in _NOBODY]
    if by_person:
        return by_person[-1]
    persons = [index for index, leg in enumerate(legs) if leg.type not in _NOBODY]
    if not record.answered_by or not persons:
        return None
    if record.answered_at is not None:
        begun = [index for index in persons if _has_begun(legs[index], record.answered_at)]
        if begun:
            return begun[-1]
    ended = [index for index in persons if legs[index].exit_cause == ENDED_AFTER_ANSWER]
    return ended[-1] if ended else persons[-1]


def _has_begun(leg: Leg, at: datetime) -> bool:
    return leg.begins is not None and leg.begins <= at


def _outbound(record: CallRecord) -> Outbound:
    by_legs = [leg.answered_at for leg in record.legs if leg.type == "obl" and leg.answered_at]
    answered_at, ends = record.answered_at or (by_legs[-1] if by_legs else None), record.ends
    talk = record.bill_seconds
    if answered_at is None and record.status == "OK" and talk:
        answered_at = ends - timedelta(seconds=talk)
    if answered_at is None:
        outcome = _WHY.get(record.status, RecallOutcome.NO_ANSWER if record.status == "OK" else RecallOutcome.FAILED)
        return Outbound(record.caller, None, whole_second(ends), 0.0, outcome)
    if talk is None:
        talk = max(0.0, (ends - answered_at).total_seconds())
    return Outbound(record.caller, whole_second(answered_at), whole_second(ends), talk, None)


def _is_internal(number: Number | Withheld) -> bool:
    return isinstance(number, Number) and number.internal


def _is_queue(leg: Leg) -> bool:
    return leg.type == "queue"


def _in_order(legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """The legs as they happened; those of one instant, or without any, stay as the record lists them."""
    if any(leg.begins is None for leg in legs):
        return legs
    return tuple(sorted(legs, key=lambda leg: leg.begins or _NEVER))
