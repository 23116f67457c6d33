"""Is an extension one person's alone while they are logged in, and whose is it after? And where is somebody logged in?"""

import asyncio

import httpx
import pytest
from sqlalchemy import text

from tests.gateway.conftest import House
from tests.gateway.test_sessions import problem

pytestmark = pytest.mark.servers


async def come(house: House, username: str, extension: str = "") -> httpx.Response:
    stranger = await house.client()
    body = {"username": username, "password": f"pw-{username}", "extension": extension}
    return await stranger.post("/session", json=body)


async def at(house: House, username: str, extension: str = "") -> httpx.AsyncClient:
    answer = await come(house, username, extension)
    assert answer.status_code == 200, answer.text
    return await house.client(answer.json()["token"])


async def gone(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/session")).status_code == 204


def extension_of(house: House, username: str) -> str:
    found = house.gateway.site.operators.get(username)
    assert found is not None
    return found.extension


class TestDesks:
    async def test_an_extension_is_chosen_at_the_log_in_and_given_back_at_the_log_out(self, house: House) -> None:
        await gone(await house.person("anna"))
        anna = await at(house, "anna", "210")
        assert (await anna.get("/session")).json()["extension"] == "210"
        await gone(anna)
        assert extension_of(house, "anna") == ""

    async def test_who_is_there_is_named_to_who_comes_second_and_no_session_is_left(self, house: House) -> None:
        for name in ("anna", "bruno"):
            await gone(await house.person(name))
        await at(house, "anna", "210")
        body = problem(await come(house, "bruno", "210"), 409, "extension-taken")
        assert (body["username"], body["name"]) == ("anna", "Anna")
        assert "Anna" in str(body["title"])
        assert await house.gateway.sessions.open_of("bruno") == []
        assert extension_of(house, "bruno") == ""

    async def test_of_two_who_come_at_once_one_sits_there(self, house: House) -> None:
        for name in ("anna", "bruno"):
            await gone(await house.person(name))
        answers = await asyncio.gather(come(house, "anna", "210"), come(house, "bruno", "210"))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert sorted(extension_of(house, name) for name in ("anna", "bruno")) == ["", "210"]

    async def test_an_extension_of_somebody_who_is_away_is_lent_and_comes_back(self, house: House) -> None:
        await gone(await house.person("anna", extension="201"))
        await gone(await house.person("bruno", extension="202"))
        bruno = await at(house, "bruno", "201")
        assert (extension_of(house, "anna"), extension_of(house, "bruno")) == ("", "201")
        anna = await at(house, "anna")
        assert extension_of(house, "anna") == "", "a colleague works there now"
        await gone(anna)
        await gone(bruno)
        assert extension_of(house, "bruno") == "202"
        await at(house, "anna")
        assert extension_of(house, "anna") == "201"

    async def test_a_desk_is_free_again_when_the_last_session_ran_out(self, house: House) -> None:
        await gone(await house.person("anna"))
        await gone(await house.person("bruno", extension="202"))
        await at(house, "anna", "210")
        bruno = await at(house, "bruno", "203")
        await house.gateway.desks.free()
        assert (extension_of(house, "anna"), extension_of(house, "bruno")) == ("210", "203"), "both are there"
        engine = house.gateway.sessions._engine
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE gateway.session SET expires_at = now() WHERE username = 'anna'"))
        before = await house.gateway.log_end()
        await asyncio.gather(house.gateway.desks.free(), house.gateway.desks.free())
        assert (extension_of(house, "anna"), extension_of(house, "bruno")) == ("", "203")
        assert await house.gateway.log_end() == before + 1, "said once, whoever looks"
        assert (await bruno.patch("/session", json={"extension": "210"})).json()["extension"] == "210"

    async def test_it_can_be_changed_and_what_is_no_extension_is_refused(self, house: House) -> None:
        anna = await house.person("anna", extension="201")
        assert (await anna.patch("/session", json={"extension": "210"})).json()["extension"] == "210"
        problem(await anna.patch("/session", json={"extension": "abc"}), 422, "invalid")
        assert (await anna.patch("/session", json={"extension": ""})).json()["extension"] == "201"

    async def test_an_administrators_word_is_the_new_home(self, house: House) -> None:
        anna = await house.person("anna", extension="201")
        await anna.patch("/session", json={"extension": "210"})
        await (await house.admin()).patch("/users/anna", json={"extension": "220"})
        await gone(anna)
        assert extension_of(house, "anna") == "220"


class TestSessions:
    async def test_ones_own_are_listed_and_ended(self, house: House) -> None:
        here = await house.person("anna")
        there = await at(house, "anna")
        listed = (await here.get("/sessions")).json()["items"]
        assert [one["current"] for one in listed].count(True) == 1
        assert all(one["device"].startswith("python-httpx") and one["created_at"] for one in listed)
        other = next(one["id"] for one in listed if not one["current"])
        assert (await here.delete(f"/sessions/{other}")).status_code == 204
        problem(await there.get("/requests"), 401, "not-logged-in")
        assert (await here.get("/session")).status_code == 200
        problem(await here.delete(f"/sessions/{other}"), 404, "not-found")

    async def test_nobody_ends_those_of_others_but_an_administrator(self, house: House) -> None:
        anna, bruno, admin = await house.person("anna"), await house.person("bruno"), await house.admin()
        (session,) = (await admin.get("/users/anna/sessions")).json()["items"]
        problem(await bruno.delete(f"/sessions/{session['id']}"), 404, "not-found")
        problem(await bruno.get("/users/anna/sessions"), 403, "not-allowed")
        problem(await bruno.delete(f"/users/anna/sessions/{session['id']}"), 403, "not-allowed")
        assert (await admin.delete(f"/users/anna/sessions/{session['id']}")).status_code == 204
        problem(await anna.get("/session"), 401, "not-logged-in")
        problem(await admin.get("/users/nobody/sessions"), 404, "not-found")

    async def test_a_table_of_an_earlier_version_gets_its_column(self, house: House) -> None:
        engine = house.gateway.sessions._engine
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE gateway.session DROP COLUMN device"))
        from richiamo_gateway.auth import schema  # noqa: PLC0415 -- Only here.

        await schema.prepare(engine)
        assert await house.gateway.sessions.open_of("anna") == []
