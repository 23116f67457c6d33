"""What happened on the line? One call of the PBX with its legs, as the PBX itself would know it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from richiamo_ops.simulate.people import SWITCHBOARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One place a call went to: a queue, an extension, a menu. Instants are aware, seconds are seconds."""

    kind: str
    name: str
    number: str
    entered_at: datetime
    left_at: datetime
    cause: str
    answered_at: datetime | None = None
    answered_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxCall:
    """One call as it will stand in the PBX's call record."""

    unique_id: str
    inbound: bool
    caller: str
    called: str
    status: str
    started_at: datetime
    ended_at: datetime
    answered_at: datetime | None = None
    answered_by: str = ""
    bill_seconds: float = 0.0
    line: str = ""
    account_code: str = ""
    legs: tuple[Leg, ...] = ()

    @property
    def queue(self) -> str:
        """The name of the last queue it waited in, empty if it met none."""
        return next((leg.name for leg in reversed(self.legs) if leg.kind == "queue"), "")

    @property
    def waited(self) -> int:
        """Whole seconds in the last queue until it was left or answered."""
        leg = next((leg for leg in reversed(self.legs) if leg.kind == "queue"), None)
        if leg is None:
            return 0
        return int(((leg.answered_at or leg.left_at) - leg.entered_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What is known of a call when it begins: who rings, what was dialled, over which line."""

    unique_id: str
    caller: str
    called: str
    line: str
    at: datetime
    account_code: str = ""


def lost(ring: Incoming, queue: str, *, wait: int, cause: str = "CANCELED") -> PbxCall:
    """It waited `wait` seconds in `queue` and nobody answered.

    Its `bill_seconds` are not zero, because the PBX answered with music: a trap of `protocols.md`.
    """
    end = ring.at + timedelta(seconds=wait + 1)
    return _incoming(ring, end, status="OK", legs=(_waiting(queue, ring.at, end, cause),))


def served(ring: Incoming, queue: str, *, wait: int, talk: float, extension: str) -> PbxCall:
    """It waited in `queue` until `extension` answered and talked."""
    answer = ring.at + timedelta(seconds=wait + 1)
    end = answer + timedelta(seconds=int(talk))
    leg = _answered(queue, ring.at, answer, end, extension)
    return _incoming(ring, end, status="OK", legs=(leg,), answered_at=answer, answered_by=extension)


def overflowed(ring: Incoming, first: str, second: str, *, wait: int, talk: float, extension: str) -> PbxCall:
    """The first queue gave up on it and the second one answered: nobody lost it."""
    over = ring.at + timedelta(seconds=wait + 1)
    answer = over + timedelta(seconds=3)
    end = answer + timedelta(seconds=int(talk))
    legs = (
        _waiting(first, ring.at, over, "NOANSWER"),
        _answered(second, over, answer, end, extension),
    )
    return _incoming(ring, end, status="OK", legs=legs, answered_at=answer, answered_by=extension)


def transferred_and_lost(ring: Incoming, queue: str, *, chat: int, wait: int) -> PbxCall:
    """The receptionist answered, passed it into `queue`, and the queue lost it (`domain.md` rule 2)."""
    answer = ring.at + timedelta(seconds=2)
    passed = answer + timedelta(seconds=chat)
    end = passed + timedelta(seconds=wait)
    desk = Leg(
        kind="local_exten",
        name="Centralino",
        number=SWITCHBOARD,
        entered_at=ring.at,
        answered_at=answer,
        left_at=passed,
        cause="BLINDXFER",
        answered_by=SWITCHBOARD,
    )
    return _incoming(
        ring,
        end,
        status="OK",
        legs=(desk, _waiting(queue, passed, end, "CANCELED")),
        answered_at=answer,
        answered_by=SWITCHBOARD,
    )


def recall(
    unique_id: str, extension: str, number: str, line: str, at: datetime, *, ring: int, talk: float | None
) -> PbxCall:
    """An operator rang a customer; `talk` is None when nobody answered, else the seconds of talk."""
    if talk is None:
        return PbxCall(
            unique_id=unique_id,
            inbound=False,
            caller=extension,
            called=number,
            status="NOANSWER" if ring > 12 else "BUSY",
            started_at=at,
            ended_at=at + timedelta(seconds=ring),
            line=line,
        )
    answer = at + timedelta(seconds=ring)
    return PbxCall(
        unique_id=unique_id,
        inbound=False,
        caller=extension,
        called=number,
        status="OK",
        started_at=at,
        answered_at=answer,
        answered_by=number,
        ended_at=answer + timedelta(seconds=int(talk)),
        bill_seconds=talk,
        line=line,
    )


def _incoming(
    ring: Incoming,
    end: datetime,
    *,
    status: str,
    legs: tuple[Leg, ...],
    answered_at: datetime | None = None,
    answered_by: str = "",
) -> PbxCall:
    return PbxCall(
        unique_id=ring.unique_id,
        inbound=True,
        caller=ring.caller,
        called=ring.called,
        status=status,
        started_at=ring.at,
        ended_at=end,
        answered_at=answered_at,
        answered_by=answered_by,
        bill_seconds=(end - ring.at).total_seconds(),
        line=ring.line,
        account_code=ring.account_code,
        legs=legs,
    )


def _waiting(queue: str, entered: datetime, left: datetime, cause: str) -> Leg:
    return Leg(kind="queue", name=queue, number="", entered_at=entered, left_at=left, cause=cause)


def _answered(queue: str, entered: datetime, answer: datetime, end: datetime, extension: str) -> Leg:
    return Leg(
        kind="queue",
        name=queue,
        number="",
        entered_at=entered,
        answered_at=answer,
        left_at=end,
        cause="NCC",
        answered_by=extension,
    )
