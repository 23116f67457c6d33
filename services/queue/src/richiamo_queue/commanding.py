"""What does each message make happen? From a checked message to a command, its order, and the answer.

Every answer of a command with a key is kept, refusals too: the same command sent again is answered the same.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import structlog

from richiamo_events.caller import Caller
from richiamo_events.directory import CallerDirectory
from richiamo_events.ids import CallerId, CallId, DialId, FlushId, ReservationId, Username
from richiamo_kit.clock import Clock
from richiamo_kit.errors import Problem, Rejected
from richiamo_queue import payloads
from richiamo_queue.caller.commands import (
    Assign,
    Command,
    Dispute,
    Erase,
    Flush,
    HandBack,
    Release,
    Reserve,
    Show,
    StartRecall,
    Unassign,
    UndoFlush,
)
from richiamo_queue.caller.errors import (
    AlreadyReserved,
    BeingCalled,
    NotAssignable,
    NothingToFlush,
    TooMany,
    UnknownFlush,
)
from richiamo_queue.carrying_out import AT_ONCE, CarryOut, Order
from richiamo_queue.dialling.port import Dialler
from richiamo_queue.forgetting import Forgetting
from richiamo_queue.notebook import Notebook
from richiamo_queue.ringing import Ringing
from richiamo_queue.states import States
from richiamo_queue.ticket import Ticket, ticket_for
from richiamo_queue.users import User
from richiamo_queue.worklist.items import Site

_log = structlog.get_logger(__name__)

Answer = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What commands are carried out with."""

    carry_out: CarryOut
    states: States
    notebook: Notebook
    directory: CallerDirectory
    forgetting: Forgetting
    dialler: Callable[[], Dialler]
    """The dialler that the settings name now."""
    site: Site
    catch_up_site: Callable[[], Awaitable[None]]
    clock: Clock


