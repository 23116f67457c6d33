"""Does anything of another queue, or a whole number, slip out? Every read of the API and every page, as those with less."""

import asyncio
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from richiamo_kit.store.jetstream import JetStreamEventStore
from tests.gateway.conftest import House
from tests.gateway.lost_calls import caller_of, lose

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("queue_service", "reporting_service")]

SECRET, SEEN = "+390501239876", "+390212345678"
SECRET_QUEUE, SEEN_QUEUE = "Riservata", "Vendite"
TRACES = ("1239876", "123 9876", SECRET_QUEUE)
FIGURES = {"dashboard": "total", "day": "total_calls", "code-caller": "missed_calls", "historical": "callers"}
PAGES = (
    "/missed-calls",
    "/assign",
    "/flush",
    "/report",
    "/dashboard",
    "/code-caller",
    "/historical",
    "/widgets",
    "/audit",
    "/account",
    *(f"/reports/{report}/requests?figure={figure}" for report, figure in FIGURES.items()),
)


class Told:
    """Everything that one person was told, by address."""

    def __init__(self) -> None:
        self.bodies: dict[str, str] = {}
        self.statuses: dict[str, int] = {}

    async def ask(self, client: httpx.AsyncClient, path: str) -> None:
        answer = await client.get(path, follow_redirects=True)
        self.statuses[path] = answer.status_code
        self.bodies[path] = _text(answer)


def _text(answer: httpx.Response) -> str:
    """What can be read in an answer; workbooks are archives."""
    if "spreadsheetml" not in answer.headers.get("content-type", ""):
        return answer.text
    with zipfile.ZipFile(BytesIO(answer.content)) as book:
        return "\n".join(book.read(name).decode(errors="replace") for name in book.namelist())


async def reads(house: House, secret: str, seen: str) -> list[str]:
    """Every address of the API that is read, for both callers."""
    document = (await (await house.client()).get("/openapi.json")).json()
    found: list[str] = []
    for path, operations in document["paths"].items():
        if "get" not in operations or path.endswith("/changes"):
            continue
        short = path.removeprefix("/api/v1")
        for caller in (secret, seen) if "{caller_id}" in short else ("",):
            one = short.replace("{caller_id}", caller).replace("{username}", "anna")
            if "{report}" in one:
                found += [one.replace("{report}", report) + f"?figure={figure}" for report, figure in FIGURES.items()]
            elif "{" not in one:
                found.append(one)
    views = [f"/requests?view={view}" for view in ("recall", "mine", "calling", "all")]
    asked = [f"/requests?view=recall&queue={SECRET_QUEUE}", "/requests?caller=9876", f"/callers?queue={SECRET_QUEUE}"]
    reports = [f"/reports/{report}?queue={SECRET_QUEUE}" for report in ("dashboard", "code-caller", "code-caller.xlsx")]
    return [*found, *views, *asked, *reports, f"/audit?caller={secret}", "/audit?caller=0501239876"]


async def prepared(house: House, store: JetStreamEventStore, data_dir: Path) -> tuple[str, str]:
    """A customer of each queue, reserved, with a note, and one who waits in both."""
    secret, seen = await caller_of(store, data_dir, SECRET), await caller_of(store, data_dir, SEEN)
    await lose(store, secret, "1.1", SECRET_QUEUE)
    await lose(store, seen, "1.2", SEEN_QUEUE)
    position = await lose(store, seen, "1.3", SECRET_QUEUE)
    boss = await house.person("boss", "supervisor", extension="300")
    await boss.get("/requests", headers={"Min-Position": str(position)})
    for caller in (secret, seen):
        assert (await boss.put(f"/callers/{caller}/note", json={"text": "x"})).status_code == 200
    answer = await boss.put(f"/callers/{secret}/reservation")
    assert answer.status_code == 200, answer.text
    wait = {"Min-Position": str(answer.json()["position"])}
    assert SECRET in (await boss.get("/requests?view=all", headers=wait)).text
    assert (await boss.get("/audit", headers=wait)).status_code == 200
    assert (await boss.get("/reports/dashboard", headers=wait)).status_code == 200
    return secret, seen


async def everything(house: House, client: httpx.AsyncClient, secret: str, seen: str) -> Told:
    told = Told()
    for path in await reads(house, secret, seen):
        await told.ask(client, path)
    pages = await house.client(client.headers["authorization"].removeprefix("Bearer "), accept="text/html")
    pages.base_url = httpx.URL(house.url)
    for path in (*PAGES, f"/callers/{secret}", f"/callers/{seen}"):
        await told.ask(pages, path)
    return told


@pytest.mark.parametrize("role", ["operator", "supervisor"])
async def test_nothing_of_a_queue_that_one_may_not_see_is_told_anywhere(
    house: House, event_store: JetStreamEventStore, data_dir: Path, role: str
) -> None:
    secret, seen = await prepared(house, event_store, data_dir)
    person = await house.person("rosa", role, queues=[SEEN_QUEUE])
    told = await everything(house, person, secret, seen)
    assert {path for path, status in told.statuses.items() if status >= 500} == set()
    asked_for = {path: body.replace(f"queue={SECRET_QUEUE}", "") for path, body in told.bodies.items()}
    leaks = {path: trace for path, body in asked_for.items() for trace in TRACES if trace in body}
    # A filter that one has typed oneself is repeated in the answer; nothing else may name the queue.
    assert {path: trace for path, trace in leaks.items() if f"queue={SECRET_QUEUE}" not in path} == {}
    assert told.statuses[f"/callers/{secret}/timeline"] == 404
    assert told.statuses[f"/callers/{secret}/note"] == 404
    assert SEEN in told.bodies["/requests?view=recall"] or "345678" in told.bodies["/requests?view=recall"]
    assert "other_queue" in told.bodies[f"/callers/{seen}/timeline"]


async def test_who_may_not_see_whole_numbers_sees_none_anywhere(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    secret, seen = await prepared(house, event_store, data_dir)
    person = await house.person("rosa", "supervisor", masked=True)
    told = await everything(house, person, secret, seen)
    shown = {path for path, body in told.bodies.items() for trace in ("1239876", "123 9876") if trace in body}
    assert {path for path in shown if "0501239876" not in path} == set()
    assert "+39" in told.bodies["/requests?view=all"]


async def test_the_stream_of_changes_tells_nothing_of_another_queue(
    house: House, event_store: JetStreamEventStore, data_dir: Path
) -> None:
    rosa = await house.person("rosa", queues=[SEEN_QUEUE])
    secret, seen = await caller_of(event_store, data_dir, SECRET), await caller_of(event_store, data_dir, SEEN)
    heard: list[str] = []
    async with asyncio.timeout(60), rosa.stream("GET", "/changes?after=0") as stream:
        await lose(event_store, secret, "1.1", SECRET_QUEUE)
        await lose(event_store, seen, "1.2", SEEN_QUEUE)
        async for line in stream.aiter_lines():
            heard.append(line)
            if SEEN in line:
                break
    assert [line for line in heard if any(trace in line for trace in TRACES)] == []


def test_the_walk_knows_every_page() -> None:
    """A page that is added has to be walked too."""
    from richiamo_gateway.pages.navigation import PLACES  # noqa: PLC0415 -- Only here.

    walked: set[Any] = {page.split("?")[0] for page in PAGES}
    assert {place.path for place in PLACES} - walked <= {"/users", "/settings"}
