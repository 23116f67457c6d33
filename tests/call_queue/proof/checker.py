"""Was anybody given what somebody else held? Read from the log and from what the operators were told, nothing else.

Who holds a caller is counted here event by event, apart from the fold; the fold is asked only what is open. A breach
is a sentence; no breach is an empty list.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from richiamo_events.caller import Caller, evolve, unknown
from richiamo_events.envelope import Recorded
from richiamo_events.ids import CallerId
from richiamo_events.language import (
    CallAssigned,
    CallFlushed,
    CallReserved,
    FlushUndone,
    OperatorChanged,
    RecallFailed,
    RecallStarted,
    RecallSucceeded,
    ReservationReleased,
    SettingsChanged,
)
from richiamo_events.settings import Rules, SiteSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody asked for and was told: `told` is the answer, or the problem if it was not `granted`."""

    actor: str
    command: str
    callers: tuple[CallerId, ...]
    granted: bool
    told: Mapping[str, Any]
    operators: tuple[str, ...] = ()
    """To whom an assignment gives."""
    flush: str = ""
    """Which flush an undo undoes."""


@dataclass(frozen=True, slots=True)
class _Holder:
    reservation: str
    operator: str


@dataclass(slots=True)
class _Track:
    """What the walk knows of one caller."""

    state: Caller
    holder: _Holder | None = None
    dial: str | None = None
    positions: list[int] = field(default_factory=list)
    moments: list[tuple[_Holder | None, str | None]] = field(default_factory=list)
    holders: set[str] = field(default_factory=set)
    diallers: set[str] = field(default_factory=set)

    def at(self, position: int) -> tuple[_Holder | None, str | None]:
        """Who held it, and which dial was in progress, once the log had come to this position."""
        index = bisect_right(self.positions, position)
        return self.moments[index - 1] if index else (None, None)


