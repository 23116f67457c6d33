"""Do the site's own rules put its PBX's numbers right, and can none of them do harm?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from richiamo_events.numbers import Number, Withheld, normalise, normalise_dialled
from richiamo_events.rewriting import MOST_RULES, read_rewrite, rewritten
from richiamo_events.settings import SiteSettings, validate

SITE = SiteSettings(
    number_rewrites=(
        "0039. = +39.",
        "9. = .",
        "8XXX = 050800XXX",
        "#31#. = .",
        "7XX5 = XX",
        "04410. = +44.",
    )
)

REWRITTEN = [
    ("00390501234567", "+390501234567"),
    ("90501234567", "+390501234567"),
    ("9 050 123-4567", "+390501234567"),
    ("sip:90501234567@pbx", "+390501234567"),
    ("8123", "+39050800123"),
    ("81234", "81234"),
    ("812", "812"),
    ("#31#0501234567", "+390501234567"),
    ("7235", "23"),
    ("7234", "7234"),
    ("04410207946 0958", "+442079460958"),
    ("0501234567", "+390501234567"),
    ("+44 (0)20 7946 0958", "+442079460958"),
]


@pytest.mark.parametrize(("spelled", "number"), REWRITTEN)
def test_the_first_rule_that_fits_puts_a_number_right(spelled: str, number: str) -> None:
    assert str(normalise(spelled, SITE.numbers)) == number


def test_an_earlier_rule_wins() -> None:
    one, two = read_rewrite("05. = 1."), read_rewrite("050. = 2.")
    assert rewritten("0501", (one, two)) == "101"
    assert rewritten("0501", (two, one)) == "21"


def test_what_was_dialled_loses_the_outside_prefix_first() -> None:
    site = SITE.with_values({"outside_prefix": "0", "records_show_prefix": True})
    assert normalise_dialled("000390501234567", site.numbers) == Number("+390501234567")


def test_withheld_stays_withheld() -> None:
    assert normalise("anonymous", SITE.numbers) == Withheld()
    assert normalise("", SITE.numbers) == Withheld()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "0039.",
        "= +39",
        "0039 =",
        "00-39. = +39.",
        "(0)+ = 1",
        "[0-9]+ = 1",
        "0.39 = 1",
        "0039.. = +39.",
        ". = +39.",
        "8XX = 05XXX",
        "8XX = 05XX.",
        "1" * 41 + " = 1",
        "0039. = +39a",
        "００39. = +39.",
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_a_sentence(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read_rewrite(line)
    assert "number_rewrites" in validate({"number_rewrites": [line]})


def test_what_is_no_list_of_rules_is_refused() -> None:
    assert validate({"number_rewrites": "0039. = +39."}) != {}
    assert validate({"number_rewrites": [1]}) != {}
    assert validate({"number_rewrites": ["1. = 2."] * (MOST_RULES + 1)}) != {}
    assert validate({"number_rewrites": list(SITE.number_rewrites)}) == {}


def test_the_rules_keep_their_order_through_the_log() -> None:
    assert SiteSettings().with_values({"number_rewrites": list(SITE.number_rewrites)}) == SITE
    assert SITE.values()["number_rewrites"] == list(SITE.number_rewrites)


signs = st.text("0123456789+*#X", min_size=1, max_size=12)


@given(pattern=signs, end=st.sampled_from(["", "."]), number=st.text(max_size=70))
def test_no_rule_and_no_text_fails(pattern: str, end: str, number: str) -> None:
    line = f"{pattern}{end} = {'X' * pattern.count('X') or '1'}{end}"
    site = SiteSettings(number_rewrites=(line,))
    normalise(number, site.numbers)
    normalise_dialled(number, site.numbers)
