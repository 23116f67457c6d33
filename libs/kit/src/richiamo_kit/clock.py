"""What time is it? A port, so that a test can say."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """Stands still until told to advance."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by

    def set(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._now = now.astimezone(UTC)
