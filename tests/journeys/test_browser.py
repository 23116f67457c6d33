"""Do two operators in two browsers see the same work at the same time?"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journeys import edge as pbx
from tests.journeys.edge import Edge
from tests.journeys.people import PASSWORD, Person
from tests.journeys.system import System

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def at_work(browser: Browser, system: System, person: Person, queue: str) -> Iterator[Page]:
    """A page of the missed calls of one queue, logged in through the form and live."""
    context = browser.new_context(locale="it-IT", base_url=system.gateway, viewport={"width": 1360, "height": 900})
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto("/login")
    page.locator("input[name=username]").fill(person.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form button").first.click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"/missed-calls?queue={queue}")
    expect(page.locator("#state")).to_have_attribute("data-state", "live")
    try:
        yield page
        assert failures == []
    finally:
        context.close()


def test_a_row_appears_and_a_reservation_is_seen_by_the_other(
    browser: Browser, system: System, edge: Edge, anna: Person, bruno: Person, queue: str
) -> None:
    with at_work(browser, system, anna, queue) as hers, at_work(browser, system, bruno, queue) as his:
        expect(hers.locator("#rows tr")).to_have_count(0)
        number = pbx.new_number()
        edge.loses(number, queue)
        expect(hers.locator("#rows tr")).to_have_count(1)
        expect(his.locator("#rows tr")).to_have_count(1)
        assert number[-4:] in hers.locator("#rows tr th").inner_text().replace(" ", "").replace("\n", "")

        hers.locator("#rows tr [data-do=reserve]").click()
        expect(his.locator("#rows tr")).to_contain_text("Anna Rossi")
        # Reservations are shown whatever the list's filter is.
        card = hers.locator("#mine article").filter(has_text=queue)
        expect(card).to_have_count(1)
        expect(his.locator("#mine article").filter(has_text=queue)).to_have_count(0)

        card.locator("button.call").click()
        expect(hers.locator("#calling section").filter(has_text=queue)).to_have_count(1)
        expect(card).to_have_count(0)

        edge.records(pbx.recall(number, pbx.now(), by=anna.extension, talk=None))
        expect(card).to_have_count(1)
        expect(hers.locator("#calling section").filter(has_text=queue)).to_have_count(0)

        # Chromium may still be asking whether to open a telephone program; a real click would go to that question.
        card.locator("button.call").dispatch_event("click")
        expect(hers.locator("#calling section").filter(has_text=queue)).to_have_count(1)
        edge.records(pbx.recall(number, pbx.now(), by=anna.extension, talk=5.2))
        expect(hers.locator("#calling section").filter(has_text=queue)).to_have_count(0)
        expect(card).to_have_count(0)


def test_a_released_row_is_free_for_everybody_again(
    browser: Browser, system: System, edge: Edge, anna: Person, bruno: Person, queue: str
) -> None:
    edge.loses(pbx.new_number(), queue)
    with at_work(browser, system, anna, queue) as hers, at_work(browser, system, bruno, queue) as his:
        hers.locator("#rows tr [data-do=reserve]").click()
        mine = hers.locator("#mine article").filter(has_text=queue)
        mine.locator("[data-do=release]").click()
        expect(his.locator("#rows tr[data-state=free]")).to_have_count(1)
        expect(hers.locator("#rows tr[data-state=free]")).to_have_count(1)


def test_a_wrong_password_says_so(browser: Browser, system: System, anna: Person) -> None:
    context = browser.new_context(locale="it-IT", base_url=system.gateway)
    page = context.new_page()
    page.goto("/missed-calls")
    page.locator("input[name=username]").fill("anna")
    page.locator("input[name=password]").fill("sbagliata")
    page.locator("form button").first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    context.close()
