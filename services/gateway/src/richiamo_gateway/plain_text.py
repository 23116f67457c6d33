"""Is this text that can be kept? One line of readable characters, such as a name or a reason."""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

_NEVER = {"Cc", "Cs"}
"""Control characters, which PostgreSQL and terminals choke on, and halves of characters, which are no text."""


def is_plain(text: str) -> bool:
    """Whether the text has neither control characters nor halves of characters."""
    return not any(unicodedata.category(character) in _NEVER for character in text)


def all_plain(value: Any) -> bool:
    """The same for every text inside a JSON value."""
    match value:
        case str():
            return is_plain(value)
        case Mapping():
            return all(all_plain(part) for pair in value.items() for part in pair)
        case list() | tuple():
            return all(all_plain(part) for part in value)
        case _:
            return True


def _checked(text: str) -> str:
    if not is_plain(text):
        raise ValueError("Must not hold control characters")
    return text


Plain = Annotated[str, AfterValidator(_checked)]
