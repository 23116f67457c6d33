"""How does one ask a Kalliope over REST? A log-in that is used once, and in words what went wrong.

Protocol: the vendor's API paper, as `docs/connect-kalliope.md` uses it. The salt is told to anybody; every
request carries a digest made with a nonce of its own, good while the two clocks are within five minutes.
"""

import base64
import hashlib
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import httpx

from richiamo_kit.clock import Clock

CLOCKS_APART_MINUTES = 5
"""How far the two clocks may be apart before the PBX refuses every log-in."""
_SALT_LIMIT = 4096


class Trouble(StrEnum):
    """What keeps the PBX from answering, one word for each remedy."""

    NOT_SET_UP = "not_set_up"
    ADDRESS = "address"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    SLOW = "slow"
    NO_KALLIOPE = "no_kalliope"
    DOMAIN = "domain"
    CLOCK = "clock"
    CREDENTIALS = "credentials"
    RIGHTS = "rights"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    MASKED = "masked"
    TIMEZONE = "timezone"
    AMI_NOT_SET_UP = "ami_not_set_up"
    NO_AMI = "no_ami"
    NOT_KEPT = "not_kept"


SENTENCES: Mapping[Trouble, str] = {
    Trouble.NOT_SET_UP: "The PBX's address, the user or the password for call records is missing: set all three.",
    Trouble.ADDRESS: "The address of the PBX is no address: write https:// and its host.",
    Trouble.UNREACHABLE: "The PBX cannot be reached: check its address, the network and the firewall.",
    Trouble.CERTIFICATE: "The PBX's certificate is not trusted: give its certificate in RICHIAMO_PBX_CA_FILE.",
    Trouble.SLOW: "The PBX takes too long to answer.",
    Trouble.NO_KALLIOPE: "At this address something else than a Kalliope answers: it tells no salt for the log-in.",
    Trouble.DOMAIN: "The PBX knows no domain {domain}: check the domain.",
    Trouble.CLOCK: "The clock of the PBX is {minutes} minutes off Richiamo's: set both by NTP.",
    Trouble.CREDENTIALS: "The PBX refuses user or password.",
    Trouble.RIGHTS: "The PBX knows the user, but gives no right to do this: give it that right on the PBX.",
    Trouble.REFUSED: "The PBX refused the request (HTTP {status}).",
    Trouble.TOO_LARGE: "The PBX answered more call records than can be taken at once.",
    Trouble.UNREADABLE: "The PBX's answer cannot be read: {reason}",
    Trouble.MASKED: (
        "The PBX hides the last digits of its numbers (xxx). Read or send the records as a PBX user who has the "
        "right to see whole numbers."
    ),
    Trouble.AMI_NOT_SET_UP: "No AMI is named: set RICHIAMO_AMI_HOST and RICHIAMO_AMI_SECRET_FILE and start again.",
    Trouble.NO_AMI: "The AMI does not answer as one: {reason}",
    Trouble.NOT_KEPT: "The PBX answered, but Richiamo could not keep the call records ({reason}): its log says why.",
    Trouble.TIMEZONE: "The PBX's times are {hours} hours off: its time zone is not {timezone}.",
}


class PbxTrouble(Exception):
    """The PBX did not do what it was asked for; `str()` says why and what helps, in English."""

    def __init__(self, trouble: Trouble, **values: object) -> None:
        super().__init__(SENTENCES[trouble].format_map(values))
        self.trouble = trouble
        self.values = values


@dataclass(frozen=True, slots=True, kw_only=True)
class KalliopeAccount:
    """Where the PBX is and who asks; `certificates` is a file of authorities to trust, for a certificate of its own."""

    url: str
    domain: str
    username: str
    password: str
    timeout_seconds: float = 8.0
    certificates: str = ""


