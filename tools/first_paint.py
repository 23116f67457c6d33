"""How soon does an operator see the lost calls, with 10,000 open? In a browser that has nothing yet, on a system of its own.

`make bench-paint` prints it beside the log-in page of the same system in the same browser: the least that a page of this
frame takes on this machine at this minute. CHROMIUM names the browser.
"""

import argparse
import asyncio
import os
import statistics
from collections import defaultdict
from dataclasses import dataclass

from playwright.async_api import Browser, async_playwright
from rich.console import Console

from richiamo_ops.bench.figures import Figure, percentile, table
from richiamo_ops.bench.filling import fill
from richiamo_ops.bench.people import Staff
from richiamo_ops.bench.system import own_system
from richiamo_ops.bench.views import caught_up
from richiamo_ops.site import reached

_LIST, _FLOOR = "/missed-calls", "/login"
_TARGET_MS, _TARGET_KB = 500, 60
_PAINT = """() => new Promise((found) => new PerformanceObserver((list) => {
  const page = performance.getEntriesByType("navigation")[0];
  const all = [page, ...performance.getEntriesByType("resource").filter((one) => one.initiatorType !== "fetch")];
  found({
    paint: list.getEntriesByName("first-contentful-paint")[0].startTime,
    first_byte: page.responseStart,
    ready: page.domContentLoadedEventEnd,
    kilobytes: all.reduce((sum, one) => sum + one.transferSize, 0) / 1024,
  });
}).observe({ type: "paint", buffered: true }))"""


@dataclass(frozen=True, slots=True)
class Load:
    """One page loaded with an empty cache: ms since the click, and all that came over the network."""

    paint: float
    first_byte: float
    ready: float
    kilobytes: float


async def _load(browser: Browser, base: str, token: str, path: str) -> Load:
    context = await browser.new_context(base_url=base, viewport={"width": 1360, "height": 800}, locale="it-IT")
    try:
        if path != _FLOOR:
            await context.add_cookies([{"name": "richiamo", "value": token, "url": base}])
        page = await context.new_page()
        await page.goto(path, wait_until="load")
        return Load(**await page.evaluate(_PAINT))
    finally:
        await context.close()


async def measure(waiting: int, times: int) -> list[Figure]:
    """Starts a system, loses so many calls, and looks at the list that often, the log-in page in turn with it."""
    async with own_system() as system, async_playwright() as play:
        await system.start()
        staff = Staff(system.installation.gateway_port)
        async with reached("bench", system.installation) as site:
            await fill(site, past=0, waiting=waiting, told=lambda _: None)
            await caught_up(site)
        await staff.hire(1)
        browser = await play.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        loads = defaultdict[str, list[Load]](list)
        for nth in range(times + 1):
            for path in (_FLOOR, _LIST):
                loaded = await _load(browser, system.installation.gateway, staff.tokens[0], path)
                # The first of each warms the system: an operator is not the first of the day to ask.
                if nth:
                    loads[path].append(loaded)
        await browser.close()
    return _figures(loads[_LIST], loads[_FLOOR], waiting)


def _figures(listed: list[Load], floor: list[Load], waiting: int) -> list[Figure]:
    def median(loads: list[Load], what: str) -> float:
        return statistics.median(getattr(one, what) for one in loads)

    def timed(key: str, words: str, what: str, target: float | None = None) -> Figure:
        return Figure(
            key=key, words=words, value=median(listed, what), unit="ms", floor=median(floor, what), target=target
        )

    return [
        timed(
            "p.first_paint", f"First paint of the lost calls, {waiting:,} open, half of the loads", "paint", _TARGET_MS
        ),
        Figure(
            key="p.first_paint_p95",
            words="  slowest 5 %",
            value=percentile([one.paint for one in listed], 0.95),
            unit="ms",
            floor=percentile([one.paint for one in floor], 0.95),
            target=_TARGET_MS,
        ),
        timed("p.first_byte", "  until its first byte", "first_byte"),
        timed("p.ready", "  until its scripts are at work", "ready"),
        Figure(
            key="p.kilobytes",
            words="  all that came over the network",
            value=median(listed, "kilobytes"),
            unit="kB",
            floor=median(floor, "kilobytes"),
            target=_TARGET_KB,
        ),
    ]


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=10_000, help="requests that wait")
    parser.add_argument("--times", type=int, default=20, help="loads of each page")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    figures = asyncio.run(measure(given.open, given.times))
    title = f"bench-paint on {os.cpu_count()} cores, load {load:.1f} before"
    Console(highlight=False).print(table(figures, title))


if __name__ == "__main__":
    main()
