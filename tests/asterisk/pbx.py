"""What does an Asterisk say over its manager interface? A server that speaks it, and goes wrong when told so.

After manager.c of Asterisk 18: banner, `Challenge`, `Login` with MD5 or in clear, event masks within the rights of
`manager.conf`, asynchronous `Originate` with its `OriginateResponse`, `Ping`, `CoreShowChannels`.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Fields = list[tuple[str, str]]

NO_SUCH_EXTENSION, NO_ANSWER, ANSWERED, BUSY = "0", "3", "4", "5"


@dataclass(frozen=True, slots=True)
class User:
    """A user of manager.conf with the classes of its `read` and `write` lines."""

    secret: str
    read: frozenset[str] = frozenset({"agent", "call", "cdr"})
    write: frozenset[str] = frozenset({"originate", "reporting"})


@dataclass(slots=True)
class Trouble:
    """How the PBX goes wrong; all of it at once if told so."""

    banner: str = "Asterisk Call Manager/5.0.3"
    no_challenge: bool = False
    cut_after: str = ""
    """The connection breaks when this action was received, before it is answered."""
    silent_after: str = ""
    """The action is carried out and never answered."""
    garbage_before_answers: bytes = b""
    delay_seconds: float = 0.0


@dataclass(slots=True)
class Session:
    writer: asyncio.StreamWriter
    user: User | None = None
    mask: frozenset[str] = frozenset()

    def send(self, fields: Fields) -> None:
        self.writer.write(("".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode())


@dataclass(slots=True)
class AsteriskPbx:
    """One PBX; `outcome` is the reason of the OriginateResponse that follows an Originate, "" for none yet."""

    users: dict[str, User] = field(default_factory=lambda: {"richiamo": User("ami secret")})
    trouble: Trouble = field(default_factory=Trouble)
    outcome: str = ANSWERED
    originated: list[dict[str, list[str]]] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    channels: list[Fields] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    logins: int = 0
    port: int = 0
    happened: asyncio.Condition = field(default_factory=asyncio.Condition)
    serving: set["asyncio.Task[None] | None"] = field(default_factory=set)

    async def emit(self, event: str, privilege: str, *fields: tuple[str, object]) -> None:
        """Tell all who may and want to hear this class of events."""
        for session in list(self.sessions):
            if session.user and privilege in session.user.read & session.mask:
                shown = [(name, str(value)) for name, value in fields]
                session.send([("Event", event), ("Privilege", f"{privilege},all"), *shown])
                await session.writer.drain()

    async def cut(self) -> None:
        """Break every connection, as a restart of the PBX does."""
        for session in list(self.sessions):
            session.writer.transport.abort()
        self.sessions.clear()

    async def listened_to(self, logins: int = 1) -> None:
        """Wait for so many log-ins in all, the last of which still stands."""
        async with asyncio.timeout(60), self.happened:
            await self.happened.wait_for(lambda: self.logins >= logins and any(one.user for one in self.sessions))

    async def left(self) -> None:
        """Wait until nobody is connected."""
        async with self.happened:
            await self.happened.wait_for(lambda: not self.sessions)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(writer)
        self.sessions.append(session)
        self.serving.add(asyncio.current_task())
        try:
            writer.write(f"{self.trouble.banner}\r\n".encode())
            while fields := await _read(reader):
                if not await self._answer(session, fields):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # The client has gone; that is its right.
        finally:
            if session in self.sessions:
                self.sessions.remove(session)
            writer.close()
            async with self.happened:
                self.happened.notify_all()
            self.serving.discard(asyncio.current_task())

    async def _answer(self, session: Session, fields: dict[str, list[str]]) -> bool:
        action = fields.get("action", [""])[0]
        self.actions.append(action)
        if action == self.trouble.cut_after:
            return False
        if self.trouble.delay_seconds:
            await asyncio.sleep(self.trouble.delay_seconds)
        if self.trouble.garbage_before_answers:
            session.writer.write(self.trouble.garbage_before_answers)
        own = [("ActionID", fields["actionid"][0])] if "actionid" in fields else []
        answer, stays = self._carry_out(session, action, fields)
        if action != self.trouble.silent_after:
            session.send([answer[0], *own, *answer[1:]])
            await session.writer.drain()
        if action == "Originate" and answer[0] == ("Response", "Success") and self.outcome:
            await self.originate_response(fields)
        if action == "CoreShowChannels":
            for channel in self.channels:
                session.send([("Event", "CoreShowChannel"), *own, *channel])
            session.send([("Event", "CoreShowChannelsComplete"), *own, ("ListItems", str(len(self.channels)))])
        async with self.happened:
            self.happened.notify_all()
        return stays

    def _carry_out(self, session: Session, action: str, fields: dict[str, list[str]]) -> tuple[Fields, bool]:
        if action == "Challenge" and not self.trouble.no_challenge:
            self._challenge = secrets.token_hex(5)
            return [("Response", "Success"), ("Challenge", self._challenge)], True
        if action == "Login":
            return self._log_in(session, fields)
        if action == "Ping":
            return [("Response", "Success"), ("Ping", "Pong"), ("Timestamp", "1772442000.000001")], True
        if session.user is None:
            return _error("Permission denied"), True
        if action == "Originate":
            return self._originate(session.user, fields), True
        if action == "CoreShowChannels":
            may = session.user.write & {"system", "reporting"}
            answer = [("Response", "Success"), ("EventList", "start"), ("Message", "Channels will follow")]
            return answer if may else _error("Permission denied"), True
        return _error("Invalid/unknown command"), True

    _challenge: str = ""

    def _log_in(self, session: Session, fields: dict[str, list[str]]) -> tuple[Fields, bool]:
        user = self.users.get(fields.get("username", [""])[0])
        right = False
        if user is not None and "key" in fields and self._challenge:
            key = hashlib.md5((self._challenge + user.secret).encode(), usedforsecurity=False).hexdigest()
            right = fields["key"][0] == key
        elif user is not None and "secret" in fields:
            right = fields["secret"][0] == user.secret
        if not right or user is None:
            return _error("Authentication failed"), False
        mask = fields.get("events", ["on"])[0]
        session.user = user
        session.mask = user.read if mask == "on" else frozenset(mask.split(","))
        self.logins += 1
        return [("Response", "Success"), ("Message", "Authentication accepted")], True

    def _originate(self, user: User, fields: dict[str, list[str]]) -> Fields:
        if not user.write & {"originate", "call"}:
            return _error("Permission denied")
        if "channel" not in fields or "/" not in fields["channel"][0]:
            return _error("Invalid channel")
        if not {"exten", "context", "priority"} <= set(fields):
            return _error("Originate requires an application or an extension")
        if "async" not in fields:
            return _error("This PBX is asked asynchronously in these tests")
        self.originated.append(fields)
        return [("Response", "Success"), ("Message", "Originate successfully queued")]

    async def originate_response(self, fields: dict[str, list[str]], reason: str = "") -> None:
        """Say what became of a call: whether the first phone was taken up."""
        reason = reason or self.outcome
        await self.emit(
            "OriginateResponse",
            "call",
            ("ActionID", fields["actionid"][0]),
            ("Response", "Success" if reason == ANSWERED else "Failure"),
            ("Channel", fields["channel"][0]),
            ("Context", fields["context"][0]),
            ("Exten", fields["exten"][0]),
            ("Reason", reason),
            ("Uniqueid", fields.get("channelid", ["<null>"])[0]),
            ("CallerIDNum", "<unknown>"),
        )


async def _read(reader: asyncio.StreamReader) -> dict[str, list[str]]:
    """One action; empty at the end of the connection."""
    fields: dict[str, list[str]] = {}
    while True:
        line = (await reader.readuntil(b"\n")).decode().strip("\r\n")
        if not line:
            if fields:
                return fields
            continue
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), []).append(value.strip())


def _error(message: str) -> Fields:
    return [("Response", "Error"), ("Message", message)]


@asynccontextmanager
async def running(pbx: AsteriskPbx) -> AsyncIterator[AsteriskPbx]:
    """Serve on a free port; the same one again if it served before."""
    server = await asyncio.start_server(pbx.serve, "127.0.0.1", pbx.port)
    pbx.port = server.sockets[0].getsockname()[1]
    try:
        yield pbx
    finally:
        server.close()
        await pbx.cut()
        if still := [task for task in pbx.serving if task]:
            _, stuck = await asyncio.wait(still, timeout=10)
            assert not stuck, f"conversations without an end: {pbx.actions}"


def caller_fields(call: str, caller: str, queue: str) -> list[tuple[str, object]]:
    """What an event of a queue says of the one who waits."""
    return [
        ("Channel", "PJSIP/linea-it-0000001a"),
        ("ChannelState", 6),
        ("CallerIDNum", caller),
        ("CallerIDName", "<unknown>"),
        ("ConnectedLineNum", "<unknown>"),
        ("AccountCode", ""),
        ("Context", "ext-queues"),
        ("Exten", "600"),
        ("Priority", 1),
        ("Uniqueid", call),
        ("Linkedid", call),
        ("Queue", queue),
    ]


async def abandon(pbx: AsteriskPbx, call: str, caller: str, *, queue: str = "Vendite", waited: int = 12) -> None:
    """A caller waits and hangs up."""
    fields = caller_fields(call, caller, queue)
    await pbx.emit("QueueCallerJoin", "agent", *fields, ("Position", 1), ("Count", 1))
    await pbx.emit(
        "QueueCallerAbandon", "agent", *fields, ("Position", 1), ("OriginalPosition", 1), ("HoldTime", waited)
    )
    await pbx.emit("QueueCallerLeave", "agent", *fields, ("Position", 1), ("Count", 0))


async def connect(pbx: AsteriskPbx, call: str, caller: str, *, queue: str = "Vendite", extension: str = "201") -> None:
    """A member of the queue takes the call."""
    await pbx.emit("AgentConnect", "agent", *caller_fields(call, caller, queue), *_member(call, extension))


async def complete(pbx: AsteriskPbx, call: str, caller: str, *, talked: int, extension: str = "201") -> None:
    """The talk with that member ends."""
    fields = (*caller_fields(call, caller, "Vendite"), *_member(call, extension))
    await pbx.emit("AgentComplete", "agent", *fields, ("TalkTime", talked), ("Reason", "agent"))


def _member(call: str, extension: str) -> list[tuple[str, object]]:
    return [
        ("DestUniqueid", f"{call}9"),
        ("DestLinkedid", call),
        ("MemberName", f"Extension {extension}"),
        ("Interface", f"Local/{extension}@from-queue/n"),
        ("HoldTime", 12),
        ("RingTime", 4),
    ]


CDR_EVENT = {
    "accountcode": "AccountCode",
    "src": "Source",
    "dst": "Destination",
    "dcontext": "DestinationContext",
    "clid": "CallerID",
    "channel": "Channel",
    "dstchannel": "DestinationChannel",
    "lastapp": "LastApplication",
    "lastdata": "LastData",
    "start": "StartTime",
    "answer": "AnswerTime",
    "end": "EndTime",
    "duration": "Duration",
    "billsec": "BillableSeconds",
    "disposition": "Disposition",
    "amaflags": "AMAFlags",
    "uniqueid": "UniqueID",
    "userfield": "UserField",
}


async def record(pbx: AsteriskPbx, row: dict[str, str]) -> None:
    """The event `Cdr` of one channel; without mappings it does not tell the linkedid."""
    await pbx.emit("Cdr", "cdr", *((shown, row[name]) for name, shown in CDR_EVENT.items()))
