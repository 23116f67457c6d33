"""How does one talk to the NATS server? One way to connect, and JetStream's own API as questions and answers."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client

from richiamo_kit.errors import Unavailable
from richiamo_kit.store.client import LogClient

_log = structlog.get_logger(__name__)

OUTBOUND_BYTES = 64 * 1024 * 1024
"""What may wait for a reconnect: more than an atomic batch of 20,000 events."""

_UNAVAILABLE = 503
_NO_STORE = 10049


class JetStreamError(Exception):
    """JetStream refused a request; `code` is its `err_code`, such as 10071, `status` the HTTP-like class."""

    def __init__(self, code: int, status: int, description: str) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.status = status
        self.description = description

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later (no leader, no quorum, server starting, the same stream's old
        folder just being removed).
        """
        return self.status == _UNAVAILABLE or self.code == _NO_STORE


async def connect(nats_url: str, *, name: str = "richiamo", wait: float = 30.0) -> LogClient:
    """A client that reconnects for ever and notices a hung server within about 10 s.

    Waits up to `wait` seconds for the server to appear, then raises `Unavailable`. End it with `close()`: `drain()`
    does not end when the server is gone.
    """
    client = LogClient()
    address = Address.of(nats_url)
    try:
        # Told to reconnect for ever, the client also waits for its first connection by itself.
        async with asyncio.timeout(wait):
            await client.connect(
                address.servers,
                name=name,
                # Said outright, so that it is shown to the servers too of which the cluster tells.
                user=address.user or None,
                password=address.password or None,
                connect_timeout=2,
                ping_interval=5,
                max_outstanding_pings=2,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.2,  # type: ignore[arg-type]  # Seconds; fractions work.
                pending_size=OUTBOUND_BYTES,
                allow_reconnect=True,
                inbox_prefix=inbox_of(address.user),
                error_cb=_on_error,
                disconnected_cb=partial(_on_disconnected, client),
                reconnected_cb=_on_reconnected,
            )
    except (OSError, nats.errors.Error, TimeoutError) as error:
        await client.close()
        raise Unavailable(f"no NATS server answers: {error}") from error
    return client


class Address(NamedTuple):
    """What `RICHIAMO_NATS_URL` says: where the servers of the log are, and who connects (empty: whoever comes)."""

    servers: list[str]
    user: str
    password: str

    @staticmethod
    def of(nats_url: str) -> "Address":
        """Take apart one address, or several with commas between, all for the same user."""
        parts = [urlsplit(one.strip()) for one in nats_url.split(",")]
        servers = [one._replace(netloc=one.netloc.rpartition("@")[2]).geturl() for one in parts]
        return Address(servers, parts[0].username or "", parts[0].password or "")


def inbox_of(user: str) -> str:
    """Where the answers to this user's questions come; without a user, where everybody's do."""
    return f"_INBOX_{user}" if user else "_INBOX"


async def _on_error(error: Exception) -> None:
    _log.warning("nats_error", error=str(error) or type(error).__name__)


async def _on_disconnected(client: Client) -> None:
    if not client.is_closed:
        _log.warning("nats_disconnected")


async def _on_reconnected() -> None:
    _log.info("nats_reconnected")


async def ask_server(
    client: Client,
    subject: str,
    body: bytes = b"",
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = 1.0,
) -> dict[str, object]:
    """One question to JetStream and its answer, both JSON.

    Raises `JetStreamError` for a refusal and `Unavailable` when no answer came: then the outcome is unknown.
    """
    try:
        message = await client.request(subject, body, timeout=timeout, headers=dict(headers) if headers else None)
    except nats.errors.NoRespondersError as error:
        raise Unavailable("JetStream has no leader for this stream") from error
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise Unavailable(f"JetStream did not answer: {error}") from error
    answer = json.loads(message.data)
    if not isinstance(answer, dict):
        raise Unavailable("JetStream answered something else than an object")
    refusal = answer.get("error")
    if isinstance(refusal, dict):
        raise JetStreamError(
            int(refusal.get("err_code", 0)), int(refusal.get("code", 500)), str(refusal.get("description", ""))
        )
    return answer


async def api(
    client: Client, question: str, content: Mapping[str, object] | None = None, *, timeout: float = 1.0
) -> dict[str, object]:
    """A call of JetStream's management API, `question` being what follows `$JS.API.`."""
    body = json.dumps(content).encode() if content is not None else b""
    return await ask_server(client, f"$JS.API.{question}", body, timeout=timeout)


async def api_patiently(
    client: Client, question: str, content: Mapping[str, object] | None = None, *, within: float = 8.0
) -> dict[str, object]:
    """The same, repeated while the server or its leader is away, for up to `within` seconds. For repeatable calls."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        try:
            return await api(client, question, content)
        except Unavailable:
            if loop.time() >= deadline:
                raise
        except JetStreamError as error:
            if not error.passing:
                raise
            if loop.time() >= deadline:
                raise Unavailable(str(error)) from error
        await asyncio.sleep(0.1)
