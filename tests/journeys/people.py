"""Who uses the system in a journey? Clients of the JSON API, logged in."""

import itertools
from dataclasses import dataclass
from typing import Any

import httpx

from tests.journeys.system import ADMIN_PASSWORD, System

PASSWORD = "parola-segreta-9"
_extensions = itertools.count(301)
Item = dict[str, Any]


@dataclass(slots=True)
class Person:
    """A user at the JSON API; `api` carries the token."""

    username: str
    extension: str
    api: httpx.Client

    def requests(self, view: str, *, queue: str, **others: Any) -> list[Item]:
        """The items of one of the lists, of one queue."""
        answer = self.api.get("/requests", params={"view": view, "queue": queue, "limit": 1000, **others})
        assert answer.status_code == 200, answer.text
        items: list[Item] = answer.json()["items"]
        return items

    def reserve(self, caller_id: str, **headers: str) -> httpx.Response:
        return self.api.put(f"/callers/{caller_id}/reservation", headers=headers)

    def release(self, caller_id: str) -> httpx.Response:
        return self.api.delete(f"/callers/{caller_id}/reservation")

    def dial(self, caller_id: str) -> httpx.Response:
        return self.api.post(f"/callers/{caller_id}/recalls")

    def report(self, name: str, **parameters: Any) -> Any:
        answer = self.api.get(f"/reports/{name}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


def log_in(system: System, username: str, password: str, extension: str = "") -> Person:
    answer = httpx.post(
        f"{system.gateway}/api/v1/session", json={"username": username, "password": password}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    token = answer.json()["token"]
    api = system.client(f"{system.gateway}/api/v1", headers={"Authorization": f"Bearer {token}"})
    return Person(username, extension, api)


def admin(system: System) -> Person:
    return log_in(system, "admin", ADMIN_PASSWORD)


def hire(system: System, username: str, role: str = "operator", name: str = "") -> Person:
    """Create a user with an extension nobody else has, and log in."""
    extension = str(next(_extensions))
    answer = admin(system).api.post(
        "/users",
        json={
            "username": username,
            "password": PASSWORD,
            "name": name or username.title(),
            "role": role,
            "extension": extension,
            "queues": [],
            "language": "it",
        },
    )
    assert answer.status_code in {200, 201}, answer.text
    return log_in(system, username, PASSWORD, extension)
