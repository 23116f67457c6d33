"""Which waits in queues do the lines of `queue_log` tell, and how did each end?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from richiamo_events.records import ENDED_AFTER_ANSWER, Leg
from richiamo_ingest.asterisk.parse import QueueLine, agent_of
from richiamo_ingest.reports import NotUnderstood

_LEFT = frozenset({"ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "SYSCOMPAT"})
_ENDED = {
    "COMPLETEAGENT": ENDED_AFTER_ANSWER,
    "COMPLETECALLER": ENDED_AFTER_ANSWER,
    "TRANSFER": "BLINDXFER",
    "BLINDTRANSFER": "BLINDXFER",
    "ATTENDEDTRANSFER": "ATXFER",
}
_WAITED_AT = {"EXITWITHKEY": 3}
_ORDER = {"DID": 0, "ENTERQUEUE": 1, "CONNECT": 2}
_SOMEBODY = "?"
"""Who answered when the line does not name the member."""
_LONGEST_WAIT = 7


@dataclass(slots=True, kw_only=True)
class Wait:
    """One wait in one queue."""

    queue: str
    entered_at: datetime
    caller: str
    answered_at: datetime | None = None
    answered_by: str = ""
    left_at: datetime | None = None
    cause: str = ""
    waiting_seconds: float | None = None

    def talked_until(self, at: datetime) -> bool:
        """Whether this was answered and ended at that instant: some ends are told by two lines."""
        return self.answered_at is not None and self.left_at == at

    def leg(self) -> Leg:
        return Leg(
            type="queue",
            name=self.queue,
            entered_at=self.entered_at,
            answered_at=self.answered_at,
            exited_at=self.left_at,
            exit_cause=self.cause,
            answered_by=self.answered_by,
            waiting_seconds=self.waiting_seconds,
        )


def in_order(lines: Iterable[QueueLine]) -> list[QueueLine]:
    """The lines of one call as they happened, each once; in one second: entered, answered, left."""
    return sorted(
        {(line.at, line.queue, line.agent, line.event, line.data): line for line in lines}.values(),
        key=lambda line: (line.at, _ORDER.get(line.event, 3), line.queue, line.event, line.data, line.agent),
    )


def waits_of(ordered: Sequence[QueueLine]) -> list[Wait]:
    """The waits of one call. Raises `NotUnderstood` when the line that names the caller is missing."""
    waits: list[Wait] = []
    for line in ordered:
        if line.event == "ENTERQUEUE":
            waits.append(Wait(queue=line.queue, entered_at=line.at, caller=line.value(1)))
        elif line.event == "CONNECT":
            # In a second in which a caller left and came back, the answer belongs to the later wait.
            wait = _open(waits, line, answered=False, newest=True) or _unseen(waits, line, line.value(0))
            wait.answered_at, wait.answered_by = line.at, agent_of(line.agent) or _SOMEBODY
            wait.waiting_seconds = _seconds(line.value(0))
        elif line.event in _LEFT:
            waited = line.value(_WAITED_AT.get(line.event, 2))
            wait = _open(waits, line, answered=False) or _unseen(waits, line, waited)
            wait.left_at, wait.cause, wait.waiting_seconds = line.at, line.event, _seconds(waited)
        elif line.event in _ENDED and not any(one.queue == line.queue and one.talked_until(line.at) for one in waits):
            open_wait = _open(waits, line, answered=True) or _open(waits, line, answered=False)
            wait = open_wait or _unseen(waits, line, "")
            wait.left_at, wait.cause = line.at, _ENDED[line.event]
            if wait.answered_at is None:
                # The line of the answer is missing: what was completed had been answered.
                wait.answered_at, wait.answered_by = line.at, agent_of(line.agent) or _SOMEBODY
    if waits and not any(line.event == "ENTERQUEUE" for line in ordered):
        raise NotUnderstood(
            f"The call {ordered[0].call} has no line ENTERQUEUE, the only one that tells who called: import the "
            "file before this one together with it."
        )
    return waits


def _open(waits: Sequence[Wait], line: QueueLine, *, answered: bool, newest: bool = False) -> Wait | None:
    """The wait in this queue that has not ended: the oldest, unless the newest is asked for."""
    found = [
        one
        for one in waits
        if one.queue == line.queue and one.left_at is None and (one.answered_at is not None) == answered
    ]
    return found[-1 if newest else 0] if found else None


def _unseen(waits: list[Wait], line: QueueLine, waited: str) -> Wait:
    """A wait whose ENTERQUEUE is missing; who called is told by another of the call's."""
    since = line.at - timedelta(seconds=_seconds(waited) or 0)
    waits.append(Wait(queue=line.queue, entered_at=since, caller=""))
    return waits[-1]


def dialled_line(line: QueueLine) -> str:
    return next((value for value in line.data if value), "")


def _seconds(shown: str) -> float | None:
    return float(shown) if shown.isdecimal() and len(shown) <= _LONGEST_WAIT else None
