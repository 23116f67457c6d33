"""Would the PBX take a click to call? Its log-in is tried; nothing rings."""

from collections.abc import Callable
from typing import Any

from richiamo_events.settings import SiteSettings, validate
from richiamo_kit.ami import AmiLost, AmiRefused, LoginRefused, connected
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem
from richiamo_kit.kalliope_rest import Finding, PbxTrouble, Trouble, check_log_in, found
from richiamo_queue.dialling.choice import account_of
from richiamo_queue.settings import Settings

_MAY_DIFFER = frozenset({"pbx_url", "pbx_domain", "dial_how"})
_WELL = "The PBX lets the user for click to call in."


class DiallingCheck:
    """Answers `richiamo.queue.test_dialling`."""

    def __init__(self, settings: Settings, site: Callable[[], SiteSettings], clock: Clock) -> None:
        self._settings = settings
        self._site = site
        self._clock = clock

    async def answer(self, payload: dict[str, Any]) -> dict[str, Any]:
        """`{"settings": {...}}`, what is not saved yet -> `{"on", "ok", "trouble", "words", "values"}`."""
        typed = {name: value for name, value in (payload.get("settings") or {}).items() if name in _MAY_DIFFER}
        wrong = validate(typed)
        if wrong:
            raise Problem(422, "invalid", "These settings cannot be tried.", errors=wrong)
        site = self._site().with_values(typed)
        if site.dial_how == "link":
            return {"on": False}
        try:
            if site.dial_how == "ami":
                await self._ami()
                return {"on": True, "how": "ami", **Finding(None, _WELL, {}).as_json()}
            if not site.pbx_url:
                raise PbxTrouble(Trouble.ADDRESS)
            await check_log_in(account_of(site, self._settings), self._clock)
        except PbxTrouble as trouble:
            return {"on": True, "how": site.dial_how, **found(trouble).as_json()}
        return {"on": True, "how": site.dial_how, **Finding(None, _WELL, {}).as_json()}

    async def _ami(self) -> None:
        """Log in, and ask for a call without a channel: whoever may not dial is refused before that is missed."""
        try:
            account = self._settings.ami_account()
        except OSError:
            account = None
        if account is None:
            raise PbxTrouble(Trouble.AMI_NOT_SET_UP)
        try:
            async with connected(account) as connection:
                await connection.act("Originate")
        except LoginRefused as error:
            raise PbxTrouble(Trouble.CREDENTIALS) from error
        except AmiLost as error:
            raise PbxTrouble(Trouble.NO_AMI, reason=str(error)) from error
        except AmiRefused as error:
            if "permission" in str(error).lower():
                raise PbxTrouble(Trouble.RIGHTS) from error
