"""Can one work on a slow network, and without one? Everything is done once, says that it is at work, and keeps what was typed."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, CDPSession, Page, Route, expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose, stand_between
from tests.gateway_pages.test_every_page import barriers

pytestmark = [pytest.mark.browser, pytest.mark.servers]

NUMBER, SHOWN = "+390501234567", "+39 050 123 4567"
_SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50 * 1024, "uploadThroughput": 50 * 1024}
_AWAY = {**_SLOW, "offline": True}
_WATCH = """new MutationObserver((changes) => {
  for (const { target } of changes) if (target.getAttribute("aria-busy")) (window.atWork ??= []).push(target.localName);
}).observe(document, { subtree: true, attributeFilter: ["aria-busy"] })"""
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}")


async def network_of(page: Page) -> CDPSession:
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    return session


def sent_by(page: Page) -> list[str]:
    """What the page asks to be done, as it does."""
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(f"{asked.method} {asked.url}") if asked.method != "GET" else None)
    return sent


async def test_on_a_slow_network_everything_is_done_once_and_says_that_it_is_at_work(
    enter: Enter, lose_call: Lose
) -> None:
    await lose_call(NUMBER)
    page = await enter("anna", language="en", extension="204")
    network, sent = await network_of(page), sent_by(page)
    await network.send("Network.emulateNetworkConditions", _SLOW)
    await page.reload()
    await expect(page.locator("#state")).to_have_attribute("data-state", "live")
    await page.evaluate(_WATCH)
    await page.dblclick("#rows .take")
    await expect(page.locator("#mine .number")).to_have_text(SHOWN)
    assert await page.evaluate("atWork") == ["tr"]
    assert len(sent) == 1, sent
    # However many calls come while the page is read, each reading comes to its end.
    await page.hover("#mine")
    for end in range(6):
        await lose_call(f"+39021234567{end}")
    await expect(page.locator("#count")).to_have_text("6")
    await page.dblclick("#mine [data-do=release]")
    await expect(page.locator("#mine .mine")).to_have_count(0)
    assert len(sent) == 2, sent

    await page.goto("/account")
    await page.evaluate(_WATCH)
    await page.fill("#token-form [name=name]", "Wallboard")
    await page.locator("#token-form button").dblclick(no_wait_after=True)
    await expect(page.get_by_role("rowheader", name="Wallboard")).to_have_count(1)
    assert len(sent) == 3, sent


async def test_without_a_network_the_page_says_since_when_and_what_was_missed_comes_with_it(
    enter: Enter, lose_call: Lose
) -> None:
    await lose_call(NUMBER)
    page = await enter("anna", language="en")
    network = await network_of(page)
    await network.send("Network.emulateNetworkConditions", _AWAY)
    await expect(page.locator("#state")).to_have_attribute("data-state", "offline")
    await expect(page.locator("#state-text")).to_have_text(re.compile(f"^Offline since {_TIME.pattern}$"))
    await page.click("#rows .take")
    await expect(page.locator(".toast.bad")).to_have_count(1)
    await expect(page.locator("#rows tr[data-state=free]")).to_have_count(1)
    await lose_call("+390212345678")
    await network.send("Network.emulateNetworkConditions", {**_SLOW, "latency": 0, "downloadThroughput": -1})
    await expect(page.locator("#state")).to_have_attribute("data-state", "live")
    await expect(page.locator("#count")).to_have_text("2")


async def away(route: Route) -> None:
    await route.abort("connectionrefused")


async def a_part_is_missing(route: Route) -> None:
    """As the gateway answers while PostgreSQL is away: who is logged in stays so, but nothing can be kept."""
    if route.request.url.endswith("/readyz"):
        await route.fulfill(status=503, json={"ready": False, "missing": {"database": "is not there"}})
    else:
        await route.continue_()


FIELDS = {
    "/users/_new": ("[name=username]", "carla"),
    "/settings": ("[name=availability_minutes]", "77"),
    "/account": ("#token-form [name=name]", "Wallboard"),
    "/audit": ("#search [name=who]", "ada"),
}


@pytest.mark.parametrize(("trouble", "paths"), [(away, [*FIELDS]), (a_part_is_missing, ["/audit"])])
async def test_a_form_sent_while_the_server_is_away_keeps_what_was_typed_and_says_what_to_do(
    enter: Enter,
    house: House,
    reporting_service: None,
    trouble: Callable[[Route], Awaitable[None]],
    paths: list[str],
) -> None:
    page = await enter("sara", role="admin", language="en", width=360)
    bar, sent = page.locator("p.away"), sent_by(page)
    for path in paths:
        await page.unroute("**/*")
        await page.goto(path)
        await page.evaluate("document.querySelector('#search')?.setAttribute('open', '')")
        where, typed = FIELDS[path]
        field = page.locator(where)
        await field.fill(typed)
        await stand_between(page, "**/*", trouble)
        await field.press("Enter")
        await expect(bar).to_contain_text(re.compile(f"has not answered since {_TIME.pattern}.*still here"))
        await expect(field).to_have_value(typed)
        assert (page.url, sent) == (f"{house.url}{path}", [])
        assert await barriers(page) == []
    await page.unroute("**/*")
    await expect(bar).to_contain_text("answers again")
    await page.press("#search [name=who]", "Enter")
    await page.wait_for_url("**/audit?who=ada")


async def test_a_link_followed_while_the_server_is_away_leaves_the_page_as_it_is_and_says_so(enter: Enter) -> None:
    page = await enter("anna", language="en")
    await page.goto("/account")
    await page.fill("#token-form [name=name]", "Wallboard")
    network = await network_of(page)
    await network.send("Network.emulateNetworkConditions", _AWAY)
    await expect(page.locator("p.away")).to_contain_text("Offline since")
    await page.click("nav a[href='/widgets']")
    await expect(page.locator("p.away")).to_contain_text(re.compile(f"since {_TIME.pattern}. Other pages open when"))
    assert page.url.endswith("/account")
    await expect(page.locator("#token-form [name=name]")).to_have_value("Wallboard")
    await network.send("Network.emulateNetworkConditions", {**_SLOW, "offline": False, "latency": 0})
    await expect(page.locator("p.away")).to_have_count(0)
    await page.click("nav a[href='/widgets']")
    await page.wait_for_url("**/widgets")


async def test_the_log_in_says_that_the_server_is_away_and_keeps_what_was_typed(house: House, browser: Browser) -> None:
    await house.person("anna", language="en")
    context = await browser.new_context(base_url=house.url, locale="en-GB")
    page = await context.new_page()
    await page.goto("/login")
    await page.fill("[name=username]", "anna")
    await page.fill("[name=password]", "pw-anna")
    await stand_between(page, "**/*", away)
    await page.press("[name=password]", "Enter")
    await expect(page.locator("p.away")).to_contain_text(
        re.compile(f"has not answered since {_TIME.pattern}.*still here")
    )
    await expect(page.locator("[name=username]")).to_have_value("anna")
    assert await barriers(page) == []
    await page.unroute("**/*")
    await expect(page.locator("p.away")).to_contain_text("answers again")
    await page.press("[name=password]", "Enter")
    await page.wait_for_url("**/missed-calls")
    await context.close()
