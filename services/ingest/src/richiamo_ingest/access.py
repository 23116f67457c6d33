"""May this sender report calls? Basic credentials in constant time; without any set, loopback only."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class Access:
    """The credentials that the PBX must present; an empty user means that none are asked."""

    user: str
    password: str

    def allows(self, authorization: str | None, sender: str | None) -> bool:
        """Whether a request with this `Authorization` header from this address is let in."""
        if not self.user:
            return _is_loopback(sender)
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
        except (binascii.Error, ValueError):
            given = b""
        return hmac.compare_digest(given, f"{self.user}:{self.password}".encode())


def _is_loopback(sender: str | None) -> bool:
    try:
        return sender is not None and ip_address(sender.partition("%")[0]).is_loopback
    except ValueError:
        return False
