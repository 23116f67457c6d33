"""May this sender report calls? By address, by the certificate a proxy checked, or by Basic credentials.

Who guesses is refused after some wrong tries, by address and user, without being compared any more. A sender
that has shown the right credentials is known and never refused for what others try: calls are at stake, and
however many come they are taken or spooled.
"""

import base64
import binascii
import hmac
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from richiamo_kit.clock import Clock

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

TRIES = 10
"""Wrong tries of one address for one user within a minute, after which the next is refused unseen."""
TRIES_OF_ADDRESS = 50
"""The same for one address, whatever users it names."""
WITHIN = timedelta(minutes=1)
_REMEMBERED = 10_000
_LONGEST_NAME = 64


class Entry(Enum):
    """What the door says."""

    IN = auto()
    WRONG_CREDENTIALS = auto()
    TOO_MANY_TRIES = auto()
    WRONG_ADDRESS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What lets a sender in.

    `user` empty: no credentials are asked, and then only this machine is let in, unless a certificate is asked for.
    `addresses` empty: any address may try. `certificate` is the header in which a proxy of `proxies` passes on the
    name of the certificate that it checked, and the name that is right; from anybody else the header means nothing.
    """

    user: str = ""
    password: str = ""
    addresses: Sequence[Network] = ()
    proxies: Sequence[Network] = ()
    certificate: tuple[str, str] | None = None


class WrongTries:
    """Counts wrong tries by key within the last minute; forgets the oldest keys when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: OrderedDict[object, list[datetime]] = OrderedDict()

    def exceeded(self, key: object, most: int) -> bool:
        since = self._clock.now() - WITHIN
        return sum(at > since for at in self._tries.get(key, ())) >= most

    def count(self, key: object, most: int) -> None:
        self._tries[key] = [*self._tries.pop(key, ())[1 - most :], self._clock.now()]
        while len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)


@dataclass(slots=True)
class Access:
    """The door of one process; it remembers in memory whom it knows and who guessed."""

    keys: Keys
    clock: Clock
    _known: OrderedDict[object, None] = field(default_factory=OrderedDict)
    _wrong: WrongTries = field(init=False)

    def __post_init__(self) -> None:
        self._wrong = WrongTries(self.clock)

    def enter(self, headers: Mapping[str, str], peer: str | None) -> Entry:
        """Whether a request with these headers (names in lower case) from this machine is let in."""
        keys = self.keys
        direct = _address(peer)
        proxied = direct is not None and _inside(direct, keys.proxies)
        sender = self._sender(direct, headers) if proxied else direct
        if keys.addresses and not (sender is not None and _inside(sender, keys.addresses)):
            return Entry.WRONG_ADDRESS
        if keys.certificate and proxied and _same(headers.get(keys.certificate[0].lower(), ""), keys.certificate[1]):
            return Entry.IN
        if not keys.user:
            alone = sender is not None and sender.is_loopback and not keys.certificate
            return Entry.IN if alone else Entry.WRONG_CREDENTIALS
        return self._by_credentials(headers.get("authorization", ""), _neighbourhood(sender))

    def _by_credentials(self, authorization: str, place: object) -> Entry:
        given = _basic(authorization)
        by_user = (place, given.partition(b":")[0][:_LONGEST_NAME])
        guessed = self._wrong.exceeded(by_user, TRIES) or self._wrong.exceeded(place, TRIES_OF_ADDRESS)
        if guessed and place not in self._known:
            return Entry.TOO_MANY_TRIES
        if hmac.compare_digest(given, f"{self.keys.user}:{self.keys.password}".encode()):
            self._known[place] = None
            self._known.move_to_end(place)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return Entry.IN
        if given:  # Who sends nothing yet only asks what is wanted.
            self._wrong.count(by_user, TRIES)
            self._wrong.count(place, TRIES_OF_ADDRESS)
        return Entry.WRONG_CREDENTIALS

    def _sender(self, proxy: Address | None, headers: Mapping[str, str]) -> Address | None:
        """Who stands before our proxies: the last address of `X-Forwarded-For` that is none of them."""
        hops = [_address(hop.strip()) for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
        for hop in reversed(hops):
            if hop is None or not _inside(hop, self.keys.proxies):
                return hop
        return hops[0] if hops else proxy


def _basic(authorization: str) -> bytes:
    scheme, _, encoded = authorization.partition(" ")
    try:
        return base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _inside(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str | None) -> Address | None:
    try:
        found = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _neighbourhood(sender: Address | None) -> object:
    """Whom tries are counted for: an IPv4 address, or the network of 64 bits that one IPv6 user has."""
    return IPv6Network((int(sender), 64), strict=False) if isinstance(sender, IPv6Address) else sender
