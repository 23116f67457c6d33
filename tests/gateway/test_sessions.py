"""Does a session open, carry and end as it should?"""

import httpx
import pytest
from sqlalchemy import text

from tests.gateway.conftest import ADMIN_PASSWORD, House

pytestmark = pytest.mark.servers


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    """The body of a problem, checked for the members of RFC 9457."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert str(body["type"]).endswith(f"/{kind}")
    assert body["title"]
    return body


class TestLoggingIn:
    async def test_the_right_password_opens_a_session(self, house: House) -> None:
        admin = await house.admin()
        me = (await admin.get("/session")).json()
        assert (me["username"], me["role"]) == ("admin", "admin")

    async def test_letters_of_either_case_find_the_user(self, house: House) -> None:
        stranger = await house.client()
        answer = await stranger.post("/session", json={"username": " Admin ", "password": ADMIN_PASSWORD})
        assert answer.status_code == 200

    @pytest.mark.parametrize("username", ["admin", "nobody"])
    async def test_a_wrong_password_and_an_unknown_name_are_told_alike(self, house: House, username: str) -> None:
        stranger = await house.client()
        answer = await stranger.post("/session", json={"username": username, "password": "wrong"})
        problem(answer, 401, "wrong-credentials")

    async def test_tries_are_limited_by_name_and_others_are_let_in(self, house: House) -> None:
        stranger = await house.client()
        await house.person("anna")
        for _ in range(10):
            answer = await stranger.post("/session", json={"username": "anna", "password": "guess"})
            assert answer.status_code == 401
        answer = await stranger.post("/session", json={"username": "anna", "password": "pw-anna"})
        body = problem(answer, 429, "too-many-tries")
        assert int(answer.headers["retry-after"]) == body["retry_after"]
        assert (await (await house.admin()).get("/session")).status_code == 200

    async def test_a_body_without_password_is_told_in_words(self, house: House) -> None:
        stranger = await house.client()
        body = problem(await stranger.post("/session", json={"username": "admin"}), 422, "invalid")
        assert body["errors"] == [{"field": "password", "message": "Field required."}]


class TestTheSession:
    async def test_nobody_is_let_in_without_one(self, house: House) -> None:
        stranger = await house.client()
        problem(await stranger.get("/requests"), 401, "not-logged-in")
        problem(await (await house.client("no-such-token")).get("/requests"), 401, "not-logged-in")

    async def test_it_ends_at_logout(self, house: House) -> None:
        admin = await house.admin()
        assert (await admin.delete("/session")).status_code == 204
        problem(await admin.get("/session"), 401, "not-logged-in")

    async def test_it_ends_when_the_user_is_deactivated(self, house: House) -> None:
        anna = await house.person("anna")
        assert (await anna.get("/session")).status_code == 200
        admin = await house.admin()
        assert (await admin.patch("/users/anna", json={"active": False})).status_code == 200
        problem(await anna.get("/session"), 401, "not-logged-in")

    async def test_a_new_password_ends_what_the_old_one_opened(self, house: House) -> None:
        anna = await house.person("anna")
        admin = await house.admin()
        await admin.patch("/users/anna", json={"password": "another-one"})
        problem(await anna.get("/session"), 401, "not-logged-in")
        assert (await (await house.login("anna", "another-one")).get("/session")).status_code == 200

    async def test_the_token_is_kept_nowhere(self, house: House) -> None:
        admin = await house.admin()
        token = admin.headers["authorization"].split()[1]
        async with house.gateway.sessions._engine.connect() as connection:
            rows = (await connection.execute(text("select session::text from gateway.session"))).fetchall()
        assert rows
        assert token not in str(rows)


class TestForeignSites:
    async def test_a_browser_on_another_site_cannot_act(self, house: House) -> None:
        stranger = await house.client()
        credentials = {"username": "admin", "password": ADMIN_PASSWORD}
        foreign = [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
        ]
        for headers in foreign:
            problem(await stranger.post("/session", json=credentials, headers=headers), 403, "foreign-origin")
        own = [{"Sec-Fetch-Site": "same-origin"}, {"Origin": house.url}, {}]
        for headers in own:
            assert (await stranger.post("/session", json=credentials, headers=headers)).status_code == 200

    async def test_a_cookie_carries_a_session(self, house: House) -> None:
        admin = await house.admin()
        token = admin.headers["authorization"].split()[1]
        browser = await house.client(Cookie=f"richiamo={token}")
        assert (await browser.get("/session")).json()["username"] == "admin"
        secure_name = await house.client(Cookie=f"__Host-richiamo={token}")
        problem(await secure_name.get("/session"), 401, "not-logged-in")


class TestEveryAnswer:
    async def test_carries_security_headers(self, house: House) -> None:
        stranger = await house.client()
        for path in ("/requests", "/nothing"):
            headers = (await stranger.get(path)).headers
            assert "script-src 'self'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"

    async def test_is_a_problem_when_it_is_an_error(self, house: House) -> None:
        stranger = await house.client()
        problem(await stranger.get("/nothing"), 404, "not-found")
        refused = await stranger.put("/session")
        problem(refused, 405, "method-not-allowed")
        assert "POST" in refused.headers["allow"]
        problem(await stranger.post("/session", content=b"x" * 3_000_000), 413, "too-large")

    async def test_health_and_metrics_are_there(self, house: House) -> None:
        async with httpx.AsyncClient(base_url=house.url) as client:
            assert (await client.get("/healthz")).status_code == 200
            ready = await client.get("/readyz")
            # These tests run no other service.
            assert (ready.status_code, set(ready.json()["missing"])) == (503, {"queue", "reporting"})
            assert "richiamo_request_seconds" in (await client.get("/metrics")).text
