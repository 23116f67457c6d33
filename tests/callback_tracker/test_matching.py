"""Which click does a record answer? Pure, in any order."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from richiamo_callback_tracker.matching import Dial, Placed, match
from richiamo_events.ids import CallerId, CallId, DialId

CLICK = datetime(2026, 3, 2, 10, 0, 0, 400_000, tzinfo=UTC)
MARIO = CallerId("mario")


def call(name: str, seconds: float, *, extension: str = "201", caller: CallerId = MARIO) -> Placed:
    return Placed(CallId("main", name), extension, caller, CLICK.replace(microsecond=0) + timedelta(seconds=seconds))


def dial(name: str, seconds: float = 0, *, matched: CallId | None = None) -> Dial:
    return Dial(DialId(name), "201", MARIO, CLICK + timedelta(seconds=seconds), matched)


def names(placed: list[Placed], dials: list[Dial]) -> dict[str, str]:
    return {found.unique_id: name for found, name in match(placed, dials).items()}


class TestMatching:
    @pytest.mark.parametrize(("seconds", "hit"), [(-6, False), (-5, True), (0, True), (120, True), (121, False)])
    def test_the_start_lies_from_five_seconds_before_to_two_minutes_after_the_click(
        self, seconds: float, hit: bool
    ) -> None:
        assert (names([call("a", seconds)], [dial("d")]) == {"a": "d"}) is hit

    def test_a_call_that_carries_the_dials_id_is_its_own_whatever_its_time_and_extension(self) -> None:
        named = call("d1", 3000, extension="")
        assert names([named, call("near", 1)], [dial("d1"), dial("d2", 1)]) == {"d1": "d1", "near": "d2"}
        assert names([call("near", 1), named], [dial("d1")]) == {"d1": "d1"}

    def test_extension_and_customer_must_be_the_same(self) -> None:
        others = [call("a", 1, extension="202"), call("b", 1, caller=CallerId("luigi"))]
        assert names(others, [dial("d")]) == {}

    def test_one_record_to_one_dial_the_nearest_first(self) -> None:
        assert names([call("far", 90), call("near", 3)], [dial("d")]) == {"near": "d"}
        assert names([call("a", 12), call("b", 31)], [dial("first", 0), dial("second", 30)]) == {
            "a": "first",
            "b": "second",
        }

    def test_what_an_earlier_report_was_matched_with_stays(self) -> None:
        known = dial("first", 0, matched=CallId("main", "a"))
        assert names([call("a", 60), call("b", 1)], [known, dial("second", 58)]) == {"a": "first"}

    def test_the_order_of_records_and_dials_does_not_matter(self) -> None:
        calls = [call(str(number), number * 17) for number in range(12)]
        dials = [dial(str(number), number * 13) for number in range(12)]
        expected = names(calls, dials)
        for seed in range(30):
            chance = random.Random(seed)
            chance.shuffle(calls)
            chance.shuffle(dials)
            assert names(calls, dials) == expected