def connection_to(account: KalliopeAccount) -> httpx.AsyncClient:
    """A client for one conversation. Raises `PbxTrouble` for what is no address at all."""
    parts = urlsplit(account.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PbxTrouble(Trouble.ADDRESS)
    try:
        trusted = ssl.create_default_context(cafile=account.certificates or None)
        return httpx.AsyncClient(base_url=account.url, timeout=account.timeout_seconds, verify=trusted)
    except (httpx.InvalidURL, ValueError) as error:
        raise PbxTrouble(Trouble.ADDRESS) from error
    except OSError as error:
        raise PbxTrouble(Trouble.CERTIFICATE) from error


@dataclass(frozen=True, slots=True)
class LogIn:
    """What lets one request in, and what the PBX's own clock said (minutes ahead of ours), if it told."""

    headers: dict[str, str]
    minutes_off: int | None

    def refusal(self, status: int) -> PbxTrouble | None:
        """What the status of the answer to that request means; None for success."""
        if status == httpx.codes.UNAUTHORIZED:
            if self.minutes_off is not None and abs(self.minutes_off) >= CLOCKS_APART_MINUTES:
                return PbxTrouble(Trouble.CLOCK, minutes=self.minutes_off)
            return PbxTrouble(Trouble.CREDENTIALS)
        if status == httpx.codes.FORBIDDEN:
            return PbxTrouble(Trouble.RIGHTS)
        return None if 200 <= status < 300 else PbxTrouble(Trouble.REFUSED, status=status)


async def log_in(client: httpx.AsyncClient, account: KalliopeAccount, clock: Clock) -> LogIn:
    """Ask for the salt and make the header of one request. Raises `PbxTrouble`."""
    path = f"/rest/salt/{quote(account.domain, safe='')}"
    try:
        answer = await client.get(path, headers={"Accept": "application/json"})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise trouble_of(error) from error
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise PbxTrouble(Trouble.DOMAIN, domain=account.domain)
    if not answer.is_success:
        raise PbxTrouble(Trouble.REFUSED, status=answer.status_code)
    salt = read_salt(answer)
    if not salt:
        raise PbxTrouble(Trouble.NO_KALLIOPE)
    now = clock.now()
    header = authenticate(account, salt, nonce=secrets.token_hex(16), created=now)
    return LogIn({"X-authenticate": header}, minutes_off(answer, now))


async def check_log_in(account: KalliopeAccount, clock: Clock) -> None:
    """Whether the PBX lets this user in, whatever the user may do there. Raises `PbxTrouble`; nothing rings."""
    async with connection_to(account) as client:
        login = await log_in(client, account, clock)
        try:
            # The body of the answer is left where it is.
            async with client.stream(
                "GET", f"/rest/cdr/summary/{clock.now():%Y/%m/%d}", headers=login.headers
            ) as answer:
                refused = login.refusal(answer.status_code)
        except httpx.HTTPError as error:
            raise trouble_of(error) from error
    if refused and refused.trouble is not Trouble.RIGHTS:
        raise refused


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test of the PBX found: `trouble` with its values, or None when all is well and `values` say what was seen."""

    trouble: Trouble | None
    words: str
    values: Mapping[str, object]

    def as_json(self) -> dict[str, object]:
        return {"ok": self.trouble is None, "trouble": self.trouble, "words": self.words, "values": dict(self.values)}


def found(trouble: PbxTrouble) -> Finding:
    """A failure as a finding."""
    return Finding(trouble.trouble, str(trouble), trouble.values)


def trouble_of(error: Exception) -> PbxTrouble:
    """What a failed conversation means."""
    match error:
        case httpx.TimeoutException() if not isinstance(error, httpx.ConnectTimeout):
            return PbxTrouble(Trouble.SLOW)
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return PbxTrouble(Trouble.ADDRESS)
        case httpx.ConnectError() if "CERTIFICATE" in str(error).upper():
            return PbxTrouble(Trouble.CERTIFICATE)
        case httpx.RemoteProtocolError() | httpx.DecodingError():
            return PbxTrouble(Trouble.UNREADABLE, reason="it broke off.")
        case _:
            return PbxTrouble(Trouble.UNREACHABLE)


def minutes_off(answer: httpx.Response, now: datetime) -> int | None:
    """How many minutes the PBX's clock is ahead of ours (negative: behind); None when it does not tell."""
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return round((told.astimezone(UTC) - now).total_seconds() / 60)


def read_salt(answer: httpx.Response) -> str:
    """JSON, or XML from a PBX that ignores what was asked for; empty when it is neither."""
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
