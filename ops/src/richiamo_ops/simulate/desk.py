"""What do the simulated operators do? They log in, reserve, put back and ring, over the JSON API."""

from collections.abc import Sequence

import httpx

from richiamo_ops.simulate.people import Operator
from richiamo_ops.simulate.steps import DeskStep, Dial, Release, Reserve
from richiamo_ops.simulate.tally import Tally

_API = "/api/v1"


class NotStaffed(Exception):
    """The operators could not be set up; the message says why in one plain sentence."""


class Desks:
    """All operators at their desks, each with a session of their own."""

    def __init__(self, client: httpx.AsyncClient, tally: Tally) -> None:
        self._client = client
        self._tally = tally
        self._tokens: dict[str, str] = {}
        self.dialled: set[str] = set()
        """The dials that Richiamo allowed: only of these will the PBX have a call record."""

    async def staff(self, admin_password: str, operators: Sequence[Operator], password: str) -> None:
        """Create the users that are missing, then log everybody in.

        Raises `NotStaffed` when the administrator or an operator cannot log in.
        """
        admin = await self._log_in("admin", admin_password)
        listed = await self._client.get(f"{_API}/users", headers=_bearer(admin))
        _expect(listed, httpx.codes.OK, "could not list the users")
        answer = listed.json()
        users = answer["items"] if isinstance(answer, dict) else answer
        known = {user["username"] for user in users}
        for operator in operators:
            if operator.username not in known:
                created = await self._client.post(
                    f"{_API}/users", json=_user(operator, password), headers=_bearer(admin)
                )
                _expect(created, httpx.codes.CREATED, f"could not create {operator.username}")
            self._tokens[operator.username] = await self._log_in(operator.username, password)

    async def act(self, step: DeskStep) -> None:
        """Do one thing at a desk; what the server refuses is counted, never raised."""
        try:
            caller = await self._find(step)
            if caller is None:
                self._tally.add("gone")
                return
            match step:
                case Reserve():
                    await self._command("reserved", "PUT", f"/callers/{caller}/reservation", step)
                case Release():
                    await self._command("released", "DELETE", f"/callers/{caller}/reservation", step)
                case Dial():
                    if await self._command("dialled", "POST", f"/callers/{caller}/recalls", step):
                        self.dialled.add(step.dial)
        except httpx.TransportError as error:
            self._tally.add("unreachable")
            self._tally.problem = f"the gateway did not answer ({type(error).__name__})"

    async def _find(self, step: DeskStep) -> str | None:
        """The caller's id, from the list where this operator would see the row."""
        view = "recall" if isinstance(step, Reserve) else "mine"
        response = await self._client.get(
            f"{_API}/requests",
            params={"view": view, "caller": step.number.removeprefix("+"), "limit": 1},
            headers=self._headers(step.operator),
        )
        if response.status_code != httpx.codes.OK:
            self._tally.problem = f"the list answered {response.status_code}: {response.text[:120]}"
            return None
        items = response.json()["items"]
        return str(items[0]["caller_id"]) if items else None

    async def _command(self, what: str, method: str, path: str, step: DeskStep) -> bool:
        response = await self._client.request(method, f"{_API}{path}", headers=self._headers(step.operator))
        if response.is_success:
            self._tally.add(what)
            return True
        if response.status_code == httpx.codes.CONFLICT:
            self._tally.add("conflicts")
        else:
            self._tally.problem = f"{what}: {response.status_code} {response.text[:120]}"
        return False

    async def _log_in(self, username: str, password: str) -> str:
        response = await self._client.post(f"{_API}/session", json={"username": username, "password": password})
        _expect(response, httpx.codes.OK, f"{username} could not log in")
        return str(response.json()["token"])

    def _headers(self, username: str) -> dict[str, str]:
        return _bearer(self._tokens[username])


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _user(operator: Operator, password: str) -> dict[str, object]:
    return {
        "username": operator.username,
        "password": password,
        "name": operator.name,
        "role": "operator",
        "extension": operator.extension,
        "queues": [],
        "language": "it",
    }


def _expect(response: httpx.Response, status: int, sentence: str) -> None:
    created = {httpx.codes.OK, httpx.codes.CREATED}
    if response.status_code != status and response.status_code not in created:
        raise NotStaffed(f"{sentence}: {response.status_code} {response.text[:200]}")
