"""What does one stored message look like? Read from the stream's leader, or from a consumer's delivery."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nats.aio.client import Client

from richiamo_kit.store.api import JetStreamError, api_patiently

MESSAGE_ID = "Nats-Msg-Id"
NOT_FOUND = 10037
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stored:
    """One message as a stream holds it."""

    position: int
    stored_at: datetime
    subject: str
    headers: dict[str, str]
    body: bytes


def instant_of(nanoseconds: int) -> datetime:
    """The instant of a count of nanoseconds since 1970, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


async def newest_on(client: Client, stream: str, subject: str) -> Stored | None:
    """The newest message of a subject (wildcards allowed), from the leader."""
    return await _get(client, stream, {"last_by_subj": subject})


async def next_on(client: Client, stream: str, subject: str, start: int) -> Stored | None:
    """The first message of a subject at or after a position, from the leader."""
    return await _get(client, stream, {"seq": max(start, 1), "next_by_subj": subject})


async def at_position(client: Client, stream: str, position: int) -> Stored | None:
    """The message of this position, from the leader; None when it is no longer there. Raises `Unavailable`."""
    return await _get(client, stream, {"seq": position})


async def _get(client: Client, stream: str, question: dict[str, object]) -> Stored | None:
    try:
        answer = await api_patiently(client, f"STREAM.MSG.GET.{stream}", question)
    except JetStreamError as error:
        if error.code == NOT_FOUND:
            return None
        raise
    message = answer["message"]
    if not isinstance(message, dict):
        raise TypeError("STREAM.MSG.GET without a message")
    return Stored(
        position=int(message["seq"]),
        stored_at=_parse_time(str(message["time"])),
        subject=str(message["subject"]),
        headers=parse_headers(base64.b64decode(message.get("hdrs", ""))),
        body=base64.b64decode(message.get("data", "")),
    )


def _parse_time(text: str) -> datetime:
    # The server writes nanoseconds without trailing zeros; datetime takes six digits at most.
    whole, _, rest = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=UTC, microsecond=int(rest[:6].ljust(6, "0")))


def parse_headers(raw: bytes) -> dict[str, str]:
    """The headers of a message by name, from their bytes; the first line (version, status) is left out."""
    headers: dict[str, str] = {}
    for line in raw.decode().split("\r\n")[1:]:
        name, separator, value = line.partition(":")
        if separator:
            headers[name] = value.strip()
    return headers


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a consumer's reply subject tells: the message's place in the stream and in the delivery."""

    position: int
    number: int
    nanoseconds: int
    pending: int

    @classmethod
    def of(cls, reply: bytes) -> "Delivery":
        tokens = reply.split(b".")
        # $JS.ACK.<stream>.<consumer>.<delivered>.<position>.<number>.<time>.<pending>, newer servers may put
        # <domain>.<account> before the stream and a random token last.
        first = 2 if len(tokens) == 9 else 4
        return cls(
            position=int(tokens[first + 3]),
            number=int(tokens[first + 4]),
            nanoseconds=int(tokens[first + 5]),
            pending=int(tokens[first + 6]),
        )
