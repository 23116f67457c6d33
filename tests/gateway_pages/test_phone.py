"""Does an operator do every task on a phone? Nothing runs out of the window, a finger hits everything, keys reach everything."""

from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, Route, expect

from tests.gateway.conftest import House
from tests.gateway_pages.conftest import Enter, Lose, stand_between

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.slow]

NUMBER, SHOWN = "+390501234567", "+39 050 123 4567"
FINGER, LEAST = 44, 24
"""CSS pixels each way: of what an operator hits all day, and of everything (WCAG 2.2, 2.5.8)."""

_TARGETS = """
const top = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document;
const targets = [...top.querySelectorAll("a[href], button, summary, select, textarea, input:not([type=hidden])")].filter(
  (one) => !one.disabled && one.checkVisibility({ visibilityProperty: true }) && !one.closest(".skip"),
);
const words = (one) => one.outerHTML.replace(/<svg.*?<.svg>/g, "").slice(0, 140);
"""
_TOO_SMALL = f"""(mains) => {{ {_TARGETS}
  const inText = (one) => one.matches("a") && getComputedStyle(one).display === "inline" &&
    [...one.parentElement.childNodes].some((near) => near.nodeType === 3 && near.textContent.trim());
  return targets.filter((one) => !inText(one)).map((one) => {{
    const ticked = one.matches("[type=checkbox], [type=radio]") && one.closest("label");
    const {{ width, height }} = (ticked || one).getBoundingClientRect();
    const least = one.matches(mains) ? {FINGER} : {LEAST};
    return Math.min(width, height) < least - 0.5 ? `${{Math.round(width)}} x ${{Math.round(height)}}, not ${{least}}: ${{words(one)}}` : "";
  }}).filter(Boolean);
}}"""
_MAINS = ".btn, form.login button, form.login input, .mine .number, .sheet input:not([type=checkbox], [type=radio])"
_WATCH = """() => {
  window.reached = new Set();
  document.addEventListener("focusin", (event) => reached.add(event.target), true);
}"""
_LEFT_OUT = f"""() => {{ {_TARGETS}
  const group = (one) => one.type === "radio" ? [...document.getElementsByName(one.name)] : [one];
  return targets.filter((one) => one.tabIndex < 0 || !group(one).some((other) => reached.has(other))).map(words);
}}"""
_OUTSIDE = """[...document.querySelectorAll("body *")].filter((one) => {
  const { left, right } = one.getBoundingClientRect();
  const within = one.closest(".scroll, .sr, .skip, .sprite, #toasts");
  return !within && one.checkVisibility() && (left < -0.5 || right > innerWidth + 0.5);
}).map((one) => one.outerHTML.slice(0, 140))"""


async def out_of_reach(page: Page) -> list[str]:
    """What Tab never comes to; a row that the list has just taken over is new, so what is left is walked to again."""
    await page.evaluate(_WATCH)
    left: list[str] = []
    for _ in range(5):
        await page.evaluate("document.activeElement?.blur()")
        known = -1
        while (reached := await page.evaluate("reached.size")) > known:
            known = reached
            for _ in range(12):
                await page.keyboard.press("Tab")
        left = await page.evaluate(_LEFT_OUT)
        if not left:
            break
    return left


@dataclass(frozen=True)
class Walk:
    """An operator's way through the pages, by keys alone, and what is not right with them."""

    page: Page
    found: dict[str, list[str]] = field(default_factory=dict)

    async def look(self, what: str) -> None:
        problems = {
            "out of the window": await self.page.evaluate(_OUTSIDE),
            "too small": await self.page.evaluate(_TOO_SMALL, _MAINS),
            "out of reach": await out_of_reach(self.page),
        }
        self.found.update({f"{what}: {name}": some for name, some in problems.items() if some})

    async def press(self, where: str) -> None:
        await self.page.locator(where).first.press("Enter")


