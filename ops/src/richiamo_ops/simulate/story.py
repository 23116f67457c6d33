"""What becomes of one customer who rings? A small story as steps, drawn from a random source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from richiamo_ops.simulate.calls import (
    Incoming,
    PbxCall,
    lost,
    overflowed,
    recall,
    served,
    transferred_and_lost,
)
from richiamo_ops.simulate.people import Customer, Operator, Scene
from richiamo_ops.simulate.steps import Dial, Release, ReportNotice, ReportRecord, ReportRouting, Reserve, Step
from richiamo_ops.simulate.wire import NoticeForm, RecordForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many seconds pass between things: (least, most)."""

    until_given_up: tuple[float, float]
    until_reserved: tuple[float, float]
    until_dialled: tuple[float, float]
    until_tried_again: tuple[float, float]
    until_rings_again: tuple[float, float]
    until_recorded: tuple[float, float]
    talk: tuple[float, float]
    rung_back: float
    """Of customers who were lost, the part that an operator will ring back; the parts below are of all, too."""
    answered_later: float
    lost_again: float


LIVE = Pace(
    until_given_up=(2, 15),
    until_reserved=(2, 60),
    until_dialled=(2, 12),
    until_tried_again=(30, 180),
    until_rings_again=(20, 120),
    until_recorded=(1, 25),
    talk=(8, 45),
    rung_back=0.5,
    answered_later=0.15,
    lost_again=0.1,
)
"""Fast enough to watch."""

HISTORY = Pace(
    until_given_up=(2, 180),
    until_reserved=(120, 5400),
    until_dialled=(5, 60),
    until_tried_again=(1800, 14400),
    until_rings_again=(120, 7200),
    until_recorded=(5, 600),
    talk=(20, 420),
    rung_back=0.74,
    answered_later=0.14,
    lost_again=0.08,
)
"""As in a real office."""

_EDGE_TALKS = (5.0, 5.2, 4.9, 5.0, 6.0)
"""Seconds around the default threshold: 5.0 does not close a request, 5.2 does (`domain.md` rule 4)."""


