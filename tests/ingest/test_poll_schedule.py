"""Does the poll leave nothing out, and does it leave the PBX in peace?"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from richiamo_events.settings import SiteSettings, validate
from richiamo_ingest.poll.schedule import (
    LONGEST_SLICE,
    SHORTEST_SLICE,
    Mark,
    Window,
    due,
    first_mark,
    spelled,
    went_well,
    went_wrong,
    window,
)
from richiamo_kit.kalliope_rest import PbxTrouble, Trouble

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SITE = SiteSettings(cdr_poll=True, cdr_poll_seconds=300, cdr_overlap_minutes=120)
ROME = ZoneInfo("Europe/Rome")
SLOW = PbxTrouble(Trouble.SLOW)
AWAY = PbxTrouble(Trouble.UNREACHABLE)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class TestWindow:
    def test_the_first_reads_a_day_and_the_overlap_before(self) -> None:
        asked = window(first_mark(NOW), SITE, NOW)
        assert asked == Window(NOW - timedelta(hours=26), NOW)

    def test_the_next_reads_from_the_mark_with_the_overlap(self) -> None:
        mark = went_well(first_mark(NOW), window(first_mark(NOW), SITE, NOW), NOW)
        later = NOW + minutes(5)
        assert window(mark, SITE, later) == Window(NOW - timedelta(hours=2), later)

    def test_after_an_outage_it_grows_and_is_read_in_slices_without_a_hole(self) -> None:
        back = NOW + timedelta(days=3, hours=5)
        mark = Mark(through=NOW, wide_at=back)
        reached: list[Window] = []
        while mark.through < back:
            asked = window(mark, SITE, back)
            mark = went_well(mark, asked, back)
            reached.append(asked)
        assert [one.end for one in reached] == [*(NOW + timedelta(days=day) for day in (1, 2, 3)), back]
        assert all(after.begin < before.end for before, after in pairwise(reached))
        assert reached[0].begin == NOW - timedelta(hours=2)

    def test_a_failure_moves_nothing(self) -> None:
        mark = Mark(through=NOW, wide_at=NOW)
        later = NOW + minutes(30)
        failed = went_wrong(mark, window(mark, SITE, later), later, AWAY)
        assert window(failed, SITE, later + minutes(5)) == Window(NOW - timedelta(hours=2), later + minutes(5))

    def test_a_slow_pbx_is_asked_for_less_each_time_and_for_more_when_it_recovers(self) -> None:
        mark = Mark(through=NOW - timedelta(days=9), wide_at=NOW)
        for _ in range(12):
            mark = went_wrong(mark, window(mark, SITE, NOW), NOW, SLOW)
        assert mark.slice == SHORTEST_SLICE
        for _ in range(8):
            mark = went_well(mark, window(mark, SITE, NOW), NOW)
        assert mark.slice == LONGEST_SLICE

    def test_once_a_day_it_reads_more_and_a_failing_wide_reading_waits_for_tomorrow(self) -> None:
        mark = Mark(through=NOW, wide_at=NOW - timedelta(hours=24))
        asked = window(mark, SITE, NOW)
        assert asked == Window(NOW - timedelta(hours=26), NOW, wide=True)
        assert not window(went_well(mark, asked, NOW), SITE, NOW + minutes(5)).wide
        assert not window(went_wrong(mark, asked, NOW, SLOW), SITE, NOW + minutes(5)).wide

    def test_a_clock_that_ran_ahead_leaves_no_hole(self) -> None:
        mark = Mark(through=NOW + timedelta(days=1), wide_at=NOW)
        assert window(mark, SITE, NOW) == Window(NOW - timedelta(hours=2), NOW)

    @given(
        since=st.timedeltas(timedelta(0), timedelta(days=330)).map(lambda passed: NEW_YEAR + passed),
        hours=st.floats(0, 30),
        at=st.floats(0, 1),
    )
    def test_as_the_pbx_writes_it_no_instant_of_the_window_is_left_out(
        self, since: datetime, hours: float, at: float
    ) -> None:
        asked = Window(since, since + timedelta(hours=hours))
        begin, end = spelled(asked, ROME)
        instant = asked.begin + (asked.end - asked.begin) * at
        assert begin <= instant.astimezone(ROME).strftime("%Y-%m-%d %H:%M:%S") <= end

    def test_the_hour_that_comes_twice_is_asked_for_as_a_whole(self) -> None:
        # 02:50 of summer, 00:50 UTC, to 02:10 of winter.
        asked = Window(datetime(2026, 10, 25, 0, 50, tzinfo=UTC), datetime(2026, 10, 25, 1, 10, tzinfo=UTC))
        begin, end = spelled(asked, ROME)
        assert begin <= "2026-10-25 02:00:00"
        assert end >= "2026-10-25 02:59:59"


class TestPause:
    def test_the_first_poll_is_due_at_once_and_then_by_the_interval(self) -> None:
        assert due(first_mark(NOW), SITE, anew=True) is None
        mark = Mark(through=NOW, wide_at=NOW, tried_at=NOW, succeeded_at=NOW)
        assert due(mark, SITE, anew=False) == NOW + minutes(5)
        assert due(mark, SITE, anew=True) == NOW + minutes(5), "a restart asks no sooner"

    def test_failures_are_backed_off_from_up_to_a_quarter_of_an_hour(self) -> None:
        mark = Mark(through=NOW, wide_at=NOW)
        pauses = []
        for _ in range(7):
            mark = went_wrong(mark, None, NOW, AWAY)
            since = due(mark, SITE, anew=False)
            assert since is not None
            pauses.append((since - NOW) / minutes(1))
        assert pauses == [1, 2, 4, 8, 15, 15, 15]

    def test_whoever_mended_something_waits_a_minute_at_most(self) -> None:
        mark = Mark(through=NOW, wide_at=NOW, tried_at=NOW, failures=9)
        assert due(mark, SITE, anew=True) == NOW + minutes(1)

    def test_what_is_left_of_an_outage_is_read_every_minute(self) -> None:
        mark = Mark(through=NOW - timedelta(days=2), wide_at=NOW, tried_at=NOW, succeeded_at=NOW)
        assert due(mark, SITE, anew=False) == NOW + minutes(1)

    def test_less_than_a_minute_cannot_be_set(self) -> None:
        assert validate({"cdr_poll_seconds": 59}) != {}
        assert validate({"cdr_poll_seconds": 60}) == {}
        hasty = Mark(through=NOW, wide_at=NOW, tried_at=NOW)
        assert due(hasty, SiteSettings(cdr_poll_seconds=1), anew=True) == NOW + minutes(1)


class TestWords:
    def test_every_trouble_has_its_sentence(self) -> None:
        values = {"domain": "d", "minutes": 7, "status": 500, "reason": "r", "hours": 1, "timezone": "t"}
        assert all(str(PbxTrouble(trouble, **values)) for trouble in Trouble)
