"""How does a decision get into the log? Look, decide, append with the position looked at, or do it again.

Nobody is refused, and nothing is answered as "already so", on a state that the log has left behind: before
either, the log is asked whether the caller has moved (`domain.md` rule 10).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from psycopg_pool import AsyncConnectionPool

from richiamo_events import subjects
from richiamo_events.caller import Caller
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId
from richiamo_kit.errors import Rejected, StreamMoved, Unavailable
from richiamo_kit.projector import wait_for
from richiamo_kit.store.port import EventStore, Guarded
from richiamo_queue.caller.commands import Command
from richiamo_queue.caller.decide import Events, decide
from richiamo_queue.caller.errors import TooMany, UnknownCaller
from richiamo_queue.states import States
from richiamo_queue.ticket import Ticket
from richiamo_queue.worklist.projection import SCHEMA

AT_ONCE = 20_000
"""Callers that one command may change: the limit of the log's atomic batch."""

_TRIES = 8

T = TypeVar("T")

Allowed = Callable[[Caller], bool]
"""Whether the user may know this caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command with what its events say of their origin."""

    ticket: Ticket
    actor: str
    at: datetime
    allowed: Allowed = lambda _: True


@dataclass(frozen=True, slots=True)
class Done:
    """The position that holds the effect, how many callers this very call changed, and what they were before.

    `before` is empty when the command had been carried out already.
    """

    position: int
    changed: int
    before: Sequence[Caller] = ()


class CarryOut:
    """Carries out commands on one or many callers."""

    def __init__(self, store: EventStore, pool: AsyncConnectionPool, states: States) -> None:
        self._store = store
        self._pool = pool
        self._states = states

    async def one(self, order: Order, caller_id: CallerId, command: Command) -> Done:
        """Carry out a command on one caller. Raises what `decide` raises, or `Unavailable` after 8 conflicts."""
        subject = subjects.caller(caller_id)
        for _ in range(_TRIES):
            seen = await self._states.look_at(caller_id, order.ticket)
            if seen.carried_out is not None:
                return Done(seen.carried_out, 0)
            caller = seen.callers.get(caller_id)
            known = caller.position if caller is not None else 0
            try:
                events = _decided(order, caller, command)
            except Rejected:
                if await self._moved(subject, known):
                    continue
                raise
            if not events:
                if await self._moved(subject, known):
                    continue
                return Done(known, 0)
            try:
                position = await self._store.append(_new_events(order, caller_id, events), expected=known)
            except StreamMoved:
                await self._moved(subject, known)
                continue
            return Done(position, 1)
        raise Unavailable("This customer changes too fast; try again.")

    async def many(self, order: Order, commands: Mapping[CallerId, Command]) -> Done:
        """Carry out a command on many callers, all or nothing; a refusal of one refuses all."""
        if len(commands) > AT_ONCE:
            raise TooMany(AT_ONCE)
        await wait_for(self._pool, SCHEMA, await self._store.last_position())
        for _ in range(_TRIES):
            seen = await self._states.look(list(commands), order.ticket)
            if seen.carried_out is not None:
                return Done(seen.carried_out, 0)
            groups: list[Guarded] = []
            newest = 0
            for caller_id, command in commands.items():
                caller = seen.callers.get(caller_id)
                events = _decided(order, caller, command)
                known = caller.position if caller is not None else 0
                newest = max(newest, known)
                if events:
                    groups.append(Guarded(subjects.caller(caller_id), known, _new_events(order, caller_id, events)))
            if not groups:
                return Done(newest, 0)
            try:
                return Done(await self._store.append_guarded(groups), len(groups), tuple(seen.callers.values()))
            except StreamMoved:
                await wait_for(self._pool, SCHEMA, await self._store.last_position())
        raise Unavailable("These customers change too fast; try again.")

    async def caught_up(self, look: Callable[[], Awaitable[T]]) -> T:
        """What `look` finds once the view holds all that the log holds now."""
        await wait_for(self._pool, SCHEMA, await self._store.last_position())
        return await look()

    async def _moved(self, subject: str, known: int) -> bool:
        """Whether the log holds more of this caller than `known`; if so the view has it when this returns."""
        newest = await self._store.last_on(subject)
        if newest <= known:
            return False
        await wait_for(self._pool, SCHEMA, newest)
        return True


def _decided(order: Order, caller: Caller | None, command: Command) -> Events:
    if caller is None or not order.allowed(caller):
        raise UnknownCaller
    return decide(command, caller)


def _new_events(order: Order, caller_id: CallerId, events: Events) -> Sequence[NewEvent]:
    return [
        NewEvent(
            id=order.ticket.derive("event", caller_id, str(index)),
            subject=subjects.caller(caller_id),
            data=event,
            occurred_at=order.at,
            actor=order.actor,
            correlation_id=order.ticket.id,
        )
        for index, event in enumerate(events)
    ]
