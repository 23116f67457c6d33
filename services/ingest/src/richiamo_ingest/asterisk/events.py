"""What does an event of the AMI say of a call? Lost, served, a part of its record, or nothing.

Names as in Asterisk 12 and later; `Linkedid` is the call, `Uniqueid` one of its channels. A call that a queue
lost is told by `QueueCallerAbandon`: on hang-up, time-out and an empty queue alike.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from richiamo_events.ids import CallId
from richiamo_events.language import Rank
from richiamo_ingest.asterisk.parse import CdrRow, agent_of, row_of
from richiamo_ingest.asterisk.translate import MOST_LINES
from richiamo_ingest.kalliope import values
from richiamo_ingest.reports import LostReport, ServedReport
from richiamo_kit.ami import Message

CLASSES = "agent,call,cdr"
"""The classes of events that are needed: of queues, of channels and their calls, of call records."""

_CDR = {
    "accountcode": "accountcode",
    "source": "src",
    "destination": "dst",
    "destinationcontext": "dcontext",
    "channel": "channel",
    "destinationchannel": "dstchannel",
    "lastapplication": "lastapp",
    "lastdata": "lastdata",
    "starttime": "start",
    "answertime": "answer",
    "endtime": "end",
    "duration": "duration",
    "billableseconds": "billsec",
    "disposition": "disposition",
    "uniqueid": "uniqueid",
    "linkedid": "linkedid",
    "sequence": "sequence",
    "did": "did",
    "cnum": "cnum",
}
_CHANNELS_KNOWN = 50_000
_LIKELY = timedelta(days=1)

Told = LostReport | ServedReport | CdrRow


@dataclass(slots=True)
class Ear:
    """Understands the events of one PBX; remembers which call a channel belongs to, as `Cdr` does not tell it."""

    pbx: str
    answered: OrderedDict[str, datetime] = field(default_factory=OrderedDict)
    """When the phone behind a channel was taken up, by the channel's name."""
    _calls: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def hear(self, message: Message, received_at: datetime) -> Told | None:
        """What an event says; None when it is nothing that counts. Raises `NotUnderstood`."""
        self._learn(message)
        match message.get("event", "").lower():
            case "queuecallerabandon":
                return LostReport(
                    call=self._call(message),
                    received_at=received_at,
                    rank=Rank.NOTIFICATION,
                    caller=values.text(message.get("calleridnum")),
                    queue=values.text(message.get("queue")),
                    waiting_seconds=values.seconds(message.get("holdtime"), "HoldTime"),
                    reason="ABANDON",
                    told=values.text(message.get("timestamp")),
                )
            case "agentconnect" | "agentcomplete" as name:
                talked = values.seconds(message.get("talktime"), "TalkTime") or 0.0
                at = _told_at(message, received_at)
                return ServedReport(
                    call=self._call(message),
                    received_at=received_at,
                    caller=values.text(message.get("calleridnum")),
                    queue=values.text(message.get("queue")),
                    extension=agent_of(values.text(message.get("interface"))),
                    # A completion after a gap tells of an answer that was not heard; else it is the same report.
                    answered_at=at - timedelta(seconds=talked) if name == "agentcomplete" else at,
                    talk_seconds=talked,
                    told=values.text(message.get("destuniqueid")),
                )
            case "cdr":
                named = {_CDR[name]: value for name, value in message.items() if name in _CDR}
                unique_id = values.text(named.get("uniqueid"))
                return row_of({**named, "linkedid": named.get("linkedid") or self._calls.get(unique_id, "")}, 0)
            case "dialend" if message.get("dialstatus", "").upper() == "ANSWER":
                self.answered[values.text(message.get("destchannel"))] = _told_at(message, received_at)
                if len(self.answered) > _CHANNELS_KNOWN:
                    self.answered.popitem(last=False)
                return None
            case _:
                return None

    def _learn(self, message: Message) -> None:
        for prefix in ("", "dest"):
            channel, call = (values.text(message.get(f"{prefix}{name}")) for name in ("uniqueid", "linkedid"))
            if channel and call:
                self._calls[channel] = call
                self._calls.move_to_end(channel)
        while len(self._calls) > _CHANNELS_KNOWN:
            self._calls.popitem(last=False)

    def _call(self, message: Message) -> CallId:
        return CallId(self.pbx, values.unique_id({"id": message.get("linkedid") or message.get("uniqueid")}))


def _told_at(message: Message, received_at: datetime) -> datetime:
    """The PBX's own instant (`timestampevents=yes`), unless it is absurd; else when it was received."""
    try:
        at = datetime.fromtimestamp(float(message["timestamp"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return received_at
    return at if abs(at - received_at) < _LIKELY else received_at


@dataclass(slots=True)
class Gathering:
    """Collects the records of one call: each channel tells its own, within a second or two of one another.

    A call is due when nothing more came for `quiet`. What comes later makes it due again, with all its rows.
    """

    quiet: timedelta = timedelta(seconds=2)
    kept: timedelta = timedelta(minutes=30)
    most: int = 5_000
    _rows: OrderedDict[str, tuple[datetime, bool, list[CdrRow]]] = field(default_factory=OrderedDict)

    def add(self, row: CdrRow, now: datetime) -> None:
        _, _, rows = self._rows.pop(row.call, (now, False, []))
        # One too many tells the reader that there are too many.
        if len(rows) <= MOST_LINES and row not in rows:
            rows.append(row)
        self._rows[row.call] = now, True, rows

    def due(self, now: datetime, *, all_of_them: bool = False) -> list[list[CdrRow]]:
        """The calls that are due now, each once."""
        found: list[list[CdrRow]] = []
        for call, (at, waits, rows) in list(self._rows.items()):
            if waits and (all_of_them or now - at >= self.quiet):
                found.append(list(rows))
                self._rows[call] = at, False, rows
            elif now - at < self.quiet and not all_of_them:
                break
        for call, (at, waits, _) in list(self._rows.items()):
            if waits or (now - at < self.kept and len(self._rows) <= self.most):
                break
            del self._rows[call]
        return found

    @property
    def waits(self) -> bool:
        return any(waits for _, waits, _ in self._rows.values())
