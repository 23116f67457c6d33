"""What does every page look like? Pictures of all of them, from a system of its own with a call centre at work.

`make screenshots` writes those of README and docs, in English, wide and light, one dark and one on a phone.
`.venv/bin/python tools/screenshots.py FOLDER --every-look` writes each page in Italian and English, light and dark,
wide and on a phone, for whoever changes the pages. CHROMIUM names the browser.
"""

import argparse
import asyncio
import base64
import os
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page, async_playwright, expect

from richiamo_ops.bench.system import PASSWORD, System, own_system

Prepare = Callable[[Page], Awaitable[object]]

WIDE, PHONE = (1360, 800), (390, 780)
_HISTORY = ("--days", "14", "--calls-per-day", "90", "--rate", "150", "--duration", "20", "--seed", "7")


@dataclass(frozen=True, slots=True)
class Picture:
    """A page and how it gets there; `role` says who looks at it."""

    name: str
    path: str
    role: str = "supervisor"
    prepare: Prepare | None = None
    size: tuple[int, int] = WIDE
    dark: bool = False
    language: str = "en"


async def _reserve(page: Page) -> None:
    cards = page.locator("#mine .mine")
    while (reserved := await cards.count()) < 2:
        await page.locator("#rows .take:visible").first.click()
        await expect(cards).to_have_count(reserved + 1)
    await page.mouse.move(5, 600)


async def _details(page: Page) -> None:
    await page.locator("#rows th a").first.click()
    await page.wait_for_selector("#details[open]")


async def _pick(page: Page) -> None:
    for nth in range(3):
        await page.locator(".pick-one").nth(nth).check()


async def _sure(page: Page) -> None:
    await _pick(page)
    await page.click("#ask-flush")
    await page.fill("#reason", "Answered by e-mail")


async def _board(page: Page) -> None:
    if await page.locator("[name=suggestion][value=supervisor]").count():
        await page.click("[name=suggestion][value=supervisor]")
    await page.wait_for_selector("#board .widget")


async def _gallery(page: Page) -> None:
    await _board(page)
    await page.goto(f"{page.url.partition('?')[0]}/gallery")


async def _view(page: Page) -> None:
    await page.click("#look summary")


async def _past(page: Page) -> None:
    await page.goto(f"{page.url}?as_of={(await page.get_attribute('body', 'data-now') or '').replace('+', '%2B')}")
    await page.wait_for_selector("#past")


PICTURES = (
    Picture("login", "/login", role=""),
    Picture("missed-calls", "/missed-calls", "operator", _reserve),
    Picture("missed-calls-dark", "/missed-calls", "operator", dark=True, language="it"),
    Picture("missed-calls-phone", "/missed-calls", "operator", size=PHONE),
    Picture("customer", "/missed-calls", "operator", _details),
    Picture("views", "/missed-calls", "operator", _view),
    Picture("as-of", "/missed-calls", "supervisor", _past),
    Picture("assign", "/assign", prepare=_pick),
    Picture("flush", "/flush", prepare=_sure),
    Picture("report", "/report"),
    Picture("dashboard", "/dashboard"),
    Picture("code-caller", "/code-caller"),
    Picture("historical", "/historical"),
    Picture("widgets", "/widgets", prepare=_board),
    Picture("gallery", "/widgets", prepare=_gallery),
    Picture("audit", "/audit"),
    Picture("search", "/search?q=050"),
    Picture("account", "/account"),
    Picture("users", "/users", "admin"),
    Picture("user", "/users/anna", "admin"),
    Picture("settings", "/settings", "admin"),
    Picture("style-guide", "/style-guide", "admin"),
    Picture("forbidden", "/dashboard", "operator"),
    Picture("not-found", "/nowhere", "operator"),
)
PEOPLE = {"operator": "anna", "supervisor": "sara", "admin": "ada"}
_NAMES = {"anna": "Anna Bianchi", "sara": "Sara Neri", "ada": "Ada Russo"}


async def _demo(system: System) -> None:
    """Days of history, a call centre that has just been busy, and somebody of each role."""
    port, ingest = system.installation.gateway_port, system.installation.ingest_port
    command = Path(sysconfig.get_path("scripts")) / "richiamo"
    environment = {
        **os.environ,
        "RICHIAMO_GATEWAY_PORT": str(port),
        "RICHIAMO_INGEST_PORT": str(ingest),
        "RICHIAMO_ADMIN_PASSWORD": PASSWORD,
    }
    played = await asyncio.create_subprocess_exec(
        sys.executable, str(command), "simulate", *_HISTORY, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    if await played.wait() != 0:
        raise SystemExit("The simulation did not run.")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as api:
        answer = await api.post("/session", json={"username": "admin", "password": PASSWORD})
        api.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"
        for nth, (role, username) in enumerate(PEOPLE.items()):
            user = {"username": username, "name": _NAMES[username], "password": PASSWORD, "role": role}
            (await api.post("/users", json={**user, "extension": str(301 + nth)})).raise_for_status()


async def _take(browser: Browser, base: str, picture: Picture, file: Path) -> None:
    width, height = picture.size
    context = await browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        color_scheme="dark" if picture.dark else "light",
        locale=picture.language,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    if picture.role:
        username = PEOPLE[picture.role]
        answer = await page.request.post("/api/v1/session", data={"username": username, "password": PASSWORD})
        bearer = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        await page.request.patch("/api/v1/session", data={"language": picture.language}, headers=bearer)
        await page.goto("/login")
        await page.fill("[name=username]", username)
        await page.fill("[name=password]", PASSWORD)
        await page.click("form.login button")
        await page.wait_for_selector("#state[data-state=live]")
    await page.goto(picture.path)
    if picture.prepare:
        await picture.prepare(page)
    await expect(page.locator(".chart:not(:has(svg)), .top #state[data-state=waiting]")).to_have_count(0)
    await asyncio.to_thread(file.write_bytes, await _pixels(page))
    await context.close()


async def _pixels(page: Page) -> bytes:
    """What the window shows, as WebP: a third of the PNG that Playwright writes."""
    session = await page.context.new_cdp_session(page)
    taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": 75})
    return base64.b64decode(taken["data"])


def _every_look() -> list[Picture]:
    return [
        Picture(f"{one.name}-{language}-{'phone' if size == PHONE else 'wide'}-{'dark' if dark else 'light'}", one.path,
                one.role, one.prepare, size, dark, language)
        for one in PICTURES
        if not one.name.startswith("missed-calls-")
        for language, size, dark in (("it", WIDE, False), ("en", PHONE, True), ("en", WIDE, True), ("it", PHONE, False))
    ]  # fmt: skip


async def main(folder: Path, *, every_look: bool) -> None:
    """Writes the pictures, each by the name of its page; what cannot be taken ends it."""
    async with own_system() as system, async_playwright() as play:
        print("Starting a system with demo data ...", file=sys.stderr)
        await system.start()
        await _demo(system)
        browser = await play.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        for picture in _every_look() if every_look else PICTURES:
            await _take(browser, system.installation.gateway, picture, folder / f"{picture.name}.webp")
            print(f"  {picture.name}", file=sys.stderr)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every-look", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given.folder, every_look=given.every_look))
