"""How does one speak with an Asterisk's manager interface (AMI)? One connection: log in, act, hear events.

The protocol is lines `Name: value`, an empty line ends a message. An action is sent at most once: nothing is
queued, nothing is repeated on a new connection (decision 13). No text of others can become a line of its own.
"""

import asyncio
import contextlib
import hashlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

Message = dict[str, str]
"""One message; names in lower case, since Asterisk's releases spell some of them differently."""

Fields = Sequence[tuple[str, str]]

_BANNER = "Asterisk Call Manager"
_LONGEST_LINE = 64 * 1024
_MOST_FIELDS = 1000
_LARGEST_MESSAGE = 256 * 1024
_MOST_WAITING = 10_000
"""Events that may come while an answer is waited for."""
_LEAST_PRINTABLE = 0x20
_DELETE = 0x7F


class AmiLost(Exception):
    """There is no connection, or it ended, or the other side is no AMI; the message says which in a sentence."""


class AmiRefused(Exception):
    """The PBX answered no; the message is its own."""


class LoginRefused(AmiRefused):
    """User, secret or address are not those of `manager.conf`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiAccount:
    """Where the AMI is and who logs in. `login` plain sends the secret as it is: only over TLS or loopback."""

    host: str
    username: str
    secret: str = field(repr=False)
    port: int = 5038
    login: Literal["md5", "plain"] = "md5"
    tls: bool = False
    timeout_seconds: float = 5.0


class AmiConnection:
    """One logged-in connection, for one reader at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout_seconds: float) -> None:
        self._reader = reader
        self._writer = writer
        self._within = timeout_seconds
        self._heard: deque[Message] = deque()
        self._partial: list[tuple[str, str]] = []
        self._partial_size = 0
        self._sent = 0

    async def act(self, action: str, fields: Fields = ()) -> Message:
        """Send an action and answer its response; events that come before it are kept for `event`.

        Raises ValueError before anything is sent when a value holds a line's end; `AmiRefused` on
        `Response: Error`; `AmiLost` when it is unknown what became of the action.
        """
        action_id = await self.send(action, fields)
        try:
            async with asyncio.timeout(self._within):
                while True:
                    message = await self._message()
                    if message.get("actionid") == action_id and "response" in message:
                        break
                    if "event" in message:
                        self._heard.append(message)
                    if len(self._heard) > _MOST_WAITING:
                        raise AmiLost(f"The PBX sent {_MOST_WAITING:,} events instead of an answer to {action}.")
        except TimeoutError as error:
            raise AmiLost(f"The PBX did not answer {action} within {self._within:g} s.") from error
        if message["response"].lower() == "error":
            raise AmiRefused(message.get("message", "The PBX refused."))
        return message

    async def send(self, action: str, fields: Fields = ()) -> str:
        """Send an action without waiting for its answer; answers its ActionID. Raises ValueError, `AmiLost`."""
        self._sent += 1
        action_id = f"richiamo-{self._sent}"
        rendered = render([("Action", action), ("ActionID", action_id), *fields])
        try:
            self._writer.write(rendered)
            async with asyncio.timeout(self._within):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise AmiLost("The connection to the PBX broke.") from error
        return action_id

    def end(self) -> None:
        """Close at once, without a farewell; more than once is as good."""
        self._writer.close()

    async def event(self, within: float | None = None) -> Message | None:
        """The next event; None when none came within so many seconds. What is half read then is not lost."""
        if self._heard:
            return self._heard.popleft()
        try:
            async with asyncio.timeout(within):
                while True:
                    message = await self._message()
                    if "event" in message:
                        return message
                    if "response" in message:
                        # An answer nobody waits for any more, such as a Pong: it shows that the PBX lives.
                        return {"event": "", **message}
        except TimeoutError:
            return None

    async def _message(self) -> Message:
        """One whole message."""
        while True:
            line = await self._line()
            if not line:
                if self._partial:
                    message, self._partial, self._partial_size = dict(self._partial), [], 0
                    return message
                continue
            name, colon, value = line.partition(":")
            if colon:
                self._partial.append((name.strip().lower(), value.strip()))
                self._partial_size += len(line)
            if len(self._partial) > _MOST_FIELDS or self._partial_size > _LARGEST_MESSAGE:
                raise AmiLost("The PBX sent a message without an end.")

    async def _line(self) -> str:
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise AmiLost("The PBX ended the connection.") from error
        except asyncio.LimitOverrunError as error:
            raise AmiLost("The PBX sent a line without an end.") from error
        except OSError as error:
            raise AmiLost("The connection to the PBX broke.") from error
        return line.decode("utf-8", "replace").strip("\r\n")


@asynccontextmanager
async def connected(account: AmiAccount, *, events: str = "off") -> AsyncIterator[AmiConnection]:
    """A connection that is logged in; `events` is the mask: `off`, or classes such as `call,agent,cdr`.

    Raises `AmiLost` when there is no AMI, `LoginRefused` when it does not let us in.
    """
    try:
        async with asyncio.timeout(account.timeout_seconds):
            reader, writer = await asyncio.open_connection(
                account.host,
                account.port,
                limit=_LONGEST_LINE,
                ssl=ssl.create_default_context() if account.tls else None,
            )
    except (OSError, TimeoutError) as error:
        raise AmiLost(f"No AMI answers at {account.host}:{account.port}.") from error
    try:
        connection = AmiConnection(reader, writer, account.timeout_seconds)
        await _greet(connection, account)
        await _log_in(connection, account, events)
        yield connection
    finally:
        writer.close()
        # What is lost while closing was not waited for.
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await writer.wait_closed()


async def _greet(connection: AmiConnection, account: AmiAccount) -> None:
    try:
        async with asyncio.timeout(account.timeout_seconds):
            banner = await connection._line()  # noqa: SLF001 - the two are one
    except TimeoutError as error:
        raise AmiLost(f"{account.host}:{account.port} does not greet as an AMI does.") from error
    if not banner.startswith(_BANNER):
        raise AmiLost(f"{account.host}:{account.port} is no AMI.")


async def _log_in(connection: AmiConnection, account: AmiAccount, events: str) -> None:
    who = [("Username", account.username), ("Events", events)]
    try:
        if account.login == "md5":
            challenge = (await connection.act("Challenge", [("AuthType", "MD5")])).get("challenge", "")
            key = hashlib.md5((challenge + account.secret).encode(), usedforsecurity=False).hexdigest()
            await connection.act("Login", [("AuthType", "MD5"), *who, ("Key", key)])
        else:
            await connection.act("Login", [*who, ("Secret", account.secret)])
    except AmiRefused as error:
        raise LoginRefused(f"The PBX refused the login of {account.username}: {error}") from error
    except ValueError as error:
        raise LoginRefused("The user or the secret of the AMI holds a sign that the protocol cannot carry.") from error


def render(fields: Fields) -> bytes:
    """The bytes of a message. Raises ValueError when a name or a value could be read as more than itself."""
    for name, value in fields:
        if not name or ":" in name or not _plain(name) or not _plain(value):
            raise ValueError(f"the value of {name[:40]!r} holds a sign that cannot be sent")
    return ("".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode()


def _plain(text: str) -> bool:
    """Whether there is no control sign in it: a line's end would begin another field, or another action."""
    return all(
        ord(sign) >= _LEAST_PRINTABLE and ord(sign) != _DELETE and sign not in "\x85\u2028\u2029" for sign in text
    )
