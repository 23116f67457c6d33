"""In which browser are the pages tried? A real Chromium, against the real gateway and the real queue service."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House, house, queue_service, reporting_service
from tests.gateway.lost_calls import caller_of, lose

__all__ = ["house", "queue_service", "reporting_service"]

Enter = Callable[..., Awaitable[Page]]
Lose = Callable[..., Awaitable[str]]

_PROBE = "/are-you-there"

# Patient, for a machine with much else to do: what is expected comes, when does not matter here.
expect.set_options(timeout=30_000)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


async def stand_between(page: Page, pattern: str, answer: Callable[[Route], Awaitable[None]]) -> None:
    """Let `answer` have what the page asks for; back when it does, for the browser takes a moment to begin with it."""
    await page.route(pattern, answer)
    await page.route(f"**{_PROBE}", lambda route: route.fulfill(status=204))
    while await page.evaluate(f"fetch('{_PROBE}').then(({{ status }}) => status)") != 204:
        pass
    await page.unroute(f"**{_PROBE}")


@pytest_asyncio.fixture
async def enter(house: House, queue_service: None, browser: Browser) -> AsyncIterator[Enter]:
    """`await enter("anna", language="en")`: a new user in a browser of their own, on the page of missed calls.

    A page that logs an error of a script fails its test.
    """
    errors: list[str] = []
    contexts = []

    async def entered(
        username: str, *, dark: bool = False, width: int = 1360, role: str = "operator", **user: str
    ) -> Page:
        await house.person(username, role, **user)
        context = await browser.new_context(
            base_url=house.url,
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            locale="it-IT",
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
        await page.goto("/login")
        await page.fill("[name=username]", username)
        await page.fill("[name=password]", f"pw-{username}")
        await page.click("form.login button")
        await page.wait_for_selector("#state[data-state=live]")
        return page

    yield entered
    for context in contexts:
        await context.close()
    assert errors == []


@pytest.fixture
def lose_call(event_store: JetStreamEventStore, data_dir: Path) -> Lose:
    """`await lose_call("+390501234567")`: a call is lost, now or `ago`; answers the caller's id."""
    count = 0

    async def lost(number: str, queue: str = "Vendite", ago: timedelta = timedelta()) -> str:
        nonlocal count
        count += 1
        caller = await caller_of(event_store, data_dir, number)
        await lose(event_store, caller, f"1511212918.{count}", queue, datetime.now(UTC) - ago)
        return caller

    return lost
