"""Which commands of the gateway itself were answered already? One effect and one answer for each key.

Commands on callers carry their key to the queue service; these are those on users and settings.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from psycopg.types.json import Jsonb
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.auth.credentials import Pool
from richiamo_kit.clock import Clock

Answer = tuple[int, dict[str, Any]]


class Answered:
    """Remembers answers by user and key for a day."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def once(
        self, username: str, key: str | None, command: object, carry_out: Callable[[], Awaitable[Answer]]
    ) -> JSONResponse:
        """The answer of the command: the one given before, when this key was used for the same command.

        Raises the problem `key-reused` (422) when it was used for another one. Errors are not remembered.
        """
        if key is None:
            status, body = await carry_out()
            return JSONResponse(body, status)
        fingerprint = hashlib.sha256(json.dumps(command, sort_keys=True).encode()).hexdigest()
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"gateway:{username}:{key}",)
            )
            found = await connection.execute(
                "select fingerprint, status, body from gateway.answered where username = %s and key = %s",
                (username, key),
            )
            row = await found.fetchone()
            if row is not None:
                if row[0] != fingerprint:
                    title = "This idempotency key was used for another command."
                    raise problem.invalid(title, {"Idempotency-Key": "Choose a new key for each command."})
                return JSONResponse(row[2], int(row[1]))
            status, body = await carry_out()
            await connection.execute(
                "insert into gateway.answered (username, key, fingerprint, status, body, at)"
                " values (%s, %s, %s, %s, %s, %s)",
                (username, key, fingerprint, status, Jsonb(body), self._clock.now()),
            )
            await connection.execute(
                "delete from gateway.answered where at < %s::timestamptz - interval '1 day'", (self._clock.now(),)
            )
        return JSONResponse(body, status)
