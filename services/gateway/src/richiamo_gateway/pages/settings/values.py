"""How is a setting written in a field, and read back? Text for people, JSON for the log."""

import re
from collections.abc import Mapping
from typing import Any

from babel.numbers import format_decimal

from richiamo_events.settings import limits
from richiamo_gateway.pages.language import N_, Language
from richiamo_gateway.pages.settings.fields import Setting

_SENTENCES = {
    "country": N_("Write two capital letters, such as IT."),
    "timezone": N_("Write the name of a time zone, such as Europe/Rome."),
    "pbx_timezone": N_("Write the name of a time zone, such as Europe/Rome, or nothing."),
    "pbx_name": N_("Write 1 to 40 letters, digits, - or _."),
    "pbx_url": N_("Write an address such as https://pbx.example.com, without user and password, or nothing."),
    "cdr_user": N_("Write a user of at most 100 signs, without quotation marks."),
    "ami_channel": N_("Write a channel such as Local/{extension}@originate-skipvm, or nothing."),
    "ami_context": N_("Write the name of a context, such as from-internal, or nothing."),
    "ami_tenant": N_("Write a UUID, or nothing."),
    "number_rewrites": N_("Write on each line: pattern = replacement, such as 0039. = +39."),
    "opening_hours": N_("Write days and hours, such as mon-fri 09:00-13:00 14:00-18:00; sat 09:00-12:00, or nothing."),
    "outside_prefix": N_("Write at most six digits."),
    "accept_value": N_("Write 1 to 32 letters or digits."),
    "refuse_value": N_("Write 1 to 32 letters or digits."),
    "link_template": N_("Write an address that begins with https:// and a host, or nothing."),
}
_KINDS = {
    "whole": N_("Write a whole number from %(least)s to %(most)s."),
    "seconds": N_("Write a number of seconds from %(least)s to %(most)s."),
    "lines": N_("Write one extension a line."),
    "pairs": N_("Write on each line: other name = name in the records."),
    "text": N_("Write one line of at most 2000 characters."),
}


def written(setting: Setting, value: Any, language: Language) -> str:
    """The value as its field shows it."""
    match setting.kind:
        case "flag":
            return "yes" if value else ""
        case "lines":
            return "\n".join(value)
        case "pairs":
            return "\n".join(f"{alias} = {queue}" for alias, queue in value.items())
        case "seconds":
            return format_decimal(value, "0.#########", language.locale)
        case _:
            return str(value)


def read(setting: Setting, typed: str) -> Any:
    """The value that was typed; what cannot be read stays text, which the rules then refuse."""
    match setting.kind:
        case "flag":
            return typed == "yes"
        case "whole":
            return int(typed) if re.fullmatch(r"-?[0-9]{1,9}", typed) else typed
        case "seconds":
            number = typed.replace(",", ".")
            return float(number) if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", number) else typed
        case "lines":
            return [line.strip() for line in typed.splitlines() if line.strip()]
        case "pairs":
            pairs = [line.partition("=") for line in typed.splitlines() if line.strip()]
            if not all(alias.strip() and queue.strip() for alias, _, queue in pairs):
                return typed
            return {alias.strip(): queue.strip() for alias, _, queue in pairs}
        case _:
            return typed


def same_lines(typed: str) -> str:
    """Browsers send line ends as CR LF."""
    return "\n".join(line.rstrip() for line in typed.strip().splitlines())


def sentence(setting: Setting, language: Language) -> str:
    """What a field takes, for one that was refused."""
    least, most = limits(setting.name) or (0, 0)
    text = _SENTENCES.get(setting.name) or _KINDS.get(setting.kind) or N_("Choose one of the values.")
    return language(text, least=f"{least:g}", most=f"{most:g}")


def told(setting: Setting | None, value: Any, language: Language) -> str:
    """The value in the history."""
    if setting is None:
        return str(value)
    if setting.kind == "flag":
        return language(N_("yes")) if value else language(N_("no"))
    if setting.kind == "choice":
        return language(setting.choices.get(value, str(value)))
    if setting.kind == "pairs" and not isinstance(value, Mapping):
        return str(value)
    return written(setting, value, language).replace("\n", ", ") or "–"