@dataclass(slots=True)
class Teller:
    """Tells stories; keeps only the random source and the counter of the PBX's call ids."""

    rng: Random
    scene: Scene
    pace: Pace
    counter: int = 0
    busy: dict[str, datetime] = field(default_factory=dict)
    """Until when each operator is on the telephone with a customer rung back."""

    def unlucky(self, at: datetime) -> Iterator[Step]:
        """A call that is lost, and all that follows from it."""
        customer = self.rng.choice(self.scene.customers)
        queue = self.rng.choice(self.scene.queues)
        ends = at
        for step in self._lost_call(customer, queue, at):
            ends = max(ends, step.call.ended_at) if isinstance(step, ReportRecord) else ends
            yield step
        if not customer.number:
            return
        fate = self.rng.random()
        if fate < self.pace.rung_back:
            yield from self._rung_back(customer, ends)
        elif (fate := fate - self.pace.rung_back) < self.pace.answered_later:
            again = ends + self._after(self.pace.until_rings_again)
            yield from self._answered_call(customer, queue, again)
        elif fate - self.pace.answered_later < self.pace.lost_again:
            again = ends + self._after(self.pace.until_rings_again)
            yield from self._lost_call(customer, self.rng.choice(self.scene.queues), again)

    def lucky(self, at: datetime) -> Iterator[Step]:
        """A call that is answered at once, or by a second queue although the first gave it up."""
        customer = self.rng.choice(self.scene.customers)
        queue = self.rng.choice(self.scene.queues)
        if self.rng.random() < 0.06:
            second = self.rng.choice([name for name in self.scene.queues if name != queue])
            call = overflowed(
                self._ring(customer, at),
                queue,
                second,
                wait=self.rng.randint(10, 30),
                talk=self._talk(),
                extension=self._operator().extension,
            )
            yield ReportRouting(at=call.legs[0].left_at, call=call, queue=queue)
            yield from self._record(call)
        else:
            yield from self._answered_call(customer, queue, at)

    def _lost_call(self, customer: Customer, queue: str, at: datetime) -> Iterator[Step]:
        ring = self._ring(customer, at)
        if self.rng.random() < 0.08:
            call = transferred_and_lost(ring, queue, chat=self.rng.randint(5, 20), wait=self._wait())
        else:
            cause = self.rng.choice(("CANCELED", "NOANSWER", "CANCELED", "QUEUE_CALLBACK"))
            call = lost(ring, queue, wait=self._wait(), cause=cause)
        sources = self.rng.random()
        if sources < 0.75:
            yield ReportRouting(at=call.ended_at, call=call, queue=queue)
        if 0.55 < sources < 0.95:
            form = self.rng.choice(tuple(NoticeForm))
            yield ReportNotice(at=call.ended_at + self._after((0, 3)), call=call, form=form)
        yield from self._record(call)

    def _answered_call(self, customer: Customer, queue: str, at: datetime) -> Iterator[Step]:
        call = served(
            self._ring(customer, at),
            queue,
            wait=self.rng.randint(1, 30),
            talk=self._talk(),
            extension=self._operator().extension,
        )
        yield from self._record(call)

    def _rung_back(self, customer: Customer, since: datetime) -> Iterator[Step]:
        at = since + self._after(self.pace.until_reserved)
        operator = self._free_operator(at)
        yield Reserve(at=at, operator=operator.username, number=customer.number)
        if self.rng.random() < 0.08:
            at += self._after(self.pace.until_dialled)
            yield Release(at=at, operator=operator.username, number=customer.number)
            return
        for _ in range(3):
            at += self._after(self.pace.until_dialled)
            at = max(at, self.busy.get(operator.username, at))
            call = self._recall(operator, customer, at)
            self.busy[operator.username] = call.ended_at + timedelta(seconds=1)
            dial = f"dial-{call.unique_id}"
            yield Dial(at=at, operator=operator.username, number=customer.number, dial=dial)
            yield from self._record(call, dial)
            if call.bill_seconds > 5 or self.rng.random() < 0.4:
                return
            at = call.ended_at + self._after(self.pace.until_tried_again)

    def _recall(self, operator: Operator, customer: Customer, at: datetime) -> PbxCall:
        luck = self.rng.random()
        if luck < 0.60:
            talk: float | None = self._talk()
        elif luck < 0.72:
            talk = self.rng.choice(_EDGE_TALKS)
        else:
            talk = None
        return recall(
            self._unique_id(at),
            operator.extension,
            customer.dialled,
            self.rng.choice(self.scene.lines),
            at,
            ring=self.rng.randint(3, 12 if talk is not None else 25),
            talk=talk,
        )

    def _record(self, call: PbxCall, dial: str | None = None) -> Iterator[ReportRecord]:
        """The record late, and of one call in seven a second time, perhaps written differently."""
        at = call.ended_at + self._after(self.pace.until_recorded)
        yield ReportRecord(at=at, call=call, form=self._form(), dial=dial)
        if self.rng.random() < 0.15:
            at += self._after(self.pace.until_recorded)
            yield ReportRecord(at=at, call=call, form=self._form(), dial=dial)

    def _form(self) -> RecordForm:
        return self.rng.choices((RecordForm.NESTED, RecordForm.FLAT, RecordForm.NAMES_OF_2020), (6, 3, 1))[0]

    def _ring(self, customer: Customer, at: datetime) -> Incoming:
        return Incoming(
            unique_id=self._unique_id(at),
            caller=self.rng.choice(customer.spellings),
            called="0509876543",
            line=self.rng.choice(self.scene.lines),
            at=at,
        )

    def _unique_id(self, at: datetime) -> str:
        self.counter += 1
        return f"{int(at.timestamp())}.{self.counter}"

    def _operator(self) -> Operator:
        return self.rng.choice(self.scene.operators)

    def _free_operator(self, at: datetime) -> Operator:
        free = [one for one in self.scene.operators if self.busy.get(one.username, at) <= at]
        return self.rng.choice(free) if free else self._operator()

    def _wait(self) -> int:
        return round(self.rng.uniform(*self.pace.until_given_up))

    def _talk(self) -> float:
        return round(self.rng.uniform(*self.pace.talk), 1)

    def _after(self, bounds: tuple[float, float]) -> timedelta:
        return timedelta(seconds=round(self.rng.uniform(*bounds)))