async def as_a_pbx_would(route: Route) -> None:
    """Lets the PBX ring: a headless browser takes neither clicks nor keys after it has followed a tel: link."""
    answer = await route.fetch()
    await route.fulfill(response=answer, json={**await answer.json(), "how": "pbx"})


async def the_list(walk: Walk) -> None:
    page, rows = walk.page, walk.page.locator("#rows tr")
    await expect(rows).to_have_count(3)
    await walk.look("list")
    await walk.press("#menu-button")
    await walk.look("menu")
    await walk.press("#menu-button")
    await walk.press("#search summary")
    await walk.look("filter")
    await page.fill("#search [name=queue]", "Vendite")
    await walk.press("#search [name=queue]")
    await page.wait_for_url("**/missed-calls?queue=Vendite")
    await expect(page.locator("#empty")).to_contain_text("Nessuna richiesta corrisponde")
    await walk.look("filtered")
    await walk.press("#empty a")
    await expect(rows).to_have_count(3)
    await walk.press("#find")
    await page.fill("#finder-q", "0501234")
    await expect(page.locator("#found a").first).to_be_visible()
    await walk.look("search")
    await page.keyboard.press("Escape")


async def a_view(walk: Walk) -> None:
    page, name, kept = walk.page, "La mia vista di ogni mattina", walk.page.locator("#look .views a")
    await walk.press("#look summary")
    await walk.look("views")
    await page.fill("#look [name=name]", name)
    await walk.press("#look [name=name]")
    await expect(kept).to_have_text(name)
    await walk.press("#look summary")
    await walk.look("kept view")
    await walk.press("#look .views button")
    await expect(kept).to_have_count(0)


async def a_reservation(walk: Walk, caller: str) -> None:
    page, mine = walk.page, walk.page.locator("#mine .number")
    take = f'#rows tr[data-caller="{caller}"] .take'
    await page.wait_for_selector("#state[data-state=live]")
    await walk.press(take)
    await expect(mine).to_have_text(SHOWN)
    await walk.look("reserved")
    await walk.press("#mine [data-do=release]")
    await expect(mine).to_have_count(0)
    await walk.press(take)
    await expect(mine).to_have_text(SHOWN)
    await walk.press("#mine [data-do=details]")
    await page.wait_for_selector("#details[open] #note-text")
    await walk.look("details")
    await page.fill("#note-text", "Richiamare dopo le 15")
    await page.locator("#note-text").press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("Nota")
    await page.keyboard.press("Escape")
    await stand_between(page, "**/recalls", as_a_pbx_would)
    await walk.press("#mine .call")
    await expect(page.locator("#calling .strip")).to_contain_text(SHOWN)
    await walk.look("calling")
    await walk.press("#calling [data-do=put-back]")
    await expect(mine).to_have_text(SHOWN)


async def test_every_task_of_an_operator_on_a_phone(enter: Enter, lose_call: Lose, house: House) -> None:
    page = await enter("anna", width=360, extension="204", name="Annamaria Bartolomei Castiglioni")
    await page.set_viewport_size({"width": 360, "height": 640})
    walk = Walk(page)
    callers = [await lose_call(number, "Assistenza clienti") for number in (NUMBER, "+390212345678", "+393331234567")]
    await the_list(walk)
    await a_view(walk)
    await a_reservation(walk, callers[0])
    sara = await house.person("sara", "supervisor")
    assert (await sara.put(f"/callers/{callers[1]}/assignment", json={"operator": "anna"})).status_code == 200
    await expect(page.locator("#bell-count")).to_have_text("1")
    for menu in ("#bell", "#as-of", "#who"):
        await walk.press(f"{menu} summary")
        await walk.look(menu)
    for path in (f"/callers/{callers[0]}", "/account", "/search?q=050", "/widgets", "/nowhere", "/dashboard"):
        await page.goto(path)
        await walk.look(path)
    await walk.press("#who summary")
    await walk.press("#who form[action='/logout'] button")
    await page.wait_for_selector("form.login")
    await walk.look("log in")
    assert walk.found == {}
