"""Which commands of the gateway itself were answered already? One effect and one answer for each key.

Commands on callers carry their key to the queue service; these are those on users and settings.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import JSONResponse

from richiamo_gateway import problem
from richiamo_gateway.auth.schema import answered
from richiamo_kit.clock import Clock

Answer = tuple[int, dict[str, Any]]

_KEPT = timedelta(days=1)


class Answered:
    """Remembers answers by user and key for a day."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
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
        async with self._engine.begin() as connection:
            lock = func.hashtextextended(f"gateway:{username}:{key}", 0)
            await connection.execute(select(func.pg_advisory_xact_lock(lock)))
            given = await connection.execute(
                select(answered.c.fingerprint, answered.c.status, answered.c.body).where(
                    answered.c.username == username, answered.c.key == key
                )
            )
            row = given.one_or_none()
            if row is not None:
                if row.fingerprint != fingerprint:
                    title = "This idempotency key was used for another command."
                    raise problem.invalid(title, {"Idempotency-Key": "Choose a new key for each command."})
                return JSONResponse(row.body, row.status)
            status, body = await carry_out()
            now = self._clock.now()
            answer = {"username": username, "key": key, "fingerprint": fingerprint, "status": status, "body": body}
            await connection.execute(insert(answered).values(**answer, at=now))
            await connection.execute(delete(answered).where(answered.c.at < now - _KEPT))
        return JSONResponse(body, status)
