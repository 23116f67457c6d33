"""Which languages are there? Those with a catalogue; the texts in code and templates are English."""

from pathlib import Path

from babel import Locale

LOCALE = Path(__file__).parent / "locale"
SOURCE = "en"
DEFAULT = "it"


def _names() -> dict[str, str]:
    """The code of each language with its name in its own words, the default first."""
    codes = {SOURCE, *(path.parents[1].name for path in LOCALE.glob("*/LC_MESSAGES/messages.po"))}
    ordered = sorted(codes, key=lambda code: (code != DEFAULT, code))
    return {code: str(Locale.parse(code).get_display_name(code)).capitalize() for code in ordered}


NAMES = _names()
