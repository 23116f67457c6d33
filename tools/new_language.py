"""What has to be said in a further language? Every text of pages, problems, figures, workbooks and explanations, as one .po file to fill.

`.venv/bin/python tools/new_language.py de >de.po`; the folder with the filled file is `RICHIAMO_LANGUAGES_DIR`.
"""

import argparse
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

import richiamo_gateway
from richiamo_events import figures
from richiamo_ops.explaining import phrases
from richiamo_reporting import words

_METHODS = [("**.py", "python"), ("pages/**.html", "jinja2")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
_OPTIONS = {"pages/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}


def catalogue(code: str) -> Catalog:
    """Every text, without a translation."""
    made = Catalog(locale=code, project="Richiamo", fuzzy=False)
    package = Path(richiamo_gateway.__file__).parent
    for _, _, text, _, _ in extract_from_dir(package, _METHODS, _OPTIONS, _KEYWORDS):
        if text:
            made.add(text)
    for text in (*figures.english(), *words.english(), *phrases.english()):
        made.add(text)
    return made


def main() -> None:
    """Prints the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("code", help="of the language, such as de")
    made = BytesIO()
    write_po(made, catalogue(parser.parse_args().code), omit_header=False)
    sys.stdout.buffer.write(made.getvalue())


if __name__ == "__main__":
    main()
