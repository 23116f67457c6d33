"""How does an Asterisk ring both phones? `Originate` over its manager interface: the operator first.

Protocol: `docs/connect-asterisk.md`. An Originate is sent once, on the connection that is there, or not at all.
An Asterisk takes our dial as the id of the call, so its record is known exactly; a Kalliope does not.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from richiamo_events.ids import DialId
from richiamo_events.settings import SiteSettings
from richiamo_kit.ami import AmiAccount, AmiConnection, AmiLost, AmiRefused, Fields, LoginRefused, connected
from richiamo_queue.dialling.port import DialFailed, Dialled, How

_EXTENSION = re.compile(r"[0-9A-Za-z_*#.-]{1,40}")
_DIGITS = re.compile(r"[0-9*#]{1,40}")
_AT_ONCE = 0.5
"""Seconds in which a phone that cannot be reached at all is told of by the PBX."""
_GRACE = 10.0
_PHONE = {
    "0": "The PBX cannot reach extension {extension}.",
    "1": "Nobody took up extension {extension}.",
    "3": "Nobody took up extension {extension}.",
    "5": "Extension {extension} is busy.",
    "8": "The PBX has no free line for extension {extension}.",
}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked of the PBX; `{extension}` in the channel is whose phone rings first."""

    channel: str
    context: str
    ring_seconds: int
    names_call: bool
    """Whether the PBX takes an id of ours for the call (Asterisk 12 and later)."""
    click_variables: bool = False
    tenant: str = ""

    @classmethod
    def of(cls, site: SiteSettings) -> "Plan":
        """By the settings; what they leave empty is what FreePBX, or a Kalliope, has by itself."""
        if site.ami_variant == "kalliope":
            return cls(
                channel=site.ami_channel or "Local/{extension}@c2c",
                context=site.ami_context or "from_c2c",
                ring_seconds=10,
                names_call=False,
                click_variables=True,
                tenant=site.ami_tenant,
            )
        return cls(
            channel=site.ami_channel or "Local/{extension}@originate-skipvm",
            context=site.ami_context or "from-internal",
            ring_seconds=30,
            names_call=True,
        )

    def fields(self, number: str, extension: str, dial: DialId) -> Fields:
        """The fields of the action. Raises `DialFailed` when a value is none that a phone has."""
        if not _EXTENSION.fullmatch(extension):
            raise DialFailed("Your extension holds signs that no phone has.")
        if not _DIGITS.fullmatch(number):
            raise DialFailed("The number of this customer holds signs that cannot be dialled.")
        plain = [
            ("Channel", self.channel.replace("{extension}", extension)),
            ("Context", self.context),
            ("Exten", number),
            ("Priority", "1"),
            ("Timeout", str(self.ring_seconds * 1000)),
            ("Async", "true"),
        ]
        if self.names_call:
            plain += [("CallerID", extension), ("ChannelId", dial), ("OtherChannelId", f"{dial}-2")]
        if self.click_variables:
            plain += [("Variable", f"C2C_SRC={extension}"), ("Variable", f"C2C_DST={number}")]
        if self.tenant:
            plain.append(("Variable", f"__TENANT_UUID={self.tenant}"))
        return plain


class AmiDialler:
    """Dials through an AMI; `spell` makes of a number what the PBX dials."""

    how: How = "ami"
    rings = True

    def __init__(self, account: AmiAccount, plan: Plan, spell: Callable[[str], str]) -> None:
        self._account = account
        self._plan = plan
        self._spell = spell

    async def dial(self, number: str, extension: str, dial: DialId) -> Dialled:
        """Ask once; that the operator's phone was not taken up is told later (`Dialled.later`).

        `DialFailed` is raised only when the PBX said no or was never asked: what became of an Originate
        whose answer did not come is unknown, and is taken as dialled (rule 7).
        """
        if not extension:
            raise DialFailed("You have no extension that could ring.")
        fields = self._plan.fields(self._spell(number), extension, dial)
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(connected(self._account, events="call"))
            except LoginRefused as error:
                _log.warning("ami_login_refused", reason=str(error))
                raise DialFailed(
                    "The PBX refused the login for click to call: check the AMI's user and secret."
                ) from error
            except AmiLost as error:
                _log.warning("ami_not_there", reason=str(error))
                raise DialFailed("The PBX does not answer.") from error
            try:
                answer = await connection.act("Originate", fields)
                await self._hear(connection, answer["actionid"], extension, _AT_ONCE)
            except AmiRefused as error:
                raise DialFailed(f"The PBX refused the call: {error}.") from error
            except ValueError as error:
                raise DialFailed("The settings of the AMI hold a sign that cannot be sent.") from error
            except _PhoneTaken:
                return Dialled("ami")
            except AmiLost as error:
                _log.warning("dial_answer_lost", dial=dial, reason=str(error))
                return Dialled("ami")
            held = stack.pop_all()
        following = self._follow(held, connection, answer["actionid"], extension)
        later = asyncio.create_task(following, name=f"dial-{dial}")
        # Cancelled before its first step it would close nothing.
        later.add_done_callback(lambda _: connection.end())
        return Dialled("ami", later=later)

    async def _follow(self, held: AsyncExitStack, connection: AmiConnection, action: str, extension: str) -> None:
        """Wait for word of the operator's phone. Raises `DialFailed` when it was not taken up."""
        async with held:
            try:
                await self._hear(connection, action, extension, self._plan.ring_seconds + _GRACE)
            except _PhoneTaken:
                return
            except AmiLost as error:
                _log.info("dial_not_followed", reason=str(error))

    async def _hear(self, connection: AmiConnection, action: str, extension: str, within: float) -> None:
        """Return when nothing was told of this action in time. Raises `_PhoneTaken`, or `DialFailed`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while (left := until - loop.time()) > 0:
            message = await connection.event(left)
            if message is None:
                return
            if message["event"].lower() != "originateresponse" or message.get("actionid") != action:
                continue
            if message.get("response", "").lower() == "success":
                raise _PhoneTaken
            words = _PHONE.get(message.get("reason", ""), "The PBX could not ring extension {extension}.")
            raise DialFailed(words.format(extension=extension))


class _PhoneTaken(Exception):
    """The operator took up: from here on the call's record tells."""


async def living(account: AmiAccount) -> frozenset[str]:
    """The ids of all calls that the PBX has now. Raises `AmiLost`, `AmiRefused`."""
    found: set[str] = set()
    async with connected(account) as connection:
        action = (await connection.act("CoreShowChannels"))["actionid"]
        while message := await connection.event(account.timeout_seconds):
            if message.get("actionid") != action:
                continue
            if message["event"].lower() == "coreshowchannelscomplete":
                return frozenset(found)
            found.update(one for name in ("linkedid", "uniqueid") if (one := message.get(name)))
    raise AmiLost("The PBX did not name its channels to the end.")
