"""Does a list keep the look that its reader gave it, and nothing else?"""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from richiamo_gateway.looks.look import MOST_VIEWS, Look, View, as_json, from_json
from tests.gateway.conftest import House

names = st.text(min_size=1, max_size=70)
views = st.builds(View, names, st.text(max_size=20))


@given(st.lists(views, max_size=MOST_VIEWS + 5))
def test_a_name_stands_for_one_view_the_newest(kept: list[View]) -> None:
    look = Look()
    for view in kept:
        look = look.naming("/audit", view)
    shown = look.of("/audit").views
    assert len({one.name.casefold() for one in shown}) == len(shown) <= MOST_VIEWS
    assert list(shown) == sorted(shown, key=lambda one: one.name.casefold())
    assert from_json(as_json(look.lists)) == dict(look.lists)
    for view in shown:
        look = look.forgetting("/audit", view.name)
    assert look.of("/audit").views == ()


def test_what_there_is_not_changes_nothing() -> None:
    assert Look().dense("gigantic") == Look()
    assert Look().naming("/audit", View("   ", "who=anna")) == Look()
    assert Look().dense("compact").of("/flush") == Look().of("/flush")


@pytest.mark.servers
async def test_two_tabs_at_once_lose_nothing_and_nobody_touches_the_lists_of_others(house: House) -> None:
    anna = await _pages(house, "anna")
    answers = await asyncio.gather(
        *(
            anna.post("/lists/views", data={"path": "/missed-calls", "name": f"v{n}", "query": f"queue={n}"})
            for n in range(8)
        ),
        *(
            anna.post("/lists/look", data={"path": "/missed-calls", "column": "calls", "density": "compact"})
            for _ in range(2)
        ),
    )
    assert {answer.status_code for answer in answers} == {303}
    assert {answer.headers["location"].partition("?")[0] for answer in answers} == {"/missed-calls"}
    look = await house.gateway.looks.of("anna")
    assert [view.name for view in look.of("/missed-calls").views] == [f"v{n}" for n in range(8)]
    assert set(look.of("/missed-calls").hidden) == {"queue", "recalled", "last_recall", "first_call", "last_call"}
    assert look.density == "compact"
    assert await house.gateway.looks.of("bruno") == Look()


@pytest.mark.servers
async def test_a_list_that_is_not_theirs_or_nowhere_is_refused(house: House) -> None:
    anna = await _pages(house, "anna")
    for path in ("/flush", "https://elsewhere.example", "//elsewhere.example", "/users"):
        for what in ("look", "views", "views/remove"):
            answer = await anna.post(f"/lists/{what}", data={"path": path, "name": "x"})
            assert answer.status_code == 404, (path, what)
    assert (await anna.post("/lists/views", data={"path": "/missed-calls", "name": ""})).status_code == 422
    statuses = []
    for number in range(MOST_VIEWS + 1):
        answer = await anna.post(
            "/lists/views", data={"path": "/missed-calls", "name": f"{number}", "query": f"queue={number}"}
        )
        statuses.append(answer.status_code)
    assert statuses == [303] * MOST_VIEWS + [409]
    assert len((await house.gateway.looks.of("anna")).of("/missed-calls").views) == MOST_VIEWS


async def _pages(house: House, username: str) -> httpx.AsyncClient:
    person = await house.person(username)
    person.base_url = httpx.URL(house.url)
    return person
