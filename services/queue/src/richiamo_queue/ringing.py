"""What becomes of a click after it is in the log? The PBX is told once; when it says no, the row comes back.

`domain.md` rule 7: a time-out is never repeated, and whatever is never heard of ends after `record_minutes`.
"""

import asyncio
from collections.abc import Callable

import structlog

from richiamo_events.ids import CallerId, DialId
from richiamo_events.language import RecallOutcome
from richiamo_kit import tracing
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Unavailable
from richiamo_queue.caller.commands import EndRecall
from richiamo_queue.caller.errors import NotDialled
from richiamo_queue.carrying_out import CarryOut, Order
from richiamo_queue.dialling.port import DialFailed, Dialled, Dialler
from richiamo_queue.notebook import Notebook
from richiamo_queue.ticket import ticket_for

_log = structlog.get_logger(__name__)


class Ringing:
    """Makes phones ring; one dial a click, however often the command comes."""

    def __init__(self, carry_out: CarryOut, notebook: Notebook, dialler: Callable[[], Dialler], clock: Clock) -> None:
        self._carry_out = carry_out
        self._notebook = notebook
        self._dialler = dialler
        self._clock = clock
        self._following: set[asyncio.Task[None]] = set()

    async def ring(self, number: str, extension: str, dial: DialId, caller_id: CallerId) -> Dialled:
        """Tell the PBX once. Raises `NotDialled` when it says no; the recall has ended then."""
        dialler = self._dialler()
        try:
            if not number:
                raise DialFailed("The number of this customer is not known.")
            if dialler.rings and not await self._notebook.claim_dial(dial):
                return Dialled(dialler.how)
            with tracing.step(f"dial {dialler.how}", tracing.SpanKind.CLIENT):
                dialled = await dialler.dial(number, extension, dial)
        except DialFailed as failure:
            await self._not_dialled(dial, caller_id)
            raise NotDialled(str(failure)) from failure
        if dialled.later is not None:
            follow = asyncio.create_task(self._follow(dialled.later, dial, caller_id), name=f"follow-{dial}")
            self._following.add(follow)
            follow.add_done_callback(self._following.discard)
        return dialled

    async def close(self) -> None:
        """Follow no dial any more."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    async def _follow(self, later: asyncio.Task[None], dial: DialId, caller_id: CallerId) -> None:
        """The row comes back at once when the operator's own phone was not taken up."""
        try:
            await later
        except DialFailed as failure:
            _log.info("own_phone_not_taken_up", dial=dial, reason=str(failure))
            try:
                await self._not_dialled(dial, caller_id)
            except Unavailable as error:
                _log.warning("recall_not_ended", dial=dial, reason=str(error))
        finally:
            later.cancel()

    async def _not_dialled(self, dial: DialId, caller_id: CallerId) -> None:
        at = self._clock.now()
        order = Order(ticket=ticket_for("system", "not_dialled", dial, dial), actor="system", at=at)
        command = EndRecall(dial=dial, outcome=RecallOutcome.NOT_DIALLED, at=at)
        await self._carry_out.one(order, caller_id, command)
