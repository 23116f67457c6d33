"""Does the style guide show every component of the templates, in every state, without a barrier?"""

import re

import pytest
from jinja2 import Environment, nodes
from playwright.async_api import expect

from richiamo_gateway.pages.rendering import PAGES
from tests.gateway_pages.conftest import Enter
from tests.gateway_pages.test_every_page import barriers, outside, settled

GUIDE = PAGES / "style_guide"
PARTS = ("basics", "lists", "figures", "widgets")
_LEAST_CONTRAST = 3
"""Of what is drawn to what it is drawn on (WCAG 2.2, 1.4.11)."""
_CONTRASTS = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map((part) => linear(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (one) => luminance(getComputedStyle(one).backgroundColor);
  return [...document.querySelectorAll(".legend .swatch")].map((swatch) => {
    const pair = [background(swatch), background(swatch.closest(".panel"))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  });
}"""


def _tree(path: str) -> nodes.Template:
    return Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse((PAGES / path).read_text("utf-8"))


def _macros() -> dict[str, set[str]]:
    """The macros that templates share, by the template that holds them: those of files that are no page."""
    found: dict[str, set[str]] = {}
    for file in PAGES.rglob("*.html"):
        path = file.relative_to(PAGES).as_posix()
        tree = _tree(path)
        if file.parent != GUIDE and not tree.find(nodes.Extends):
            found[path] = {macro.name for macro in tree.find_all(nodes.Macro)}
    return {path: names for path, names in found.items() if names}


def _called(tree: nodes.Template) -> set[str]:
    names = set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            names.add(call.node.name)
        elif isinstance(call.node, nodes.Getattr):
            names.add(call.node.attr)
    return names


def test_every_macro_that_pages_share_is_in_the_guide() -> None:
    macros = _macros()
    assert {
        "layout/fields.html",
        "layout/report.html",
        "missed_calls/row.html",
        "caller_list/list.html",
    } <= macros.keys()
    shown = set().union(*(_called(_tree(f"style_guide/{part}.html")) for part in PARTS))
    # What a macro that is shown calls is shown with it.
    for _ in range(4):
        for path in macros:
            for macro in _tree(path).find_all(nodes.Macro):
                if macro.name in shown:
                    shown |= _called(nodes.Template(macro.body))
    missing = {path: names - shown for path, names in macros.items() if names - shown}
    assert missing == {}


@pytest.mark.browser
@pytest.mark.servers
@pytest.mark.parametrize(("language", "dark", "width"), [("it", False, 1360), ("en", True, 360)])
async def test_every_state_is_there_without_a_barrier(enter: Enter, language: str, dark: bool, width: int) -> None:
    page = await enter("anna", language=language, dark=dark, width=width)
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method != "GET" else None)
    for part in PARTS:
        await page.goto(f"/style-guide/{part}")
        await settled(page)
        for summary in await page.locator("main summary:visible").all():
            await summary.click()
        assert await barriers(page) == [], part
        assert await outside(page) == [], f"{part} is too wide"
        twice = await page.evaluate(
            "[...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at)"
        )
        assert twice == [], part
    await page.goto("/style-guide/figures")
    contrasts = await page.evaluate(_CONTRASTS)
    assert contrasts, "the charts have legends in their colours"
    assert min(contrasts) >= _LEAST_CONTRAST, contrasts
    drawn = page.locator(".chart svg text")
    assert ("1.200" if language == "it" else "1,200") in await drawn.all_text_contents()
    await page.goto("/style-guide/lists")
    assert await page.evaluate("document.querySelector('.strip .what').offsetWidth") > 200
    await expect(page.locator("#rows tr.held, #rows tr.own, #rows tr.gone, #rows tr[aria-busy]")).to_have_count(4)
    await expect(page.locator(".mine .ending:visible")).to_have_count(1)
    await page.locator("#rows .take:visible").first.click()
    await page.locator(".mine [data-do=release]").first.click()
    await page.click("#look summary")
    await page.click("#look .btn.call")
    assert re.search("/style-guide/lists$", page.url)
    await page.goto("/style-guide")
    states = page.locator("#states .state")
    assert {await one.get_attribute("data-state") for one in await states.all()} == {
        "waiting", "live", "reconnecting", "polling", "offline"
    }  # fmt: skip
    await page.click("[data-guide=toasts]")
    await expect(page.locator(".toast")).to_have_count(3)
    assert await barriers(page) == []
    await page.click("main [data-open=help]")
    assert await barriers(page) == []
    assert sent == []
