"""Which languages are there? Those with a catalogue; the texts in code and templates are English."""

from pathlib import Path

from babel import Locale

from richiamo_kit import further_languages

LOCALE = Path(__file__).parent / "locale"
SOURCE = "en"
DEFAULT = "it"


_PACKAGE = {SOURCE, *(path.parents[1].name for path in LOCALE.glob("*/LC_MESSAGES/messages.po"))}


def _names(codes: set[str]) -> dict[str, str]:
    """The code of each language with its name in its own words, the default first."""
    ordered = sorted(codes, key=lambda code: (code != DEFAULT, code))
    return {code: str(Locale.parse(code).get_display_name(code) or code).capitalize() for code in ordered}


NAMES = _names(_PACKAGE)


def add(folder: Path | None) -> None:
    """Makes the catalogues of a folder languages to choose from, beside those of the package; at the start."""
    names = _names({*_PACKAGE, *further_languages.add(folder)})
    NAMES.clear()
    NAMES.update(names)