class Walk:
    """One walk through the log, event by event; `breaches` grows as the rules are broken."""

    def __init__(self, settings: SiteSettings | None = None) -> None:
        self._rules = Rules.initial(settings or SiteSettings())
        self.tracks: dict[CallerId, _Track] = {}
        self.breaches: list[str] = []
        self.counts: Counter[str] = Counter()
        self._ids: set[tuple[str, str]] = set()
        self._reservations: set[str] = set()
        self._flushes: dict[str, dict[CallerId, int]] = defaultdict(dict)
        self._undone: dict[str, dict[CallerId, int]] = defaultdict(dict)
        self._dials: dict[str, tuple[CallerId, str, int]] = {}
        self._starts: Counter[tuple[CallerId, str]] = Counter()

    def through(self, log: Iterable[Recorded]) -> "Walk":
        for event in log:
            self._step(event)
        return self

    @property
    def open_callers(self) -> set[CallerId]:
        return {one for one, track in self.tracks.items() if track.state.open_requests}

    def _step(self, event: Recorded) -> None:
        self._rules = self._rules.changed(event)
        if isinstance(event.data, OperatorChanged | SettingsChanged) or event.data.caller is None:
            return
        self.counts[type(event.data).__name__] += 1
        if (event.subject, event.id) in self._ids:
            self._breach(event, "stored twice", f"the event {event.id}")
        self._ids.add((event.subject, event.id))
        caller = event.data.caller
        track = self.tracks.setdefault(caller, _Track(unknown(caller)))
        self._decision(event, track)
        track.state = evolve(track.state, event, self._rules)
        if not track.state.open_requests:
            track.holder = track.dial = None
        elif track.state.recall is None:
            # The fold says which record ends which dial; here only whether one is still in progress.
            track.dial = None
        self._hidden(event, track)
        track.positions.append(event.position)
        track.moments.append((track.holder, track.dial))

    def _decision(self, event: Recorded, track: _Track) -> None:
        held = track.holder
        match event.data:
            case CallReserved(reservation=reservation, operator=operator):
                if held is not None:
                    self._breach(event, "two reservations", f"{operator} got what {held.operator} holds")
                self._hold(event, track, _Holder(reservation, operator))
            case CallAssigned(reservation=reservation, operator=operator, previous=previous):
                if previous != (held.operator if held else None):
                    self._breach(event, "two reservations", f"moved from {previous}, but {held} holds it")
                self._hold(event, track, _Holder(reservation, operator))
            case ReservationReleased(reservation=reservation):
                if held is None or held.reservation != reservation:
                    self._breach(event, "released twice", f"{reservation} had ended")
                track.holder = None
            case RecallStarted(reservation=reservation, operator=operator, dial=dial, extension=extension):
                if held is None or (held.reservation, held.operator) != (reservation, operator):
                    self._breach(event, "dialled without a reservation", f"{operator}, while {held} held it")
                if track.dial is not None:
                    self._breach(event, "dialled twice", f"{dial} while {track.dial} is in progress")
                track.dial = dial
                track.diallers.add(operator)
                self._dials[dial] = (event.data.caller, operator, event.position)
                self._starts[event.data.caller, extension] += 1
            case CallFlushed(flush=flush, caller=caller):
                self._flushes[flush][caller] = event.position
            case FlushUndone(flush=flush, caller=caller):
                self._undone[flush][caller] = event.position
            case _:
                pass

    def _hold(self, event: Recorded, track: _Track, holder: _Holder) -> None:
        if not track.state.open_requests:
            self._breach(event, "reserved nothing", f"{holder.operator} holds a caller of whom nothing is open")
        if holder.reservation in self._reservations:
            self._breach(event, "stored twice", f"the reservation {holder.reservation}")
        self._reservations.add(holder.reservation)
        track.holder = holder
        track.holders.add(holder.operator)

    def _hidden(self, event: Recorded, track: _Track) -> None:
        """Each reason why a row is not offered to all names what will end it."""
        state = track.state
        held, hidden = state.reservation, state.hidden
        if not state.open_requests:
            return
        if (held.operator if held else None) != (track.holder.operator if track.holder else None):
            self._breach(event, "hidden for ever", f"the fold says {held} holds it, the events say {track.holder}")
        if held is not None and held.expires_at is None and held.assigned_by is None:
            self._breach(event, "hidden for ever", f"no timer ends the reservation of {held.operator}")
        cool_down = timedelta(minutes=self._rules.current.cooldown_minutes)
        if hidden is not None and hidden.until > hidden.since + cool_down:
            self._breach(event, "hidden for ever", f"a cool-down until {hidden.until}")
        match event.data:
            case RecallFailed(dial=dial) | RecallSucceeded(dial=dial) if dial is not None and state.recall is not None:
                if dial == state.recall.dial:
                    self._breach(event, "hidden for ever", f"the dial {dial} goes on after its end")
            case _:
                pass

    def _breach(self, event: Recorded, rule: str, words: str) -> None:
        self.breaches.append(f"{rule}: {words} (position {event.position})")

    def answered(self, answers: Iterable[Answer]) -> "Walk":
        """Check that everything granted is in the log, and that who was refused was told somebody who held it."""
        for answer in answers:
            wrong = self._ungranted(answer) if answer.granted else self._wrongly_told(answer)
            if wrong:
                self.breaches.append(f"{wrong}: {answer.command} of {answer.actor} {dict(answer.told)}")
        return self

    def _ungranted(self, answer: Answer) -> str:
        position = answer.told["position"]
        moments = [self.tracks[one].at(position) if one in self.tracks else (None, None) for one in answer.callers]
        holders = [holder.operator if holder else None for holder, _ in moments]
        match answer.command:
            case "reserve":
                kept = holders == [answer.actor]
            case "assign":
                kept = holders == list(answer.operators)
            case "release" | "unassign":
                kept = holders == [None]
            case "start_recall":
                kept = self._dials.get(answer.told["dial_id"]) == (answer.callers[0], answer.actor, position)
            case "show":
                kept = all(dial is None for _, dial in moments)
            case "flush":
                covered = self._flushes.get(answer.told["flush_id"], {})
                kept = bool(covered) and set(covered) <= set(answer.callers) and max(covered.values()) <= position
            case "undo_flush":
                undone = self._undone.get(answer.flush, {})
                kept = bool(undone) and undone.keys() == self._flushes[answer.flush].keys()
            case _:
                # Of many callers some may be so already, and move while the others are written.
                kept = position >= 0
        return "" if kept else "granted but not in the log"

    def _wrongly_told(self, answer: Answer) -> str:
        known = {"already-reserved": "holders", "being-called": "diallers"}
        kind = str(answer.told.get("type"))
        if kind not in known:
            return ""
        who = answer.told["reserved_by" if kind == "already-reserved" else "called_by"]
        named: AbstractSet[str] = set()
        for one in answer.callers:
            if one in self.tracks:
                named = named | getattr(self.tracks[one], known[kind])
        return "" if who in named else "told a wrong name"

    def rang(self, rings: Iterable[tuple[CallerId, str]]) -> "Walk":
        """Check that each time a phone rang, from an extension, a dial was in the log for it."""
        for (caller, extension), times in Counter(rings).items():
            if times > self._starts[caller, extension]:
                self.breaches.append(
                    f"rang without a dial in the log: {caller} {times} times from {extension},"
                    f" {self._starts[caller, extension]} dials"
                )
        return self

    def shown(self, offered: Sequence[CallerId], held: Mapping[str, Sequence[CallerId]]) -> "Walk":
        """Check the lists once every timer has run: who is open is offered to all, or to its one holder."""
        seen = Counter({*offered}) + Counter([one for callers in held.values() for one in {*callers}])
        for one in self.open_callers - seen.keys():
            self.breaches.append(f"hidden for ever: {one} is open and on no list")
        for one in seen.keys() - self.open_callers:
            self.breaches.append(f"shown though closed: {one}")
        for one, times in seen.items():
            if times > 1:
                self.breaches.append(f"two reservations: {one} is on {times} lists")
        return self
