"""Does the call of a dial still live on the PBX? Asked of an Asterisk, where a call has the dial's id.

`domain.md` rule 7: the row of a recall stays hidden past `record_minutes` while its call lives. Whatever
cannot be told counts as not living: a row never stays hidden because something was lost.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from richiamo_events.ids import DialId
from richiamo_kit.ami import AmiAccount, AmiLost, AmiRefused
from richiamo_queue.dialling.ami import living

_log = structlog.get_logger(__name__)
_ASK_EVERY = timedelta(seconds=20)
_WITHIN = 2.0


class Living:
    """Asks the PBX at most every 20 seconds; `account` is None while calls there do not have our ids."""

    def __init__(self, account: Callable[[], AmiAccount | None]) -> None:
        self._account = account
        self._asked: datetime | None = None
        self._calls: frozenset[str] = frozenset()
        self._known: frozenset[DialId] = frozenset()

    async def among(self, dials: Collection[DialId], now: datetime) -> frozenset[DialId]:
        """Those of these dials whose call lives."""
        account = self._account()
        if account is None or not dials:
            return frozenset()
        if self._asked is None or now - self._asked >= _ASK_EVERY or not self._known.issuperset(dials):
            self._asked, self._known = now, frozenset(dials)
            self._calls = await self._ask(replace(account, timeout_seconds=_WITHIN))
        return frozenset(dial for dial in dials if dial in self._calls)

    async def _ask(self, account: AmiAccount) -> frozenset[str]:
        try:
            return await living(account)
        except (AmiLost, AmiRefused) as error:
            _log.warning("living_calls_unknown", reason=str(error))
            return frozenset()
