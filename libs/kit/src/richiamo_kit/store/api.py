"""How does one ask JetStream something? Its own API, as questions, answers and refusals."""

import asyncio
import json
from collections.abc import Mapping

import nats.errors
from nats.aio.client import Client

from richiamo_kit.errors import Unavailable

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
    try:
        answer = json.loads(message.data)
    except ValueError as error:
        raise Unavailable("JetStream answered something that is no JSON") from error
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
