"""Does everybody get their own answer when many ask at once, with few statements and none answered from the past?"""

import asyncio
from collections.abc import Sequence

import pytest

from richiamo_kit.gathering import Gathering


class Doubling:
    """Doubles numbers, when told to go on; refuses negative ones."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.go_on = asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        await self.go_on.wait()
        if any(number < 0 for number in numbers):
            raise ValueError("negative")
        return [2 * number for number in numbers]


async def test_what_waits_together_is_asked_together() -> None:
    doubling = Doubling()
    gathering = Gathering(doubling)
    first = asyncio.create_task(gathering.ask(1))
    while not doubling.asked:
        await asyncio.sleep(0)
    others = [asyncio.create_task(gathering.ask(number)) for number in range(2, 50)]
    await asyncio.sleep(0)
    doubling.go_on.set()
    assert await first == 2
    assert await asyncio.gather(*others) == [2 * number for number in range(2, 50)]
    # Those that came while the first was under way were not answered by it.
    assert doubling.asked == [[1], list(range(2, 50))]


async def test_no_statement_grows_without_limit() -> None:
    doubling = Doubling()
    doubling.go_on.set()
    gathering = Gathering(doubling)
    assert await asyncio.gather(*(gathering.ask(number) for number in range(1200))) == [2 * n for n in range(1200)]
    assert max(len(group) for group in doubling.asked) == 500


async def test_an_error_reaches_its_group_and_the_next_group_is_asked() -> None:
    doubling = Doubling()
    doubling.go_on.set()
    gathering = Gathering(doubling)
    with pytest.raises(ValueError, match="negative"):
        await gathering.ask(-1)
    assert await gathering.ask(4) == 8


async def test_who_went_away_holds_up_nobody() -> None:
    doubling = Doubling()
    gathering = Gathering(doubling)
    gone, stays = asyncio.create_task(gathering.ask(1)), asyncio.create_task(gathering.ask(2))
    while not doubling.asked:
        await asyncio.sleep(0)
    gone.cancel()
    doubling.go_on.set()
    assert await stays == 4
    assert await gathering.ask(3) == 6
