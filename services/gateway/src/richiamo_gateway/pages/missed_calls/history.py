"""What happened with a customer, in one sentence an entry? The timeline of the queue service in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from richiamo_gateway.pages.formats import duration
from richiamo_gateway.pages.language import N_, Language

_SIGNS = {
    "call_missed": "missed",
    "call_served": "reached",
    "recall_succeeded": "reached",
    "recall_failed": "failed",
    "call_flushed": "closed",
    "caller_erased": "closed",
}
OUTCOMES = {
    "no_answer": N_("no answer"),
    "busy": N_("busy"),
    "failed": N_("the call failed"),
    "unavailable": N_("not reachable"),
    "short_talk": N_("the talk was too short"),
    "not_dialled": N_("the PBX did not dial"),
    "unknown": N_("no record of the call came"),
}
_RELEASES = {
    "operator": N_("%(who)s released the reservation"),
    "supervisor": N_("%(who)s took the reservation away"),
    "expired": N_("The reservation of %(operator)s expired"),
    "logout": N_("%(operator)s logged out: the reservation ended"),
    "deactivated": N_("%(operator)s no longer works here: the reservation ended"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history; `sign` picks its shape and colour.

    `dispute` is the call that can be disputed, `undo` the flush that can be undone.
    """

    at: str
    recorded_at: str
    sign: str
    text: str
    struck: bool
    dispute: str
    undo: str


def undoable(items: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The flushes of a timeline that stand."""
    flushes: dict[str, set[str]] = {"call_flushed": set(), "flush_undone": set()}
    for item in items:
        if item["kind"] in flushes:
            flushes[item["kind"]].add(str(item.get("flush", "")))
    return frozenset(flushes["call_flushed"] - flushes["flush_undone"])


def told(item: Mapping[str, Any], language: Language, username: str, may_undo: frozenset[str] = frozenset()) -> Entry:
    """An item of the timeline in words; `may_undo` are the flushes that its reader may undo."""
    kind = str(item["kind"])
    mine = item.get("operator") == username
    disputable = kind == "recall_succeeded" and mine and bool(item.get("closed")) and not item.get("disputed")
    return Entry(
        at=str(item["at"]),
        recorded_at=str(item["recorded_at"]),
        sign=_SIGNS.get(kind, "decision"),
        text=sentence(kind, item, language),
        struck=bool(item.get("voided")),
        dispute=str(item.get("call", "")) if disputable else "",
        undo=str(item["flush"]) if kind == "call_flushed" and item.get("flush") in may_undo else "",
    )


def sentence(kind: str, item: Mapping[str, Any], language: Language) -> str:
    """What happened, in one sentence."""
    who = str(item.get("by_name") or item.get("operator_name") or item.get("actor_name") or item.get("actor") or "")
    operator = str(item.get("operator_name") or item.get("operator") or item.get("extension") or "")
    queue = str(item.get("queue") or language(N_("another queue") if item.get("other_queue") else N_("no queue")))
    talk = duration(round(float(item.get("talk_seconds") or 0)), language)
    values = {"who": person(who, language), "operator": operator, "queue": queue, "talk": talk}
    match kind:
        case "call_missed":
            text = N_("Called and was not answered: %(queue)s")
        case "call_served":
            text = N_("Called and was answered by %(operator)s, %(talk)s")
        case "recall_succeeded":
            text = N_("Reached by %(operator)s, %(talk)s")
        case "recall_failed":
            told_outcome = OUTCOMES.get(str(item.get("outcome")), N_("the call failed"))
            return language(
                N_("%(operator)s called in vain: %(why)s"),
                operator=operator or values["who"],
                why=language(told_outcome),
            )
        case "recall_disputed":
            text = N_("%(who)s: it was an answering machine")
        case "call_voided":
            text = N_("A call was declared void")
        case "void_undone":
            text = N_("A call that was declared void counts again")
        case "call_reserved":
            text = N_("Reserved by %(operator)s")
        case "call_assigned":
            text = N_("%(who)s assigned it to %(operator)s")
        case "reservation_released":
            text = _RELEASES.get(str(item.get("why")), _RELEASES["operator"])
        case "call_flushed":
            text = N_("Closed by %(who)s without a recall")
        case "flush_undone":
            text = N_("%(who)s undid the closing")
        case "caller_shown":
            text = N_("%(who)s put the row back")
        case "recall_started":
            text = N_("%(operator)s is calling")
        case "caller_erased":
            text = N_("The number was erased")
        case "note_written":
            text = N_("%(who)s emptied the note") if item.get("emptied") else N_("%(who)s wrote a note")
        case _:
            return kind.replace("_", " ")
    return language(text, **values)


def person(actor: str, language: Language) -> str:
    """`user:anna` as anna, `system` as Richiamo itself."""
    if actor.startswith("user:"):
        return actor.removeprefix("user:")
    return language(N_("The system")) if actor in {"", "system"} else actor
