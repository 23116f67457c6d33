"""Which click does a call record answer? The one whose id it carries, else the one near its start.

`protocols.md`, click to call: an Asterisk takes the dial's id as that of the call. A Kalliope does not tell the
call's id, so one record goes to one dial of the same extension and customer, the nearest first. What an
earlier report of a call was matched with stays.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from richiamo_events.ids import CallerId, CallId, DialId


@dataclass(frozen=True, slots=True)
class Dial:
    """A click: `RecallStarted`, and the call it was matched with, if any."""

    id: DialId
    extension: str
    caller: CallerId
    clicked_at: datetime
    matched: CallId | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """An outbound call by its record."""

    call: CallId
    extension: str
    caller: CallerId | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """How far a call's start may lie from its click."""

    before: timedelta = timedelta(seconds=5)
    after: timedelta = timedelta(seconds=120)


def match(placed: Sequence[Placed], dials: Collection[Dial], window: Window | None = None) -> dict[CallId, DialId]:
    """The dial of each call that has one. The same calls in any order give the same answer."""
    window = window or Window()
    calls = {one.call for one in placed}
    found = {dial.matched: dial.id for dial in dials if dial.matched in calls and dial.matched is not None}
    found |= {one.call: dial.id for one in placed for dial in dials if one.call.unique_id == dial.id}
    taken = {dial.id for dial in dials if dial.matched is not None} | set(found.values())
    pairs = [
        (abs(one.started_at - clicked), clicked, dial.id, one.call)
        for one in placed
        for dial in dials
        if dial.id not in taken
        and dial.extension == one.extension
        and dial.caller == one.caller
        and (clicked := dial.clicked_at.replace(microsecond=0)) - window.before <= one.started_at
        and one.started_at <= clicked + window.after
    ]
    for _, _, dial_id, call in sorted(pairs, key=lambda pair: (pair[0], pair[1], pair[2], pair[3])):
        if call not in found and dial_id not in taken:
            found[call] = dial_id
            taken.add(dial_id)
    return found
