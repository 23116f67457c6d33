"""Under which subject of the log is an event kept? One a caller, so that a position guards one caller."""

import hashlib

from richiamo_events.ids import CallerId, Username

ROOT = "richiamo.events"
ALL = f"{ROOT}.>"
WITHHELD = f"{ROOT}.withheld"
SETTINGS = f"{ROOT}.settings"
OPERATORS = f"{ROOT}.operator.>"


def caller(caller_id: CallerId) -> str:
    """The subject of a caller that has lost a call."""
    return f"{ROOT}.caller.{caller_id}"


def elsewhere(caller_id: CallerId) -> str:
    """One of the 256 subjects shared by numbers that never lost a call (`domain.md` rule 4)."""
    return f"{ROOT}.elsewhere.{hashlib.sha256(caller_id.encode()).hexdigest()[:2]}"


def operator(username: Username) -> str:
    return f"{ROOT}.operator.{username}"
