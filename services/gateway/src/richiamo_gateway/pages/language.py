"""In which words is a page told? One gettext catalogue a language, read once from its .po file.

The texts in code and templates are English; a further language of a site is one file (`richiamo_kit.further_languages`).
"""

from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations

from babel import Locale

from richiamo_gateway.languages import DEFAULT, LOCALE, NAMES, SOURCE
from richiamo_kit import further_languages

__all__ = ["DEFAULT", "LOCALE", "NAMES", "N_", "SOURCE", "Language", "language_of", "named", "preferred"]

_FORMATS = {"en": "en_GB"}
"""Which country's dates and numbers go with a language, where it is not its own."""


def N_(text: str) -> str:  # noqa: N802 - gettext's customary name
    """Marks a text for the catalogue; it is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its texts and its way to write dates and numbers."""

    code: str
    locale: Locale
    texts: NullTranslations

    def __call__(self, text: str, **values: object) -> str:
        """The text in this language, with `%(name)s` filled in."""
        told = self.texts.gettext(text)
        return told % values if values else told


@cache
def language_of(code: str) -> Language:
    """The language of a code; an unknown one is told in the default."""
    known = code if code in NAMES else DEFAULT
    return Language(known, Locale.parse(_FORMATS.get(known, known)), _texts(known))


def named(accepted: str) -> str | None:
    """The first language of an `Accept-Language` header that there is."""
    codes = (part.split(";")[0].strip()[:2] for part in accepted.lower().split(","))
    return next((code for code in codes if code in NAMES), None)


def preferred(accepted: str) -> str:
    """The same, or the default; for whoever has not logged in yet."""
    return named(accepted) or DEFAULT


def _texts(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    file = LOCALE / code / "LC_MESSAGES" / "messages.po"
    return further_languages.read(file, code) if file.is_file() else further_languages.texts_of(code)
