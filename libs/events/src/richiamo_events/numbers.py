"""Whose number is this? One spelling for every way in which a PBX may write the same number.

`domain.md`, Caller: E.164 when the number is possible (never when it is *valid*: numbering plans age),
otherwise its digits; internal numbers stay as they are; words for a hidden number are withheld.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from richiamo_events.rewriting import Rewrite, rewritten

WITHHELD_WORDS = frozenset({"", "anonymous", "unknown", "unavailable", "private", "restricted"})

_PLACEHOLDER = re.compile(r"%[A-Za-z_][\w.-]*(\[\w*\])?%?")
_SCHEME = re.compile(r"(?:sips?|tel|callto|pjsip|local|iax2):(?://)?", re.IGNORECASE)
_HIDES_OWN_NUMBER = re.compile(r"[*#]31#")
_MASKED = re.compile(r"\d*[xX]{3,}")
_LONGEST = 64
_REMEMBERED = 16_384
"""Spellings that are not read again: the same customers call, and the number of one record is asked for thrice."""


@dataclass(frozen=True, slots=True)
class NumberRules:
    """The site's settings that say how a PBX's numbers are read."""

    country: str = "IT"
    outside_prefix: str = ""
    records_show_prefix: bool = False
    """Whether the dialled number of a record begins with the outside prefix; a setting, never guessed."""
    internal_digits: int = 5
    rewrites: tuple[Rewrite, ...] = ()
    """What puts right how the PBX writes numbers, before they are read."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number in its one spelling: `+390501234567`, or bare digits of what has no E.164 form."""

    text: str
    internal: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Withheld:
    """The customer hid the number, or the PBX does not tell it: nobody can be called back."""


def is_placeholder(text: str) -> bool:
    """Whether a parameter was never replaced by the PBX: `%PARAM3%`, even `%PARAM3` without the closing sign."""
    return _PLACEHOLDER.fullmatch(text.strip()) is not None


def is_masked(text: str) -> bool:
    """Whether the PBX hides the last digits (`050123xxx`), as it does from users without the privacy right."""
    return _MASKED.fullmatch(text.strip().lstrip("+")) is not None


@lru_cache(_REMEMBERED)
def normalise(text: str, rules: NumberRules) -> Number | Withheld:
    """Read the number of a customer who called. Never raises; what holds no digit at all is withheld."""
    spelled = _bare(text)
    if spelled.lower() in WITHHELD_WORDS or is_placeholder(spelled):
        return Withheld()
    spelled = rewritten(_compact(spelled), rules.rewrites) or spelled
    digits = _digits(spelled)
    if not digits:
        return Withheld()
    if not spelled.startswith("+") and len(digits) <= rules.internal_digits:
        return Number(_with_signs(spelled) or digits, internal=True)
    return Number(_e164(spelled, rules.country) or digits)


def normalise_dialled(text: str, rules: NumberRules) -> Number | Withheld:
    """Read a number that an operator dialled: the same, after the outside prefix when records show it."""
    spelled = _HIDES_OWN_NUMBER.sub("", _bare(text), count=1)
    prefix = rules.outside_prefix
    shown = rules.records_show_prefix and prefix and not spelled.startswith("+")
    if shown and spelled.startswith(prefix) and len(spelled) - len(prefix) > rules.internal_digits:
        spelled = spelled[len(prefix) :]
    return normalise(spelled, rules)


def masked(text: str) -> str:
    """The number as logs may show it: its last two digits hidden all but the first four signs."""
    return text[:4] + "…" if len(text) > 4 else "…"


def _bare(text: str) -> str:
    """The number without what SIP and caller id wrap around it: `"Name" <sip:0501234567@host;user=phone>`."""
    inner = text[:512].strip()
    opened = inner.rfind("<")
    if opened >= 0 and inner.endswith(">"):
        inner = inner[opened + 1 : -1].strip()
    inner = _SCHEME.sub("", inner, count=1) if _SCHEME.match(inner) else inner
    inner = inner.partition("@")[0].partition(";")[0].strip().strip("\"'")
    return unicodedata.normalize("NFKC", inner)[:_LONGEST].strip()


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(sign)) for sign in text if sign.isdigit())


def _compact(text: str) -> str:
    """The signs of a telephone's keys alone, as rules are written."""
    return "".join(sign if sign in "+*#" else str(unicodedata.digit(sign, "")) for sign in text)


def _with_signs(text: str) -> str:
    """An internal number may hold the signs of a telephone's keys, such as `*43`."""
    return text if re.fullmatch(r"[0-9*#]+", text) else ""


def _e164(text: str, country: str) -> str | None:
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or not phonenumbers.is_possible_number(parsed):
        parsed.extension = None
        if not phonenumbers.is_possible_number(parsed):
            return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
