"""Is the life of a reservation visible: how old the request is, when it ends, what hides it, and what was no answer?"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, CallId, Username
from richiamo_events.language import Event, Rank, RecallFailed, RecallOutcome, RecallSucceeded
from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers]

NUMBER = "+390501234567"

Happen = Callable[[str, Event], Awaitable[int]]


@pytest.fixture
def happen(event_store: JetStreamEventStore) -> Happen:
    """Appends a fact about a caller."""

    async def happened(caller: str, fact: Event) -> int:
        subject = subjects.caller(CallerId(caller))
        at = datetime.now(UTC)
        return await event_store.append(
            [NewEvent(id="fact", subject=subject, data=fact, occurred_at=at, actor="pbx:main", correlation_id="fact")]
        )

    return happened


async def set_to(house: House, **values: int) -> None:
    answer = await (await house.admin()).patch("/settings", json=values)
    assert answer.status_code == 200, answer.text


async def test_the_card_counts_down_and_can_be_kept(enter: Enter, lose_call: Lose, house: House) -> None:
    await set_to(house, reservation_minutes=2)
    await lose_call(NUMBER)
    page = await enter("anna", language="en")
    await page.click("#rows .take")
    ending = page.locator("#mine .ending")
    await expect(ending).to_contain_text("Ends in 1:")
    await expect(page.locator("#ending-said")).to_contain_text("Your reservation of +39 050 123 4567 ends in")
    assert await barriers(page) == []
    before = await page.get_attribute("#mine .mine", "data-ends")
    await page.click("#mine [data-do=keep]")
    await expect(page.locator("#toasts")).to_contain_text("last longer again")
    await expect(page.locator("#mine .mine")).not_to_have_attribute("data-ends", str(before))


async def test_a_request_past_the_limit_says_so_in_shape_text_and_colour(
    enter: Enter, lose_call: Lose, happen: Happen
) -> None:
    await lose_call(NUMBER)
    page = await enter("sara", role="supervisor", language="en")
    age = page.locator("#rows td .age")
    await expect(age).to_have_text("0 min")
    young = await age.evaluate("one => getComputedStyle(one).color")
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    await age.evaluate("(one, late) => { one.dataset.late = late; }", past)
    await expect(age).to_have_text("0 min, late")
    await expect(age.locator("use")).to_have_attribute("href", "#i-warning")
    assert await age.evaluate("one => getComputedStyle(one).color") != young
    await page.goto("/assign")
    await expect(page.locator("#callers td .age")).to_have_text("0 min")


async def test_a_hidden_customer_is_shown_with_the_reason_and_brought_back(
    enter: Enter, lose_call: Lose, happen: Happen
) -> None:
    caller = await lose_call(NUMBER)
    now = datetime.now(UTC).replace(microsecond=0)
    failed = RecallFailed(
        caller=CallerId(caller),
        call=CallId("main", "9.1"),
        received_at=now,
        started_at=now + timedelta(seconds=1),
        extension="299",
        ended_at=now + timedelta(seconds=2),
        outcome=RecallOutcome.NO_ANSWER,
    )
    await happen(caller, failed)
    page = await enter("sara", role="supervisor", language="en")
    await expect(page.locator("#rows tr")).to_have_count(0)
    await page.goto("/assign")
    await expect(page.locator("#callers .resting")).to_contain_text("no answer")
    assert await barriers(page) == []
    await page.click("#callers [data-do=show]")
    await expect(page.locator("#toasts")).to_contain_text("is in the lists again")
    await expect(page.locator("#callers .resting")).to_have_count(0)
    await page.goto("/missed-calls")
    await expect(page.locator("#rows tr")).to_have_count(1)


async def test_an_answering_machine_is_said_in_the_history_on_the_day_of_the_call(
    enter: Enter, lose_call: Lose, happen: Happen
) -> None:
    caller = await lose_call(NUMBER)
    page = await enter("anna", language="en", extension="204")
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    reached = RecallSucceeded(
        caller=CallerId(caller),
        call=CallId("main", "9.2"),
        rank=Rank.LEGS,
        received_at=at,
        started_at=at,
        extension="204",
        operator=Username("anna"),
        answered_at=at,
        ended_at=at + timedelta(seconds=20),
        talk_seconds=20,
    )
    await happen(caller, reached)
    await expect(page.locator("#rows tr[data-state=free]")).to_have_count(0)
    await page.goto(f"/callers/{caller}")
    await page.click("[data-do=dispute]")
    await expect(page.locator("#toasts")).to_contain_text("answering machine")
    await page.goto(f"/callers/{caller}")
    await expect(page.locator(".timeline")).to_contain_text("Anna: it was an answering machine")
    await page.goto("/missed-calls")
    await expect(page.locator("#rows tr")).to_have_count(1)
