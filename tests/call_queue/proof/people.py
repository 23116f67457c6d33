"""What do operators, supervisors and customers do, all at once? Each with a chance of their own, drawn from one seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from faststream.nats import NatsBroker

from richiamo_events import subjects
from richiamo_events.envelope import NewEvent
from richiamo_events.ids import CallerId, CallId, Username
from richiamo_events.language import (
    CallMissed,
    CallServed,
    Event,
    Rank,
    RecallFailed,
    RecallOutcome,
    RecallSucceeded,
)
from richiamo_kit.errors import Problem, Unavailable
from richiamo_kit.messaging import ask
from richiamo_kit.store.port import EventStore
from tests.call_queue.proof.checker import Answer

_PATIENCE = 3.0
"""Seconds a browser waits; an instance that was killed does not answer at all."""


@dataclass(slots=True)
class Told:
    """What everybody was told, and how often what came of it."""

    answers: list[Answer] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    flushes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Desk:
    """Where commands are sent from, and what the answers were."""

    def __init__(self, broker: NatsBroker, callers: Sequence[CallerId], round_name: str) -> None:
        self.broker = broker
        self.callers = callers
        self.told = Told()
        self._keys = (f"{round_name}-{number}" for number in count(1))

    async def send(
        self, chance: random.Random, user: Mapping[str, Any], command: str, callers: Sequence[CallerId], **more: Any
    ) -> Mapping[str, Any] | None:
        """Send one command, perhaps twice at once, perhaps going away before the answer; None: not known, or refused.

        Without an answer the same command is sent again with its key, as the page does.
        """
        key = next(self._keys) if chance.random() < 0.7 else None
        payload = {"user": dict(user), "key": key, **more}
        if len(callers) == 1:
            payload.setdefault("caller_id", callers[0])
        if key and chance.random() < 0.08:
            self.told.counts["went away before the answer"] += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0, 0.02)):
                    await self._once(user, command, callers, payload)
        if key and chance.random() < 0.15:
            self.told.counts["sent twice"] += 1
            found = await asyncio.gather(*(self._once(user, command, callers, payload) for _ in range(2)))
            return found[0] or found[1]
        for _ in range(3 if key else 1):
            known, answer = await self._known(user, command, callers, payload)
            if known:
                return answer
        return None

    async def _once(
        self, user: Mapping[str, Any], command: str, callers: Sequence[CallerId], payload: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        return (await self._known(user, command, callers, payload))[1]

    async def _known(
        self, user: Mapping[str, Any], command: str, callers: Sequence[CallerId], payload: Mapping[str, Any]
    ) -> tuple[bool, Mapping[str, Any] | None]:
        try:
            told = await ask(self.broker, f"richiamo.queue.{command}", payload, timeout=_PATIENCE)
        except Unavailable:
            self.told.counts[f"{command}: no answer"] += 1
            return False, None
        except Problem as problem:
            self.told.counts[f"{command}: {problem.type}"] += 1
            if problem.status >= 500:
                if problem.status == 500:
                    self.told.failures.append(f"{command}: {problem}")
                return False, None
            granted, told = False, problem.as_json()
        else:
            self.told.counts[f"{command}: granted"] += 1
            granted = True
        operators = tuple(payload["operators"]) if "operators" in payload else (str(payload.get("operator", "")),)
        self.told.answers.append(
            Answer(
                actor=user["username"],
                command=command,
                callers=tuple(callers),
                granted=granted,
                told=told,
                operators=operators,
                flush=str(payload.get("flush_id", "")),
            )
        )
        return True, told if granted else None


def operator_named(number: int) -> dict[str, Any]:
    return {"username": f"op{number}", "role": "operator", "extension": f"{200 + number}"}


async def operate(desk: Desk, chance: random.Random, number: int, until: Callable[[], bool]) -> None:
    """One operator: reserves, calls, gives back, and clicks on what others hold."""
    me = operator_named(number)
    while not until():
        caller = chance.choice(desk.callers)
        what = chance.random()
        if what < 0.7:
            if await desk.send(chance, me, "reserve", [caller]) and chance.random() < 0.6:
                await desk.send(chance, me, "start_recall", [caller])
                if chance.random() < 0.2:
                    await desk.send(chance, me, "show", [caller])
            elif chance.random() < 0.5:
                await desk.send(chance, me, "release", [caller])
        elif what < 0.85:
            await desk.send(chance, me, "start_recall", [caller])
        elif what < 0.97:
            await desk.send(chance, me, "release", [caller])
        else:
            await desk.send(chance, me, "hand_back", [], username=me["username"])


async def supervise(desk: Desk, chance: random.Random, number: int, operators: int, until: Callable[[], bool]) -> None:
    """One supervisor: assigns, takes away, closes and undoes, one caller or many at once."""
    me = {"username": f"boss{number}", "role": "supervisor", "extension": ""}
    while not until():
        caller = chance.choice(desk.callers)
        some = chance.sample(desk.callers, k=min(len(desk.callers), chance.randint(2, 5)))
        to = f"op{chance.randrange(operators)}"
        what = chance.random()
        if what < 0.35:
            await desk.send(chance, me, "assign", [caller], operator=to)
        elif what < 0.55:
            both = [to, f"op{chance.randrange(operators)}"]
            await desk.send(chance, me, "assign_many", some, caller_ids=some, operators=both)
        elif what < 0.75:
            await desk.send(chance, me, "unassign", [caller])
        elif what < 0.85:
            await desk.send(chance, me, "show", [caller])
        elif what < 0.93 or not desk.told.flushes:
            answer = await desk.send(chance, me, "flush", some, caller_ids=some, reason="proof")
            if answer:
                desk.told.flushes.append(answer["flush_id"])
        else:
            await desk.send(chance, me, "undo_flush", [], flush_id=chance.choice(desk.told.flushes))
        await asyncio.sleep(chance.uniform(0, 0.1))


class Customers:
    """They call in vain, are answered, and pick up or not when they are called back: facts, some late, some twice."""

    def __init__(self, store: EventStore, callers: Sequence[CallerId], chance: random.Random, name: str) -> None:
        self._store = store
        self._callers = callers
        self._chance = chance
        self._name = name
        self._numbers = count(1)
        self.rings: list[tuple[CallerId, str]] = []
        """Each time a phone rang: who, and from which extension."""
        self._recorded = 0

    async def lose_all(self) -> None:
        for caller in self._callers:
            await self._tell(caller, self._missed(caller))

    async def answer_all(self) -> None:
        for caller in self._callers:
            await self._tell(caller, self._served(caller))

    async def live(self, hear_rings: Callable[[], Sequence[tuple[CallerId, str]]], until: Callable[[], bool]) -> None:
        """Go on calling until told to end; some of the dials get a record, the rest none ever."""
        acts: list[Callable[[], Awaitable[None]]] = [*[self._calls_in_vain] * 9, self._is_answered]
        while not until():
            await asyncio.sleep(self._chance.uniform(0.005, 0.03))
            self.rings = list(hear_rings())
            if self._recorded < len(self.rings):
                caller, extension = self.rings[self._recorded]
                self._recorded += 1
                if self._chance.random() < 0.7:
                    await self._tell(caller, self._record(caller, extension))
            elif self._chance.random() < 0.7:
                await self._chance.choice(acts)()

    async def _calls_in_vain(self) -> None:
        caller = self._chance.choice(self._callers)
        await self._tell(caller, self._missed(caller))

    async def _is_answered(self) -> None:
        caller = self._chance.choice(self._callers)
        await self._tell(caller, self._served(caller))

    def _served(self, caller: CallerId) -> CallServed:
        now = datetime.now(UTC)
        return CallServed(
            caller=caller,
            call=self._call(),
            rank=Rank.LEGS,
            received_at=now,
            started_at=now,
            queue="Vendite",
            answered_at=now,
            talk_seconds=60,
        )

    def _missed(self, caller: CallerId) -> CallMissed:
        now = datetime.now(UTC)
        queue = self._chance.choice(["Vendite", "Assistenza"])
        return CallMissed(
            caller=caller, call=self._call(), rank=Rank.LEGS, received_at=now, started_at=now, queue=queue
        )

    def _record(self, caller: CallerId, extension: str) -> RecallFailed | RecallSucceeded:
        now = datetime.now(UTC)
        operator = Username(f"op{int(extension) - 200}")
        if self._chance.random() < 0.5:
            return RecallFailed(
                caller=caller,
                call=self._call(),
                received_at=now,
                started_at=now,
                extension=extension,
                operator=operator,
                ended_at=now,
                outcome=RecallOutcome.NO_ANSWER,
            )
        return RecallSucceeded(
            caller=caller,
            call=self._call(),
            rank=Rank.LEGS,
            received_at=now,
            started_at=now,
            extension=extension,
            operator=operator,
            answered_at=now,
            ended_at=now,
            talk_seconds=60,
        )

    def _call(self) -> CallId:
        return CallId(self._name, str(next(self._numbers)))

    async def _tell(self, caller: CallerId, fact: Event) -> None:
        """Append the fact, now and then once more: with the id it had, or as another report of the same call."""
        again = self._chance.random()
        name = f"{self._name}-{next(self._numbers)}"
        names = [name] + ([name] if again < 0.05 else [f"{name}-again"] if again < 0.1 else [])
        for one in names:
            event = NewEvent(
                id=one,
                subject=subjects.caller(caller),
                data=fact,
                occurred_at=datetime.now(UTC),
                actor="pbx",
                correlation_id="",
            )
            await self._store.append([event])
