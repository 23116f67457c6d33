"""Do all spellings of one number lead to one caller? A table of what PBXs write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from richiamo_events.numbers import (
    Number,
    NumberRules,
    Withheld,
    is_masked,
    is_placeholder,
    normalise,
    normalise_dialled,
)

ITALY = NumberRules()
PREFIX = NumberRules(outside_prefix="0", records_show_prefix=True)

SPELLINGS = [
    # A landline: the leading zero is part of the number, also in E.164.
    ("0501234567", "+390501234567"),
    ("050 1234567", "+390501234567"),
    ("050/1234567", "+390501234567"),
    ("050-123.4567", "+390501234567"),
    ("(050) 1234567", "+390501234567"),
    (" 0501234567 ", "+390501234567"),
    ("+390501234567", "+390501234567"),
    ("+39 050 1234567", "+390501234567"),
    ("+39-050-1234567", "+390501234567"),
    ("00390501234567", "+390501234567"),
    ("0039 050 1234567", "+390501234567"),
    ("390501234567", "+390501234567"),
    ("39 0501234567", "+390501234567"),
    ("tel:+39-050-1234567", "+390501234567"),
    ("sip:0501234567@pbx.example", "+390501234567"),
    ("sips:+390501234567@10.0.0.1:5061;transport=tls", "+390501234567"),
    ("<sip:0501234567@pbx;user=phone>", "+390501234567"),
    ('"Mario Rossi" <0501234567>', "+390501234567"),
    ('"0507654321" <+390501234567>', "+390501234567"),
    ("0501234567;ext=12", "+390501234567"),
    ("0501234567@from-trunk", "+390501234567"),
    ("０５０１２３４５６７", "+390501234567"),
    ("٠٥٠١٢٣٤٥٦٧", "+390501234567"),
    ("050\u00a01234567", "+390501234567"),
    ("\u200e0501234567", "+390501234567"),
    # Short landlines of Rome and Milan.
    ("06 6982", "+39066982"),
    ("+39 06 6982", "+39066982"),
    ("0039066982", "+39066982"),
    ("06 12345678", "+390612345678"),
    ("02-12345678", "+390212345678"),
    # Mobiles have none.
    ("3331234567", "+393331234567"),
    ("333 123 4567", "+393331234567"),
    ("+393331234567", "+393331234567"),
    ("00393331234567", "+393331234567"),
    ("393331234567", "+393331234567"),
    # Services.
    ("800123456", "+39800123456"),
    ("199 123 456", "+39199123456"),
    # Other countries.
    ("+44 20 7946 0958", "+442079460958"),
    ("+44 (0)20 7946 0958", "+442079460958"),
    ("00442079460958", "+442079460958"),
    ("+1 212 555 0123", "+12125550123"),
    ("0012125550123", "+12125550123"),
    ("+41 91 123 45 67", "+41911234567"),
    ("+378 0549 882914", "+3780549882914"),
    # Internal numbers stay as they are.
    ("103", "103"),
    ("7", "7"),
    ("0", "0"),
    ("044", "044"),
    ("112", "112"),
    ("12345", "12345"),
    ("*43", "*43"),
    ("sip:201@pbx", "201"),
    # A telephone writes what it is used to.
    ("+39.050.123.4567", "+390501234567"),
    ("050 12 34 567", "+390501234567"),
    ("pjsip:0501234567@trunk", "+390501234567"),
    ("callto:+390501234567", "+390501234567"),
    ("+390501234567,,12#", "+390501234567"),
    ("0041911234567", "+41911234567"),
    # What has no E.164 form keeps its digits.
    ("99999999999999999999", "99999999999999999999"),
    ("+39", "39"),
    ("123456", "+39123456"),
]

HIDDEN = [
    "",
    "   ",
    "anonymous",
    "Anonymous",
    "ANONYMOUS",
    "unknown",
    "<unknown>",
    "unavailable",
    "private",
    "Restricted",
    "anonymous@anonymous.invalid",
    "sip:anonymous@anonymous.invalid",
    "%CALLER%",
    "%CALLER",
    "%PARAM3%",
    "%call_params[JSON]%",
    "+",
    "mario",
]


@pytest.mark.parametrize(("spelled", "number"), SPELLINGS)
def test_one_number_has_one_spelling(spelled: str, number: str) -> None:
    assert str(normalise(spelled, ITALY)) == number


@pytest.mark.parametrize("spelled", HIDDEN)
def test_a_hidden_number_is_withheld(spelled: str) -> None:
    assert normalise(spelled, ITALY) == Withheld()


def test_there_are_at_least_sixty_spellings() -> None:
    assert len(SPELLINGS) + len(HIDDEN) >= 60


@pytest.mark.parametrize(("spelled", "number"), SPELLINGS)
def test_normalising_again_changes_nothing(spelled: str, number: str) -> None:
    assert str(normalise(number, ITALY)) == number


class TestOutsidePrefix:
    def test_it_is_stripped_from_dialled_numbers_when_records_show_it(self) -> None:
        assert str(normalise_dialled("00501234567", PREFIX)) == "+390501234567"
        assert str(normalise_dialled("03331234567", PREFIX)) == "+393331234567"

    def test_it_is_never_guessed(self) -> None:
        without = NumberRules(outside_prefix="0")
        assert str(normalise_dialled("0501234567", without)) == "+390501234567"
        assert str(normalise("00501234567", PREFIX)) != "+390501234567"

    def test_a_number_in_full_and_an_internal_one_stay(self) -> None:
        assert str(normalise_dialled("+390501234567", PREFIX)) == "+390501234567"
        assert str(normalise_dialled("0123", PREFIX)) == "0123"

    def test_the_sign_that_hides_ones_own_number_is_no_part_of_it(self) -> None:
        assert str(normalise_dialled("#31#0501234567", ITALY)) == "+390501234567"


def test_the_length_of_internal_numbers_is_a_setting() -> None:
    assert normalise("123456", NumberRules(internal_digits=6)) == Number("123456", internal=True)
    assert normalise("1234", NumberRules(internal_digits=3)) == Number("1234")


def test_another_country_reads_its_own_numbers() -> None:
    assert str(normalise("020 7946 0958", NumberRules(country="GB"))) == "+442079460958"


def test_what_the_pbx_masks_or_never_replaced_is_recognised() -> None:
    assert is_masked("050123xxx")
    assert is_masked("+39050123XXX")
    assert not is_masked("0501234567")
    assert is_placeholder("%PARAM3")
    assert not is_placeholder("100%")


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    for found in (normalise(text, ITALY), normalise_dialled(text, PREFIX)):
        assert found == Withheld() or isinstance(found, Number)
