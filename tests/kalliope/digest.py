"""How does a Kalliope recognise a REST client? The `X-authenticate` header, its digest and its clock."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

WINDOW = timedelta(minutes=5)
_HEADER = re.compile(r'(\w+)="([^"]*)"')
_NONCE = re.compile(r"[0-9a-fA-F]{8,}")


def password_digest(password: str, salt: str) -> str:
    return hashlib.sha256(f"{password}{{{salt}}}".encode()).hexdigest()


def digest(password: str, salt: str, *, username: str, domain: str, nonce: str, created: str) -> str:
    text = nonce + password_digest(password, salt) + username + domain + created
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def header(password: str, salt: str, *, username: str, domain: str, nonce: str, created: str) -> str:
    """The whole header value as a client must send it, once for each nonce."""
    made = digest(password, salt, username=username, domain=domain, nonce=nonce, created=created)
    return (
        f'RestApiUsernameToken Username="{username}", Domain="{domain}", '
        f'Digest="{made}", Nonce="{nonce}", Created="{created}"'
    )


class NotRecognised(Exception):
    """The header was refused; the message says what a PBX would keep to itself."""


@dataclass(slots=True)
class Doorkeeper:
    """Checks headers: digest, a clock within five minutes, and nonces used once in five minutes."""

    passwords: dict[str, str]
    salt: str
    domain: str
    clock: Callable[[], datetime]
    _seen: dict[str, datetime] = field(default_factory=dict)

    def username(self, value: str | None) -> str:
        """Who sent this header; raises `NotRecognised`."""
        if value is None or not value.startswith("RestApiUsernameToken "):
            raise NotRecognised("no header")
        given: dict[str, str] = dict(_HEADER.findall(value))
        if set(given) != {"Username", "Domain", "Digest", "Nonce", "Created"}:
            raise NotRecognised("not these five fields")
        self._check_time(given["Created"])
        self._check_nonce(given["Nonce"])
        password = self.passwords.get(given["Username"])
        if password is None or given["Domain"] != self.domain:
            raise NotRecognised("unknown user or domain")
        expected = digest(
            password,
            self.salt,
            username=given["Username"],
            domain=given["Domain"],
            nonce=given["Nonce"],
            created=given["Created"],
        )
        if expected != given["Digest"]:
            raise NotRecognised("wrong digest")
        return given["Username"]

    def _check_time(self, created: str) -> None:
        try:
            instant = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise NotRecognised("created is no instant") from error
        if abs(self.clock() - instant) > WINDOW:
            raise NotRecognised("clocks differ")

    def _check_nonce(self, nonce: str) -> None:
        if not _NONCE.fullmatch(nonce):
            raise NotRecognised("nonce is too short or not hexadecimal")
        now = self.clock()
        self._seen = {seen: at for seen, at in self._seen.items() if now - at <= WINDOW}
        if nonce in self._seen:
            raise NotRecognised("nonce used before")
        self._seen[nonce] = now
