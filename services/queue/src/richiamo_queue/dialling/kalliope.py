"""How does a Kalliope ring both phones? Click to call over REST, with a login that is used once.

Protocol: `docs/connect-kalliope.md`. The PBX rings the operator first, then the customer, and does not say
which call that will be: the tracker matches its record.
"""

from collections.abc import Callable
from urllib.parse import quote

import httpx
import structlog

from richiamo_events.ids import DialId
from richiamo_kit.clock import Clock
from richiamo_kit.kalliope_rest import KalliopeAccount, PbxTrouble, Trouble, connection_to, log_in
from richiamo_queue.dialling.port import DialFailed, Dialled, How

_log = structlog.get_logger(__name__)
_SENTENCES = {
    Trouble.UNREACHABLE: "The PBX does not answer.",
    Trouble.SLOW: "The PBX does not answer.",
    Trouble.CREDENTIALS: "The PBX refused the login for click to call: check user, password and clock.",
    Trouble.RIGHTS: "The PBX does not let this user dial: it needs the right of click2call.",
}


class KalliopeDialler:
    """Dials through the PBX's REST interface by GET or POST (the vendor does not say which); `spell` makes of a
    number what the PBX dials.
    """

    how: How = "kalliope"
    rings = True

    def __init__(
        self, account: KalliopeAccount, spell: Callable[[str], str], clock: Clock, *, verb: str = "GET"
    ) -> None:
        self._account = account
        self._spell = spell
        self._clock = clock
        self._verb = verb

    async def dial(self, number: str, extension: str, dial: DialId) -> Dialled:
        """Ask once. An answer that does not come in time may mean that it rings: that is no failure (rule 7)."""
        if not extension:
            raise DialFailed("You have no extension that could ring.")
        path = f"/rest/phoneServices/c2c/{quote(self._spell(number), safe='')}/{quote(extension, safe='')}"
        try:
            async with connection_to(self._account) as client:
                login = await log_in(client, self._account, self._clock)
                try:
                    answer = await client.request(self._verb, path, headers=login.headers)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    raise PbxTrouble(Trouble.UNREACHABLE) from error
                except httpx.HTTPError as error:
                    _log.warning("dial_answer_lost", dial=dial, error=type(error).__name__)
                    return Dialled("kalliope")
                if refused := login.refusal(answer.status_code):
                    raise refused
        except PbxTrouble as trouble:
            raise DialFailed(_SENTENCES.get(trouble.trouble, str(trouble))) from trouble
        return Dialled("kalliope")
