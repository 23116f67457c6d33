"""Is this the password? argon2id, off the event loop, a few at a time."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 4
"""Each check takes 19 MiB and some 20 ms of a core; a whole shift may log in at the same minute."""


class Passwords:
    """Hashes and checks passwords with the parameters OWASP gives as the least for argon2id."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._decoy = self._hasher.hash("a password that nobody has")
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one hashed in `stored`; as slow for unknown users (None)."""
        async with self._slots:
            return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(self._decoy if stored is None else stored, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None
