"""Does the list show what was asked? Every filter, every order, every page, on real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from richiamo_events.ids import CallerId
from richiamo_events.language import CallerErased, SettingsChanged
from richiamo_events.settings import SiteSettings
from richiamo_queue.caller.errors import Malformed, NotAllowed
from richiamo_queue.notebook import Notebook
from richiamo_queue.worklist.ordering import SORTABLE
from tests.call_queue.log import (
    ANNA,
    BRUNO,
    HELP,
    SALES,
    assigned,
    minutes,
    missed,
    no_answer,
    operator,
    reserved,
    served,
    started,
)
from tests.call_queue.view import View, made, user

pytestmark = pytest.mark.servers

MONDAY, SUNDAY = "2026-03-02", "2026-03-01"
A_DAY = 24 * 60


@pytest_asyncio.fixture(scope="module")
async def full(module_database_url: str) -> AsyncIterator[View]:
    """Eight customers, their numbers ending in 1 to 8; it is 11:00 in Rome.

    1 waits since Sunday, 2 is Anna's, 3 is being called by Bruno, 4 cools down, 5 waits in another queue and
    in Sales, 6 is assigned to Bruno, 7 was served, 8 waits in a time check.
    """
    async with made(module_database_url) as view:
        one, two, three, four, five, six, seven, eight = [
            await view.caller(f"+39050123450{digit}") for digit in range(1, 9)
        ]
        await view.happens(operator("anna", extension="201", name="Anna Bianchi"), operator("bruno", extension="202"))
        await view.happens(missed(1, -A_DAY, caller=one, source="Telecom", account_code="A1"), at=-A_DAY)
        await view.happens(missed(2, 0, caller=two, called="0500001"), missed(22, 4, caller=two), at=0)
        await view.happens(reserved(ANNA, caller=two, until=60), at=5)
        await view.happens(missed(3, 1, caller=three), at=1)
        await view.happens(reserved(BRUNO, caller=three, name="r3"), at=6)
        await view.happens(started(BRUNO, caller=three, extension="202", name="d3"), at=7)
        await view.happens(missed(4, 2, caller=four), at=2)
        await view.happens(no_answer(44, 20, caller=four), at=20)
        await view.happens(missed(5, 3, caller=five, queue=HELP), missed(55, 30, caller=five), at=30)
        await view.happens(missed(6, 4, caller=six), at=4)
        await view.happens(assigned(BRUNO, caller=six, name="r6"), at=8)
        await view.happens(missed(7, 5, caller=seven), served(77, 9, caller=seven), at=9)
        await view.happens(missed(8, 55, caller=eight, kind="checktime"), at=55)
        await view.happens(missed(90, 3, caller=None), missed(91, -A_DAY, caller=None), at=3)
        yield view


def last_digits(answer: dict[str, Any]) -> list[str]:
    return [item["number"][-1] for item in answer["items"]]


class TestViews:
    async def test_all_is_every_open_request_in_whatever_state(self, full: View) -> None:
        answer = await full.ask(view="all", sort="number")
        assert last_digits(answer) == list("12345568")
        assert answer["total"] == 8
        assert answer["next"] is None
        assert answer["position"] == await full.store.last_position()

    async def test_recall_is_open_not_reserved_not_hidden_not_called(self, full: View) -> None:
        answer = await full.ask("anna", "operator", view="recall", sort="number")
        assert last_digits(answer) == list("1558")

    async def test_mine_and_calling(self, full: View) -> None:
        assert await full.numbers(username="anna", role="operator", view="mine") == ["2"]
        assert await full.numbers(username="bruno", role="operator", view="mine") == ["6"]
        assert await full.numbers(username="bruno", role="operator", view="calling") == ["3"]
        assert await full.numbers(username="anna", role="operator", view="calling") == []

    async def test_a_cool_down_ends_by_itself(self, full: View) -> None:
        full.clock.set(minutes(80))
        assert "4" in await full.numbers(view="recall")
        full.clock.set(minutes(60))
        assert "4" not in await full.numbers(view="recall")

    async def test_all_is_for_supervisors(self, full: View) -> None:
        with pytest.raises(NotAllowed):
            await full.ask("anna", "operator", view="all")

    async def test_only_the_queues_one_may_see(self, full: View) -> None:
        answer = await full.ask(view="all", user={"queues": [HELP]})
        assert [item["queue"] for item in answer["items"]] == [HELP]
        assert answer["total"] == 1


class TestItems:
    async def test_an_item_has_the_members_of_the_contract(self, full: View) -> None:
        (item,) = (await full.ask("anna", "operator", view="mine"))["items"]
        assert {
            "number": "+390501234502",
            "called": "0509876543",
            "queue": SALES,
            "type": "queue",
            "source": "",
            "account_code": "",
            "calls": 2,
            "recalled": 0,
            "first_call": "2026-03-02T10:00:00+01:00",
            "last_call": "2026-03-02T10:04:00+01:00",
            "last_recall": None,
            "reserved_by": "anna",
            "reserved_by_name": "Anna Bianchi",
            "reserved_at": "2026-03-02T10:05:00+01:00",
            "expires_at": "2026-03-02T11:00:00+01:00",
            "hidden_until": None,
            "hidden_reason": None,
            "availability": {"now": False, "from": "09:34", "to": "10:34"},
            "link": None,
            "request_id": "main:call-2",
            "state": "reserved",
        }.items() <= item.items()

    async def test_a_hidden_row_says_until_when_and_why(self, full: View) -> None:
        (item,) = (await full.ask(view="all", caller="4504"))["items"]
        assert item["hidden_until"] == "2026-03-02T11:20:00+01:00"
        assert item["hidden_reason"] == "no_answer"
        assert (item["state"], item["recalled"]) == ("hidden", 1)
        assert item["last_recall"] == "2026-03-02T10:20:00+01:00"

    async def test_a_number_is_masked_for_whom_it_must_be(self, full: View) -> None:
        (item,) = (await full.ask(view="all", caller="3905", queue=HELP, user={"masked": True}))["items"]
        assert item["number"] == "+390501234xxx"
        assert (await full.ask(view="all", caller="4505", user={"masked": True}))["total"] == 0

    async def test_the_link_holds_encoded_values(self, full: View) -> None:
        before = full.site.settings
        full.site.settings = before.with_values(
            {"link_template": "https://crm.example/?n=<callernum>&q=<queueName>&u=<uid>&c=<called>&x=<nothing>"}
        )
        (item,) = (await full.ask(view="all", caller="4508"))["items"]
        full.site.settings = before
        assert item["link"] == "https://crm.example/?n=%2B390501234508&q=Vendite&u=call-8&c=0509876543&x="


class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"queue": HELP}, "5"),
            ({"queue": [HELP, SALES]}, "12345568"),
            ({"queue": ["Nessuna"]}, ""),
            ({"type": "checktime"}, "8"),
            ({"source": "Telecom"}, "1"),
            ({"account_code": "A1"}, "1"),
            ({"caller": "4503"}, "3"),
            ({"caller": "+39 050 123 4503"}, "3"),
            ({"caller": "0039050123450"}, "12345568"),
            ({"caller": "rossi"}, ""),
            ({"caller": ""}, "12345568"),
            ({"first_call_from": MONDAY}, "2345568"),
            ({"first_call_to": SUNDAY}, "1"),
            ({"first_call_from": SUNDAY, "first_call_to": SUNDAY}, "1"),
            ({"first_call_to": MONDAY}, "12345568"),
            ({"last_call_from": "2026-03-02T10:30:00+01:00"}, "58"),
            ({"last_call_to": "2026-03-02T09:01:00Z"}, "13"),
            ({"last_call_from": "2026-03-02T10:30"}, "58"),
            ({"last_recall_from": MONDAY}, "4"),
            ({"last_recall_to": SUNDAY}, ""),
            ({"recalled_min": 1}, "4"),
            ({"recalled_max": 0}, "1235568"),
            ({"recalled_min": "0", "recalled_max": ""}, "12345568"),
            ({"queue": SALES, "caller": "4505"}, "5"),
        ],
    )
    async def test_each_filter(self, full: View, asked: dict[str, Any], found: str) -> None:
        answer = await full.ask(view="all", sort="number", **asked)
        assert "".join(last_digits(answer)) == found
        assert answer["total"] == len(found)

    @pytest.mark.parametrize(
        "asked",
        [
            {"sort": "colour"},
            {"limit": 0},
            {"limit": 1001},
            {"after": "nonsense"},
            {"first_call_from": "yesterday"},
            {"view": "theirs"},
            {"as_of": "2026-03-02T10:00"},
            {"recalled_min": "many"},
        ],
    )
    async def test_nonsense_is_refused_in_words(self, full: View, asked: dict[str, Any]) -> None:
        with pytest.raises(Malformed) as refused:
            await full.ask(**{"view": "all", **asked})
        assert refused.value.detail


class TestOrder:
    @pytest.mark.parametrize("field", SORTABLE)
    @pytest.mark.parametrize("sign", ["", "-"])
    async def test_pages_hold_every_row_once_in_one_order(self, full: View, sign: str, field: str) -> None:
        whole = (await full.ask(view="all", sort=sign + field))["items"]
        paged: list[dict[str, Any]] = []
        after = None
        while True:
            page = await full.ask(view="all", sort=sign + field, limit=3, after=after)
            assert page["total"] == 8
            paged += page["items"]
            after = page["next"]
            if after is None:
                break
        assert paged == whole
        assert len({item["request_id"] for item in paged}) == 8

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("last_call", "13"),
            ("-last_call", "85"),
            ("first_call", "12"),
            ("-first_call", "85"),
            ("-number", "8655"),
            ("queue", "5"),
            ("type", "8"),
            ("-source", "1"),
            ("-calls", "2"),
            ("-recalled", "4"),
            ("last_recall", "4"),
            ("-last_recall", "4"),
            ("reserved_by", "2"),
            ("reserved_at", "236"),
            ("-reserved_at", "632"),
            ("hidden_until", "4"),
            ("-hidden_until", "4"),
        ],
    )
    async def test_values_come_in_order_and_empty_ones_last(self, full: View, sort: str, expected: str) -> None:
        found = "".join(await full.numbers(view="all", sort=sort))
        assert found.startswith(expected)

    async def test_by_availability_the_good_moments_come_first(self, full: View) -> None:
        items = (await full.ask(view="all", sort="availability"))["items"]
        now = [item["availability"]["now"] for item in items]
        assert now == sorted(now, reverse=True)
        assert now.count(True) == 2
        assert [item["number"][-1] for item in items[:2]] == ["5", "8"]

    async def test_a_page_of_another_order_is_refused(self, full: View) -> None:
        page = await full.ask(view="all", sort="number", limit=2)
        with pytest.raises(Malformed):
            await full.ask(view="all", sort="-number", limit=2, after=page["next"])

    async def test_a_row_that_left_does_not_shift_the_next_page(self, database_url: str) -> None:
        async with made(database_url) as view:
            for digit in range(6):
                caller = await view.caller(f"+3905012345{digit}")
                await view.happens(missed(digit, digit, caller=caller), at=digit)
            first = await view.ask(view="recall", sort="last_call", limit=3)
            assert last_digits(first) == list("012")
            await view.happens(served(50, 10, caller=await view.caller("+39050123451")), at=10)
            second = await view.ask(view="recall", sort="last_call", limit=3, after=first["next"])
            assert last_digits(second) == list("345")


class TestAsOf:
    async def test_the_list_is_as_it_was_recorded_then(self, full: View) -> None:
        def at(minute: float) -> str:
            return minutes(minute).isoformat()

        assert await full.numbers(view="all", sort="number", as_of=at(-A_DAY - 1)) == []
        assert await full.numbers(view="all", sort="number", as_of=at(-1)) == ["1"]
        assert await full.numbers(view="all", sort="number", as_of=at(4.5)) == list("12346")
        assert await full.numbers(view="recall", sort="number", as_of=at(6.5)) == list("146")
        assert await full.numbers(username="bruno", view="mine", as_of=at(6.5)) == ["3"]
        assert await full.numbers(view="recall", sort="number", as_of=at(25)) == ["1"]

    async def test_an_item_of_then_shows_the_values_of_then(self, full: View) -> None:
        (item,) = (await full.ask(view="all", caller="4504", as_of=minutes(10).isoformat()))["items"]
        assert (item["recalled"], item["hidden_until"]) == (0, None)


class TestCallers:
    async def test_one_item_a_caller_whatever_its_queues(self, full: View) -> None:
        answer = await full.ask_callers(sort="number")
        assert last_digits(answer) == list("1234568")
        assert answer["total"] == 7
        five = answer["items"][4]
        assert five["queues"] == sorted([HELP, SALES])
        assert five["calls"] == 2
        assert five["first_call"] == "2026-03-02T10:03:00+01:00"
        assert five["last_call"] == "2026-03-02T10:30:00+01:00"
        assert answer["items"][5]["reserved_by"] == "bruno"

    async def test_a_filter_finds_the_caller_with_all_its_queues(self, full: View) -> None:
        (item,) = (await full.ask_callers(queue=HELP))["items"]
        assert item["queues"] == sorted([HELP, SALES])

    async def test_paging_and_filters_as_for_requests(self, full: View) -> None:
        first = await full.ask_callers(sort="-last_call", limit=5)
        rest = await full.ask_callers(sort="-last_call", limit=5, after=first["next"])
        assert len({item["caller_id"] for item in first["items"] + rest["items"]}) == 7
        assert rest["next"] is None
        assert last_digits(await full.ask_callers(recalled_min=1)) == ["4"]

    async def test_it_is_for_supervisors(self, full: View) -> None:
        with pytest.raises(NotAllowed):
            await full.ask_callers(user={"role": "operator"})


class TestLiveQuestions:
    async def test_rows_hold_every_open_request_and_name_the_settled(self, full: View) -> None:
        five, seven = await full.caller("+390501234505"), await full.caller("+390501234507")
        answer = await full.rows.rows(user(), [five, seven, "nobody"])
        assert len(answer["items"]) == 2  # type: ignore[arg-type]
        assert answer["callers"] == [seven, "nobody"]

    async def test_the_summary_counts_what_waits_and_what_was_withheld(self, full: View) -> None:
        answer = await full.rows.summary(user())
        assert {"requests": 4, "callers": 3, "mine": 1, "withheld_today": 1}.items() <= answer.items()
        assert (await full.rows.summary(user(), day=SUNDAY))["withheld_today"] == 1
        assert answer["heard"] is True

    async def test_the_summary_tells_an_empty_list_from_a_pbx_that_never_spoke(self, database_url: str) -> None:
        async with made(database_url) as view:
            await view.happens(operator("anna", extension="201", name="Anna Bianchi"))
            assert (await view.rows.summary(user()))["heard"] is False
            await view.happens(missed(91, -A_DAY, caller=None), at=-A_DAY)
            assert (await view.rows.summary(user()))["heard"] is True


class TestOverTime:
    async def test_settings_of_the_past_stay_in_force_in_the_past(self, database_url: str) -> None:
        async with made(database_url) as view:
            caller = await view.caller("+39050123456")
            await view.happens(missed(1, 0, caller=caller), at=0)
            await view.happens(SettingsChanged(values={"cooldown_minutes": 10}), at=30)
            await view.happens(no_answer(2, 40, caller=caller), at=41)
            (item,) = (await view.ask(view="all", as_of=minutes(42).isoformat()))["items"]
            assert item["hidden_until"] == "2026-03-02T10:50:00+01:00"

    async def test_an_erased_number_is_in_no_list_of_any_instant(self, database_url: str) -> None:
        async with made(database_url) as view:
            caller = await view.caller("+39050123456")
            await view.happens(missed(1, 0, caller=caller), at=0)
            await view.happens(CallerErased(caller=CallerId(caller), by="root", reason="", calls=()), at=5)
            answer = await view.ask(view="all", as_of=minutes(1).isoformat())
            assert [item["number"] for item in answer["items"]] == [""]

    async def test_availability_lies_across_midnight(self, database_url: str) -> None:
        async with made(database_url) as view:
            caller = await view.caller("+39050123456")
            await view.happens(missed(1, -10 * 60 - 10, caller=caller), at=0)
            view.clock.set(datetime(2026, 3, 2, 23, 15, tzinfo=UTC))
            (item,) = (await view.ask(view="all", sort="availability"))["items"]
            assert item["availability"] == {"now": True, "from": "23:20", "to": "00:20"}
            view.clock.advance(timedelta(minutes=6))
            (item,) = (await view.ask(view="all", sort="availability"))["items"]
            assert item["availability"]["now"] is False


class TestAge:
    async def test_a_request_is_late_once_the_limit_has_passed_and_the_oldest_can_come_first(
        self, database_url: str
    ) -> None:
        async with made(database_url) as view:
            for end, at in ((1, 30), (2, 0), (3, 15)):
                caller = await view.caller(f"+3905012345{end}")
                await view.happens(missed(end, at, caller=caller), at=at)
            view.site.settings = SiteSettings(age_limit_hours=1)
            view.clock.set(minutes(75))
            items = (await view.ask(view="all", sort="-age"))["items"]
            assert [(item["number"][-1], item["overdue"]) for item in items] == [("2", True), ("3", True), ("1", False)]
            assert items[2]["overdue_at"] == "2026-03-02T11:30:00+01:00"
            assert [item["number"][-1] for item in (await view.ask(view="all", sort="age"))["items"]] == ["1", "3", "2"]
            (first,) = (await view.ask(view="all", sort="-age", limit=1))["items"]
            assert first["number"][-1] == "2"

    async def test_a_reservation_ends_so_long_after_the_last_thing_its_holder_did(self, database_url: str) -> None:
        async with made(database_url) as view:
            caller = await view.caller("+39050123456")
            await view.happens(missed(1, 0, caller=caller), at=0)
            await view.happens(reserved(caller=caller, until=40), at=10)

            async def ends() -> str:
                (item,) = (await view.ask("anna", "operator", view="mine"))["items"]
                return str(item["ends_at"])

            assert await ends() == "2026-03-02T10:40:00+01:00"
            notebook = Notebook(view.pool)
            notebook.active("anna", minutes(25))
            await notebook.write_activity()
            assert await ends() == "2026-03-02T10:55:00+01:00"
            await view.happens(assigned(caller=caller, until=45, name="r2"), at=30)
            assert await ends() == "2026-03-02T10:45:00+01:00"
