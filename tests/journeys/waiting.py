"""How does a journey wait? For a condition with a deadline, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NeverHappened(AssertionError):
    """The condition did not hold before its deadline; the message says what was seen last."""


def eventually(
    look: Callable[[], T], *, within: float = 60.0, so_that: Callable[[T], bool] = bool, what: str = "it"
) -> T:
    """Look again and again until `so_that` holds for what is seen, and give that.

    An assertion that fails while looking counts as not yet.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            seen = look()
        except AssertionError as problem:
            last = f"not yet: {problem}"
        else:
            if so_that(seen):
                return seen
            last = str(seen)
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what} not within {within:g} s; last seen: {last[:2000]}")
        time.sleep(0.02)
