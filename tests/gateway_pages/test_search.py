"""Is a number, or a page, found from anywhere, as far as one may see it?"""

import pytest
from playwright.async_api import expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose
from tests.gateway_pages.test_every_page import barriers, outside

pytestmark = [pytest.mark.browser, pytest.mark.servers]


async def test_a_key_finds_numbers_and_pages(enter: Enter, lose_call: Lose) -> None:
    caller = await lose_call("+390501234567")
    await lose_call("+390509998887")
    page = await enter("sara", role="supervisor", language="en")
    await page.goto("/flush")
    await page.keyboard.press("/")
    await page.keyboard.type("501234")
    await expect(page.locator("#found a")).to_have_count(1)
    assert await barriers(page) == []
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/callers/{caller}")
    await page.keyboard.press("/")
    await page.keyboard.type("assi")
    await expect(page.locator("#found a")).to_have_text(["Assign"])
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/search?q=assi")
    assert await page.locator("#results a").all_inner_texts() == ["Assign"]


async def test_nobody_finds_what_they_may_not_see(enter: Enter, lose_call: Lose) -> None:
    await lose_call("+390501234567")
    await lose_call("+390501234999", "Assistenza")
    anna = await enter("anna", width=360, language="en", queues=["Vendite"])
    await anna.goto("/search?q=0501234")
    assert await anna.locator("#results a").all_inner_texts() == ["+39 050 123 4567"]
    await anna.goto("/search?q=users")
    assert "No page and no customer matches" in await anna.inner_text("#results")
    assert await barriers(anna) == []
    assert await outside(anna) == []
    masked = await enter("mara", language="en", masked=True)
    await masked.goto("/search?q=4567")
    assert await masked.locator("#results a").count() == 0, "the digits that are hidden are not searched"
    await masked.goto("/search?q=050123")
    assert await masked.locator("#results a").count() == 2
    assert "4567" not in await masked.inner_text("#results")
    await masked.goto("/search?q=%3Cb%3Ex")
    assert await masked.locator("#results b").count() == 0


async def test_closed_customers_are_found_too_as_far_as_one_may_see_them(
    enter: Enter, lose_call: Lose, house: House
) -> None:
    ours, theirs = await lose_call("+390501234567"), await lose_call("+390501234999", "Assistenza")
    boss = await house.person("boss", "supervisor")
    flushed = await boss.post("/flushes", json={"caller_ids": [ours, theirs], "reason": "x"})
    position = str(flushed.json()["position"])
    await boss.get("/requests", headers={"Min-Position": position})
    anna = await enter("anna", language="it", queues=["Vendite"])
    await anna.goto("/search?q=0501234")
    assert await anna.locator("#results a").all_inner_texts() == ["+39 050 123 4567"]
    assert await anna.locator("#results h2").all_inner_texts() == ["Clienti senza richieste aperte"]
    assert await barriers(anna) == []
    await anna.click("#results a")
    await expect(anna.locator("main")).to_contain_text("Questo cliente non ha richieste aperte")
    answer = await anna.goto(f"/callers/{theirs}")
    assert answer is not None
    assert answer.status == 404
    assert "solo code che non vedi" in await anna.inner_text("main")
    assert await barriers(anna) == []
    masked = await enter("mara", language="en", masked=True)
    await masked.goto("/search?q=4567")
    assert await masked.locator("#results a").count() == 0
    await masked.goto("/search?q=050123")
    assert await masked.locator("#results a").count() == 2
    assert "4567" not in await masked.inner_text("#results")
