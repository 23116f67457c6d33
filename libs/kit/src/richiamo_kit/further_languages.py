"""Which languages has this site besides those of the package, and what do their catalogues say? One .po file each.

`RICHIAMO_LANGUAGES_DIR` names the folder; `de.po` in it makes German a language of pages, workbooks and problem titles.
The texts of the code are English: what a catalogue does not translate is told in English.
"""

import re
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

import structlog
from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from richiamo_events import figures
from richiamo_events.figures import Words

_PACKAGE = frozenset({"it", "en"})
_VALUES = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
_log = structlog.get_logger(__name__)
_files: dict[str, Path] = {}


def add(folder: Path | None) -> list[str]:
    """Makes each .po file of `folder` a language of this process, until it is called again; answers their codes.

    Called once at the start, as gettext's own `bindtextdomain`. Raises `ValueError` for a file that is no catalogue or
    whose name is no language.
    """
    _files.clear()
    texts_of.cache_clear()
    for file in sorted(folder.glob("*.po")) if folder else ():
        code = file.stem
        if code in _PACKAGE:
            raise ValueError(f"{file}: {code} is a language of the package already.")
        try:
            Locale.parse(code)
            _files[code] = file
            texts_of(code)
        except (ValueError, UnknownLocaleError, PoFileError) as error:
            raise ValueError(f"{file} cannot be read as a language: {error}") from error
    return [*_files]


@cache
def texts_of(code: str) -> NullTranslations:
    """The catalogue of an added language; of any other one that leaves everything in English."""
    return read(_files[code], code) if code in _files else NullTranslations()


def read(file: Path, code: str) -> GNUTranslations:
    """A catalogue, ready for use. A translation that lost a value such as `%(count)s` is left out, and logged."""
    with file.open("rb") as opened:
        catalogue = read_po(opened, locale=code, abort_invalid=True)
    for message in list(catalogue):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        told = [message.string] if isinstance(message.string, str) else list(message.string or ())
        values = {value for text in ids for value in _VALUES.findall(text)}
        if message.id and all(told) and {value for text in told for value in _VALUES.findall(text)} != values:
            _log.warning("translation_left_out", file=str(file), text=ids[0])
            catalogue.delete(message.id)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def told(text: str, code: str) -> str:
    """An English text of the code in an added language."""
    return texts_of(code).gettext(text) if text else ""


def known(code: str) -> str:
    """The language in which `code` is told outside the pages: itself when there is such a one, else English."""
    return code if code in _PACKAGE or code in _files else "en"


def figure(name: str, code: str, report: str = "") -> Words:
    """`richiamo_events.figures.figure` in any language there is. Raises `KeyError` for a figure that there is not."""
    said = figures.figure(name, code, report)
    return said if code in _PACKAGE else Words(told(said.name, code), told(said.definition, code))
