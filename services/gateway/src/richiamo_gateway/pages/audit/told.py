"""How is a decision told to whoever looks into the audit trail? A sentence each, changes of users and settings too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from richiamo_gateway.pages.language import N_, Language
from richiamo_gateway.pages.missed_calls.history import person, sentence
from richiamo_gateway.pages.settings.fields import SETTINGS
from richiamo_gateway.pages.settings.values import told as value_told

KINDS = {
    "call_reserved": N_("Reservations"),
    "call_assigned": N_("Assignments"),
    "reservation_released": N_("Ends of reservations"),
    "recall_started": N_("Recalls started"),
    "recall_failed": N_("Recalls without a record"),
    "recall_disputed": N_("Answering machines"),
    "call_flushed": N_("Closings without a recall"),
    "flush_undone": N_("Closings undone"),
    "caller_shown": N_("Customers shown again"),
    "note_written": N_("Notes"),
    "caller_erased": N_("Erased numbers"),
    "operator_changed": N_("Users"),
    "settings_changed": N_("Settings"),
}
_FIELDS = {
    "name": N_("Name"),
    "role": N_("Role"),
    "extension": N_("Extension"),
    "queues": N_("Queues"),
    "language": N_("Language"),
    "active": N_("May log in"),
    "masked": N_("Hide digits of the numbers from this user"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the page."""

    position: int
    at: str
    recorded_at: str
    who: str
    what: str
    caller_id: str | None
    number: str


def line(item: Mapping[str, Any], language: Language) -> Line:
    """An item of the audit trail in words."""
    return Line(
        position=item["position"],
        at=item["at"],
        recorded_at=item["recorded_at"],
        who=person(str(item["actor_name"]), language),
        what=_what(item, language),
        caller_id=item["caller_id"],
        number=item["number"],
    )


def _what(item: Mapping[str, Any], language: Language) -> str:
    match item["kind"]:
        case "operator_changed":
            changed = ", ".join(
                f"{language(_FIELDS[name])} = {_plain(value, language)}"
                for name, value in item["changed"].items()
                if name in _FIELDS
            )
            text = N_("Added the user %(name)s: %(what)s") if item["added"] else N_("Changed %(name)s: %(what)s")
            return language(text, name=item["person_name"], what=changed or "–")
        case "settings_changed":
            changed = ", ".join(
                f"{language(SETTINGS[name].label) if name in SETTINGS else name} = "
                f"{value_told(SETTINGS.get(name), value, language)}"
                for name, value in item["values"].items()
            )
            return language(N_("Changed the settings: %(what)s"), what=changed)
        case kind:
            words = sentence(kind, item, language)
            return f"{words} ({item['reason']})" if item.get("reason") else words


def _plain(value: object, language: Language) -> str:
    match value:
        case True:
            return language(N_("yes"))
        case False:
            return language(N_("no"))
        case list():
            return ", ".join(map(str, value)) or language(N_("all"))
        case _:
            return str(value) or "–"
