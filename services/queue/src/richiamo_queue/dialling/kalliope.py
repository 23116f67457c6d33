"""How does a Kalliope ring both phones? Click to call over REST, with a login that is used once.

Protocol: `docs/connect-kalliope.md`. The PBX rings the operator first, then the customer, and does not say
which call that will be: the tracker matches its record.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
import structlog

from richiamo_events.ids import DialId
from richiamo_kit.clock import Clock
from richiamo_queue.dialling.port import DialFailed, Dialled, How

_SALT_LIMIT = 4096

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KalliopeAccount:
    """Where the PBX is and who dials. `verb` is GET or POST: the vendor does not say which."""

    url: str
    domain: str
    username: str
    password: str
    verb: str = "GET"
    timeout_seconds: float = 8.0


class KalliopeDialler:
    """Dials through the PBX's REST interface; `spell` makes of a number what the PBX dials."""

    how: How = "kalliope"
    rings = True

    def __init__(self, account: KalliopeAccount, spell: Callable[[str], str], clock: Clock) -> None:
        self._account = account
        self._spell = spell
        self._clock = clock

    async def dial(self, number: str, extension: str, dial: DialId) -> Dialled:
        """Ask once. An answer that does not come in time may mean that it rings: that is no failure (rule 7)."""
        if not extension:
            raise DialFailed("You have no extension that could ring.")
        account = self._account
        path = f"/rest/phoneServices/c2c/{quote(self._spell(number), safe='')}/{quote(extension, safe='')}"
        async with httpx.AsyncClient(base_url=account.url, timeout=account.timeout_seconds) as client:
            try:
                salt = await self._salt(client)
            except httpx.HTTPError as error:
                raise DialFailed("The PBX does not answer.") from error
            header = authenticate(account, salt, nonce=secrets.token_hex(16), created=self._clock.now())
            try:
                answer = await client.request(account.verb, path, headers={"X-authenticate": header})
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise DialFailed("The PBX does not answer.") from error
            except httpx.HTTPError as error:
                _log.warning("dial_answer_lost", dial=dial, error=type(error).__name__)
                return Dialled("kalliope")
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise DialFailed("The PBX refused the login for click to call: check user, password and clock.")
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise DialFailed("The PBX does not let this user dial: it needs the right of click2call.")
        if not answer.is_success:
            raise DialFailed(f"The PBX refused the call (HTTP {answer.status_code}).")
        return Dialled("kalliope")

    async def _salt(self, client: httpx.AsyncClient) -> str:
        answer = await client.get(
            f"/rest/salt/{quote(self._account.domain, safe='')}", headers={"Accept": "application/json"}
        )
        if not answer.is_success:
            raise DialFailed(f"The PBX knows no domain {self._account.domain} (HTTP {answer.status_code}).")
        salt = _read_salt(answer)
        if not salt:
            raise DialFailed("The PBX answered no salt for the login.")
        return salt


def _read_salt(answer: httpx.Response) -> str:
    """JSON, or XML from a PBX that ignores what was asked for."""
    text = answer.text[:_SALT_LIMIT]
    try:
        told = answer.json()
    except ValueError:
        if "<!" in text:
            return ""
        try:
            return (ET.fromstring(text).findtext(".//salt") or "").strip()  # noqa: S314 - no DTD passes the line above
        except ET.ParseError:
            return ""
    return str(told.get("salt", "")) if isinstance(told, dict) else ""


def authenticate(account: KalliopeAccount, salt: str, *, nonce: str, created: datetime) -> str:
    """The value of `X-authenticate`, good for one request within five minutes of `created`."""
    at = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    secret = hashlib.sha256(f"{account.password}{{{salt}}}".encode()).hexdigest()
    text = nonce + secret + account.username + account.domain + at
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return (
        f'RestApiUsernameToken Username="{account.username}", Domain="{account.domain}", '
        f'Digest="{digest}", Nonce="{nonce}", Created="{at}"'
    )
