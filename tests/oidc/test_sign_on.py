"""Do people come in with the company's own account, and nobody else? Against a certified OpenID provider."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from richiamo_kit.servers import free_port
from tests.gateway.conftest import House, listening
from tests.oidc.provider import CLIENT_SECRET, Company, company

pytestmark = pytest.mark.servers

ROLES = {"call-centre": "operator", "leads": "supervisor"}


@dataclass(frozen=True)
class Firm:
    """A Richiamo whose people log in at an identity provider."""

    house: House
    provider: Company

    async def browser(self) -> httpx.AsyncClient:
        # A change of desk hands back what was held, and no queue service is there to be asked.
        client = httpx.AsyncClient(
            base_url=self.house.url, follow_redirects=True, headers={"Accept": "text/html"}, timeout=30
        )
        return await self.house.stack.enter_async_context(client)

    async def comes_back(
        self, browser: httpx.AsyncClient, account: str, wanted: str = "/a-page-that-asks-no-service"
    ) -> httpx.Response:
        """Goes to the provider, types the account's name there, and returns the page it ends on."""
        form = await browser.get("/login/oidc", params={"next": wanted})
        assert str(form.url).startswith(self.provider.issuer), form.text
        place = re.search(r'action="([^"]+)"', form.text)
        assert place is not None
        return await browser.post(f"{self.provider.issuer}{place[1]}", data={"account": account})

    async def user(self, username: str) -> dict[str, object]:
        users = (await (await self.house.admin()).get("/users")).json()
        return next(user for user in users["items"] if user["username"] == username)


