"""Is every text there in every language, and none left over?"""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from richiamo_gateway.pages import language, script_texts
from richiamo_gateway.pages.settings import pbx
from richiamo_kit.kalliope_rest import Trouble

PACKAGE = Path(language.__file__).parents[1]
SCRIPTS = PACKAGE.parents[1] / "assets" / "src"
METHODS = [("**.py", "python"), ("pages/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
_VALUES = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def used() -> dict[str, str | tuple[str, ...]]:
    """Every text of code and templates."""
    options = {"pages/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
    found = extract_from_dir(PACKAGE, METHODS, options, KEYWORDS)
    return {text if isinstance(text, str) else text[0]: text for _, _, text, _, _ in found if text}


def _values(texts: Iterable[str]) -> set[str]:
    return {value for text in texts for value in _VALUES.findall(text)}


@pytest.mark.parametrize("code", [code for code in language.NAMES if code != language.SOURCE])
def test_a_catalogue_holds_exactly_the_texts_in_use(code: str) -> None:
    with (language.LOCALE / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    told = {one.id if isinstance(one.id, str) else one.id[0]: one for one in catalogue if one.id}
    assert sorted(used().keys() - told.keys()) == [], "texts without a translation"
    assert sorted(told.keys() - used().keys()) == [], "translations of nothing"
    for name, one in told.items():
        forms = [one.string] if isinstance(one.string, str) else list(one.string or ())
        assert all(forms), f"{name} is empty"
        values = {
            value for text in ([one.id] if isinstance(one.id, str) else one.id) for value in _VALUES.findall(text)
        }
        assert {value for form in forms for value in _VALUES.findall(form)} == values, f"{name}: other values"


def test_every_text_of_the_scripts_is_shown_by_one() -> None:
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.js"))
    named = set(script_texts.script_texts(language.language_of("en")))
    left_over = {name for name in named if not name.startswith("problem:") and f'"{name}"' not in scripts}
    asked = set(re.findall(r'text\("([\w-]+)"', scripts))
    assert left_over == set()
    assert asked - named == set()


def test_a_language_that_there_is_not_is_told_in_the_default() -> None:
    assert language.language_of("de").code == language.DEFAULT
    assert language.preferred("de-DE,en;q=0.8,it;q=0.5") == "en"


def test_everything_that_can_be_wrong_with_the_pbx_has_its_sentence() -> None:
    assert set(pbx._TROUBLES) == set(Trouble)
