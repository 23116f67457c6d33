"""Would the PBX take a click to call? Its log-in is tried; nothing rings."""

from collections.abc import Callable
from typing import Any

from richiamo_events.settings import SiteSettings, validate
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
        if site.dial_how != "kalliope":
            return {"on": False}
        try:
            if not site.pbx_url:
                raise PbxTrouble(Trouble.ADDRESS)
            await check_log_in(account_of(site, self._settings), self._clock)
        except PbxTrouble as trouble:
            return {"on": True, **found(trouble).as_json()}
        return {"on": True, **Finding(None, _WELL, {}).as_json()}