class Commanding:
    """Carries out the commands of users; one method a subject."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._ringing = Ringing(tools.carry_out, tools.notebook, tools.dialler, tools.clock)

    async def close(self) -> None:
        """Follow no dial any more; a recall of which nothing is heard ends after `record_minutes`."""
        await self._ringing.close()

    async def reserve(self, payload: Answer) -> Answer:
        """Reserve a caller for the user who asks."""
        asked = payloads.read(payloads.OneCaller, payload)
        user = asked.user
        lease = timedelta(minutes=self._tools.site.settings.reservation_minutes)

        async def run(ticket: Ticket, at: datetime) -> Answer:
            command = Reserve(
                operator=user.username,
                reservation=ReservationId(ticket.derive("reservation")),
                at=at,
                lease=lease,
                may_see_hidden=user.supervises,
            )
            done = await self._tools.carry_out.one(self._order(ticket, user, at), asked.caller_id, command)
            if not done.changed:
                # Who holds it already asks for more time: the list has to show it at once.
                await self._tools.notebook.write_activity()
            return {"position": done.position}

        return await self.once("reserve", user, asked.key, asked.caller_id, run)

    async def release(self, payload: Answer) -> Answer:
        """Give a caller back."""
        asked = payloads.read(payloads.OneCaller, payload)
        user = asked.user

        async def run(ticket: Ticket, at: datetime) -> Answer:
            command = Release(operator=user.username, at=at, supervises=user.supervises)
            return await self.one(ticket, user, at, asked.caller_id, command)

        return await self.once("release", user, asked.key, asked.caller_id, run)

    async def assign(self, payload: Answer) -> Answer:
        """Give a caller to an operator, or move it to one."""
        asked = payloads.read(payloads.AssignOne, payload)
        user = asked.user
        user.require("supervisor")

        async def run(ticket: Ticket, at: datetime) -> Answer:
            await self._require_assignable(asked.operator)
            command = self._assignment(ticket, user, at, asked.caller_id, asked.operator)
            return await self.one(ticket, user, at, asked.caller_id, command)

        return await self.once("assign", user, asked.key, [asked.caller_id, asked.operator], run)

    async def assign_many(self, payload: Answer) -> Answer:
        """Share callers out among operators, all or nothing; what one of them holds already stays with them."""
        asked = payloads.read(payloads.AssignMany, payload)
        user = asked.user
        user.require("supervisor")
        callers = _distinct(asked.caller_ids)

        async def run(ticket: Ticket, at: datetime) -> Answer:
            for operator in asked.operators:
                await self._require_assignable(operator)
            chosen = await self._share_out(ticket, callers, asked.operators)
            commands: dict[CallerId, Command] = {
                one: self._assignment(ticket, user, at, one, operator) for one, operator in chosen.items()
            }
            done = await self._tools.carry_out.many(self._order(ticket, user, at), commands)
            return {"position": done.position, "changed": done.changed}

        return await self.once("assign_many", user, asked.key, [callers, list(asked.operators)], run)

    async def unassign(self, payload: Answer) -> Answer:
        """Take a caller away from whoever holds it."""
        asked = payloads.read(payloads.OneCaller, payload)
        user = asked.user
        user.require("supervisor")

        async def run(ticket: Ticket, at: datetime) -> Answer:
            return await self.one(ticket, user, at, asked.caller_id, Unassign(by=user.username, at=at))

        return await self.once("unassign", user, asked.key, asked.caller_id, run)

    async def flush(self, payload: Answer) -> Answer:
        """Close what is open of many callers, all or nothing; says how many were held or being called."""
        asked = payloads.read(payloads.FlushMany, payload)
        user = asked.user
        user.require("supervisor")
        callers = _distinct(asked.caller_ids)

        async def run(ticket: Ticket, at: datetime) -> Answer:
            flush_id = FlushId(ticket.derive("flush"))
            command = Flush(flush=flush_id, by=user.username, reason=asked.reason, at=at, queues=user.queues)
            done = await self._tools.carry_out.many(self._order(ticket, user, at), dict.fromkeys(callers, command))
            if not done.changed and not await self._tools.states.flushed_by(flush_id):
                raise NothingToFlush
            return {
                "flush_id": flush_id,
                "position": done.position,
                "callers": done.changed,
                "reserved": sum(1 for one in done.before if one.reservation is not None),
                "being_called": sum(1 for one in done.before if one.recall is not None),
            }

        return await self.once("flush", user, asked.key, [callers, asked.reason], run)

    async def undo_flush(self, payload: Answer) -> Answer:
        """Make a flush as if it had never been made."""
        asked = payloads.read(payloads.UndoOne, payload)
        user = asked.user
        user.require("supervisor")

        async def run(ticket: Ticket, at: datetime) -> Answer:
            callers = await self._tools.carry_out.caught_up(lambda: self._tools.states.flushed_by(asked.flush_id))
            if not callers:
                raise UnknownFlush
            command = UndoFlush(flush=asked.flush_id, by=user.username, at=at)
            order = Order(ticket=ticket, actor=user.username, at=at)
            done = await self._tools.carry_out.many(order, dict.fromkeys(callers, command))
            return {"position": done.position, "callers": done.changed}

        return await self.once("undo_flush", user, asked.key, asked.flush_id, run)

    async def start_recall(self, payload: Answer) -> Answer:
        """Call the customer: the log first, then the PBX, which is told at most once (rule 7)."""
        asked = payloads.read(payloads.OneCaller, payload)
        user = asked.user

        async def run(ticket: Ticket, at: datetime) -> Answer:
            dial = DialId(ticket.derive("dial"))
            extension = user.extension or self._extension_of(user.username)
            number = await self._tools.directory.number_of(asked.caller_id)
            command = StartRecall(operator=user.username, extension=extension, dial=dial, at=at)
            answer = await self.one(ticket, user, at, asked.caller_id, command)
            dialled = await self._ringing.ring(number or "", extension, dial, asked.caller_id)
            return {"dial_id": dial, "how": dialled.how, "link": dialled.link, **answer}

        return await self.once("start_recall", user, asked.key, asked.caller_id, run)

    async def show(self, payload: Answer) -> Answer:
        """End a hiding; `put back` of one's own running call."""
        asked = payloads.read(payloads.OneCaller, payload)
        user = asked.user

        async def run(ticket: Ticket, at: datetime) -> Answer:
            command = Show(by=user.username, at=at, supervises=user.supervises)
            return await self.one(ticket, user, at, asked.caller_id, command)

        return await self.once("show", user, asked.key, asked.caller_id, run)

    async def dispute(self, payload: Answer) -> Answer:
        """It was an answering machine."""
        asked = payloads.read(payloads.DisputeOne, payload)
        user = asked.user

        async def run(ticket: Ticket, at: datetime) -> Answer:
            zone = self._tools.site.settings.zone
            command = Dispute(
                call=CallId.parse(asked.call),
                by=user.username,
                extension=user.extension or self._extension_of(user.username),
                at=at,
                since=datetime.combine(at.astimezone(zone).date(), time(), zone),
                supervises=user.supervises,
            )
            return await self.one(ticket, user, at, asked.caller_id, command)

        return await self.once("dispute", user, asked.key, [asked.caller_id, asked.call], run)

    async def erase(self, payload: Answer) -> Answer:
        """Close what is open, then forget the number: repeated after a crash, it forgets what is left."""
        asked = payloads.read(payloads.EraseOne, payload)
        user = asked.user
        user.require("admin")

        async def run(ticket: Ticket, at: datetime) -> Answer:
            command = Erase(by=user.username, reason=asked.reason, at=at)
            answer = await self.one(ticket, user, at, asked.caller_id, command)
            position = answer["position"]
            assert isinstance(position, int)
            return answer | {"left": await self._tools.forgetting.forget(asked.caller_id, position, at)}

        return await self.once("erase", user, asked.key, [asked.caller_id, asked.reason], run)

    async def hand_back(self, payload: Answer) -> Answer:
        """Release all that a user holds, when they log out or are deactivated."""
        asked = payloads.read(payloads.HandBack, payload)
        user = asked.user
        if user.username != asked.username:
            user.require("admin")

        async def run(ticket: Ticket, at: datetime) -> Answer:
            held = await self._tools.carry_out.caught_up(lambda: self._tools.states.held_by(asked.username))
            command = HandBack(operator=asked.username, at=at, why=asked.why)
            order = Order(ticket=ticket, actor=user.username, at=at)
            done = await self._tools.carry_out.many(order, dict.fromkeys(held, command))
            return {"position": done.position, "callers": done.changed}

        return await self.once("hand_back", user, asked.key, [asked.username, asked.why], run)

    async def once(
        self,
        name: str,
        user: User,
        key: str | None,
        content: object,
        run: Callable[[Ticket, datetime], Awaitable[Answer]],
    ) -> Answer:
        """Run a command unless its key was answered before; what was refused stays refused."""
        at = self._tools.clock.now()
        ticket = ticket_for(user.username, name, content, key)
        self._tools.notebook.active(user.username, at)
        answer = await self._tools.notebook.answer(ticket)
        if answer is None:
            try:
                answer = await self._tools.notebook.keep(ticket, await run(ticket, at))
            except Rejected as refusal:
                problem = self._named(refusal).as_problem()
                answer = await self._tools.notebook.keep(ticket, {"problem": problem.as_json()})
                _log.info("command_refused", command=name, refusal=problem.type, ticket=ticket.id)
        if isinstance(refused := answer.get("problem"), dict):
            raise Problem.from_json(refused)
        return answer

    async def one(self, ticket: Ticket, user: User, at: datetime, caller_id: CallerId, command: Command) -> Answer:
        """Carry out a command on one caller that the user may know."""
        done = await self._tools.carry_out.one(self._order(ticket, user, at), caller_id, command)
        return {"position": done.position}

    def _order(self, ticket: Ticket, user: User, at: datetime) -> Order:
        def allowed(caller: Caller) -> bool:
            """A caller with open requests that are all out of the user's queues is as if not there."""
            open_requests = caller.open_requests
            return not open_requests or any(user.sees(request.queue) for request in open_requests)

        return Order(ticket=ticket, actor=user.username, at=at, allowed=allowed)

    def _named(self, refusal: Rejected) -> Rejected:
        """The refusal with the display name of whoever stands in the way, and the site's time."""
        operators, zone = self._tools.site.operators, self._tools.site.settings.zone
        match refusal:
            case AlreadyReserved(by=by, since=since):
                return AlreadyReserved(by, since.astimezone(zone), operators.name_of(by))
            case BeingCalled(by=by, since=since):
                return BeingCalled(by, since.astimezone(zone), operators.name_of(by))
            case _:
                return refusal

    def _extension_of(self, username: str) -> str:
        operator = self._tools.site.operators.get(username)
        return operator.extension if operator is not None else ""

    def _queues_of(self, username: Username) -> tuple[str, ...]:
        """The queues that a user may see; empty: all."""
        operator = self._tools.site.operators.get(username)
        return operator.queues if operator is not None else ()

    def _assignment(self, ticket: Ticket, user: User, at: datetime, caller_id: CallerId, operator: Username) -> Assign:
        minutes = self._tools.site.settings.assignment_minutes
        return Assign(
            operator=operator,
            by=user.username,
            reservation=ReservationId(ticket.derive("reservation", caller_id)),
            at=at,
            lease=timedelta(minutes=minutes) if minutes else None,
            queues=self._queues_of(operator),
        )

    async def _require_assignable(self, username: Username) -> None:
        """Only active users with an extension, of those the setting picks when it picks any."""
        found = self._tools.site.operators.get(username)
        if found is None or not found.active or not found.extension:
            # The user may have been made an instant ago.
            await self._tools.catch_up_site()
            found = self._tools.site.operators.get(username)
        if found is None or not found.active:
            raise NotAssignable(f"There is no active user {username}.")
        if not found.extension:
            raise NotAssignable(f"{found.name or username} has no extension to call from.")
        picked = self._tools.site.settings.operator_extensions
        if picked and found.extension not in picked:
            raise NotAssignable(f"The setting 'operator extensions' leaves out {found.name or username}.")

    async def _share_out(
        self, ticket: Ticket, callers: Sequence[CallerId], operators: Sequence[Username]
    ) -> Mapping[CallerId, Username]:
        """Each caller to whoever has the fewest of those who may see them; who holds one of them already keeps them."""
        load = Counter(await self._tools.states.load_of(operators))
        states = (await self._tools.states.look(callers, ticket)).callers
        chosen: dict[CallerId, Username] = {}
        for one in callers:
            state = states.get(one)
            held = state.reservation.operator if state is not None and state.reservation is not None else None
            if held is not None and held in operators and len(operators) > 1:
                chosen[one] = held
                continue
            waits_on = {request.queue for request in state.open_requests} if state is not None else set()
            able = [name for name in operators if not (seen := self._queues_of(name)) or waits_on.intersection(seen)]
            fewest = min(able or operators, key=lambda name: load[name])
            load[fewest] += 1
            chosen[one] = fewest
        return chosen


def _distinct(callers: Sequence[CallerId]) -> list[CallerId]:
    if len(callers) > AT_ONCE:
        raise TooMany(AT_ONCE)
    return list(dict.fromkeys(callers))