@pytest_asyncio.fixture
async def firm(nats_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[Firm]:
    port = free_port()
    secret = tmp_path / "client-secret"
    secret.write_text(CLIENT_SECRET)
    async with company(tmp_path, f"http://127.0.0.1:{port}/login/oidc/callback") as provider:
        more = {
            "gateway_port": port,
            "oidc_issuer": provider.issuer,
            "oidc_name": "Example",
            "oidc_client_secret_file": secret,
            "oidc_roles": ROLES,
        }
        async with listening(nats_url, database_url, **more) as house:
            yield Firm(house, provider)


async def who(browser: httpx.AsyncClient) -> tuple[int, object]:
    answer = await browser.get("/api/v1/session")
    return answer.status_code, answer.json().get("username")


class TestComingIn:
    async def test_the_first_time_makes_the_user_with_the_role_of_the_group(self, firm: Firm) -> None:
        firm.provider.employs("a1", name="Anna Bianchi", preferred_username="anna", groups=["staff", "leads"])
        browser = await firm.browser()
        await firm.comes_back(browser, "a1")
        assert await who(browser) == (200, "anna")
        anna = await firm.user("anna")
        assert (anna["name"], anna["role"]) == ("Anna Bianchi", "supervisor")

    async def test_another_role_at_the_provider_counts_from_the_next_time_and_the_extension_stays(
        self, firm: Firm
    ) -> None:
        firm.provider.employs("a1", name="Anna", preferred_username="anna", groups=["call-centre"])
        await firm.comes_back(await firm.browser(), "a1")
        await (await firm.house.admin()).patch("/users/anna", json={"extension": "201"})
        firm.provider.employs("a1", name="Anna", preferred_username="renamed", groups=["call-centre", "leads"])
        browser = await firm.browser()
        await firm.comes_back(browser, "a1")
        assert await who(browser) == (200, "anna")
        anna = await firm.user("anna")
        assert (anna["role"], anna["extension"]) == ("supervisor", "201")

    async def test_one_gets_to_the_page_one_wanted(self, firm: Firm) -> None:
        firm.provider.employs("a1", preferred_username="anna", groups=["leads"])
        page = await firm.comes_back(await firm.browser(), "a1", "/nowhere?recalled_min=2")
        assert page.request.url.raw_path == b"/nowhere?recalled_min=2"

    async def test_an_operator_without_an_extension_is_asked_for_the_desk_of_today(self, firm: Firm) -> None:
        firm.provider.employs("a1", preferred_username="anna", groups=["call-centre"])
        wanted = "/a-page-that-asks-no-service?recalled_min=2"
        browser = await firm.browser()
        page = await firm.comes_back(browser, "a1", wanted)
        assert page.status_code == 200
        assert page.url.path == "/login/desk"
        await (await firm.house.admin()).post(
            "/users", json={"username": "bruno", "password": "pw-bruno-1", "name": "Bruno", "role": "operator"}
        )
        answer = await (await firm.house.client()).post(
            "/session", json={"username": "bruno", "password": "pw-bruno-1", "extension": "210"}
        )
        assert answer.status_code == 200
        chosen = {"extension": "210", "next": page.url.params["next"]}
        taken = await browser.post("/login/desk", data=chosen)
        assert taken.status_code == 409
        assert "Bruno" in taken.text
        assert 'value="210"' in taken.text
        assert (await browser.post("/login/desk", data=chosen | {"extension": "abc"})).status_code == 422
        there = await browser.post("/login/desk", data=chosen | {"extension": "211"})
        assert there.request.url.raw_path == wanted.encode()
        assert (await firm.user("anna"))["extension"] == "211"
        elsewhere = await browser.post("/login/desk", data={"next": "//evil.example/"})
        assert elsewhere.url.host == "127.0.0.1"

    async def test_who_has_an_extension_goes_straight_on(self, firm: Firm) -> None:
        firm.provider.employs("a1", preferred_username="anna", groups=["call-centre"])
        await firm.comes_back(await firm.browser(), "a1")
        await (await firm.house.admin()).patch("/users/anna", json={"extension": "201"})
        page = await firm.comes_back(await firm.browser(), "a1")
        assert page.url.path == "/a-page-that-asks-no-service"

    async def test_without_password_only_the_provider_lets_them_in(self, firm: Firm) -> None:
        firm.provider.employs("a1", preferred_username="anna", groups=["leads"])
        await firm.comes_back(await firm.browser(), "a1")
        stranger = await firm.house.client()
        for password in ("", "None"):
            answer = await stranger.post("/session", json={"username": "anna", "password": password})
            assert answer.status_code in {401, 422}


class TestBeingKeptOut:
    @pytest.mark.parametrize(
        ("claims", "sentence"),
        [
            ({"preferred_username": "anna", "groups": ["canteen"]}, "no role in Richiamo"),
            ({"preferred_username": "anna"}, "no role in Richiamo"),
            ({"groups": ["leads"]}, "no user name"),
            ({"preferred_username": "anna *>", "groups": ["leads"]}, "no user name"),
            ({"preferred_username": "admin", "groups": ["leads"]}, "already belongs to a user"),
        ],
    )
    async def test_the_log_in_page_says_why(self, firm: Firm, claims: dict[str, object], sentence: str) -> None:
        firm.provider.employs("a1", **claims)
        browser = await firm.browser()
        browser.headers["Accept-Language"] = "en"
        page = await firm.comes_back(browser, "a1")
        assert page.status_code == 401
        assert sentence in html.unescape(page.text)
        assert (await who(browser))[0] == 401

    async def test_a_deactivated_user_stays_out(self, firm: Firm) -> None:
        firm.provider.employs("a1", preferred_username="anna", groups=["leads"])
        await firm.comes_back(await firm.browser(), "a1")
        await (await firm.house.admin()).patch("/users/anna", json={"active": False})
        browser = await firm.browser()
        browser.headers["Accept-Language"] = "en"
        assert "deactivated" in (await firm.comes_back(browser, "a1")).text
        assert (await who(browser))[0] == 401

    async def test_an_answer_counts_once_and_in_the_browser_that_asked(self, firm: Firm) -> None:
        firm.provider.employs("a1", preferred_username="anna", groups=["leads"])
        browser = await firm.browser()
        page = await firm.comes_back(browser, "a1")
        answer = next(one.request.url for one in page.history if one.request.url.path == "/login/oidc/callback")
        for other in (await firm.browser(), browser):
            assert (await other.get(str(answer))).status_code == 401

    async def test_a_provider_that_is_away_is_told_and_passwords_still_work(
        self, nats_url: str, database_url: str
    ) -> None:
        async with listening(nats_url, database_url, oidc_issuer=f"http://127.0.0.1:{free_port()}") as house:
            async with httpx.AsyncClient(base_url=house.url, headers={"Accept-Language": "en"}) as browser:
                page = await browser.get("/login/oidc")
            assert page.status_code == 503
            assert "does not answer" in page.text
            assert (await (await house.admin()).get("/session")).status_code == 200
