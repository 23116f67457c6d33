"""What was typed about a user, and what is wrong with it? The form between the browser and `people`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from starlette.datastructures import FormData

from richiamo_events.language import OperatorChanged
from richiamo_gateway.pages.language import N_, Language
from richiamo_gateway.plain_text import all_plain
from richiamo_kit.errors import Problem

ROLES = {"operator": N_("Operator"), "supervisor": N_("Supervisor"), "admin": N_("Administrator")}

_SENTENCES = {
    "username": N_("Write 1 to 64 letters, digits or . _ @ -, beginning with a letter or digit."),
    "name": N_("Write a name of at most 100 characters."),
    "role": N_("Choose one of the roles."),
    "extension": N_("Write up to 20 digits, or nothing."),
    "queues": N_("Write one name of a queue a line, or nothing for all queues."),
    "language": N_("Choose one of the languages."),
}
_PASSWORD = N_("Write %(least)d to 200 characters.")
_NO_CONTROLS = N_("Control characters cannot be kept. Write it again by hand.")
_TAKEN_NAME = N_("There is already a user of this name")
_TAKEN_EXTENSION = N_("This extension belongs to %(username)s")
_LAST_ADMIN = N_("Somebody has to stay administrator")


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the form as they are shown; never the password."""

    username: str = ""
    name: str = ""
    role: str = "operator"
    extension: str = ""
    queues: str = ""
    language: str = "it"
    masked: bool = False
    wrong: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with each field, in words; `""` stands for the form as a whole."""


def of_user(user: OperatorChanged) -> Typed:
    """The form as it is when a user is opened."""
    return Typed(
        user.username, user.name, user.role, user.extension, "\n".join(user.queues), user.language, user.masked
    )


def read_form(form: FormData, username: str) -> Typed:
    """What was typed."""

    def text(name: str) -> str:
        return str(form.get(name) or "").strip()

    return Typed(
        username,
        text("name"),
        text("role"),
        text("extension"),
        "\n".join(line.strip() for line in text("queues").splitlines() if line.strip()),
        text("language"),
        form.get("masked") is not None,
    )


def values_of(typed: Typed) -> dict[str, Any]:
    """What `people` is asked to write. Raises the problem `invalid` for what cannot be text."""
    values: dict[str, Any] = {
        "name": typed.name,
        "role": typed.role,
        "extension": typed.extension,
        "queues": typed.queues.splitlines(),
        "language": typed.language,
        "masked": typed.masked,
    }
    broken = [{"field": name, "message": _NO_CONTROLS} for name, value in values.items() if not all_plain(value)]
    if broken:
        raise Problem(422, "invalid", _NO_CONTROLS, errors=broken)
    return values


def wrong_of(problem: Problem, language: Language, least: int) -> dict[str, str]:
    """A refusal of `people` as a sentence beside each field."""
    match problem.type:
        case "username-taken":
            return {"username": language(_TAKEN_NAME)}
        case "extension-taken":
            return {"extension": language(_TAKEN_EXTENSION, username=problem.extra.get("username", ""))}
        case "last-admin":
            return {"": language(_LAST_ADMIN)}
        case "invalid":
            return {
                one["field"]: _sentence(one["field"], one["message"], language, least)
                for one in cast("list[dict[str, str]]", problem.extra["errors"])
            }
        case _:
            raise problem


def _sentence(name: str, message: str, language: Language, least: int) -> str:
    if message == _NO_CONTROLS:
        return language(_NO_CONTROLS)
    if name == "password":
        return language(_PASSWORD, least=least)
    return language(_SENTENCES.get(name, N_("Something is not right in the form")))
