"""How soon do so many browsers on one gateway show what happens? `make bench-live`, on a system of its own."""

import argparse
import asyncio
import os

from rich.console import Console

from richiamo_ops.bench import streams
from richiamo_ops.bench.figures import Figure, table
from richiamo_ops.bench.people import Staff
from richiamo_ops.bench.system import own_system
from richiamo_ops.site import reached

_OPERATORS = 20


async def measure(browsers: int, rate: float, seconds: float) -> list[Figure]:
    """Starts a system, lets so many browsers watch, and loses calls."""
    async with own_system() as system:
        await system.start()
        async with reached("bench", system.installation) as site:
            staff = Staff(system.installation.gateway_port)
            await staff.hire(_OPERATORS)
            return await streams.measure(system, site, staff, browsers, seconds, rate=rate)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=600)
    parser.add_argument("--rate", type=float, default=streams.RATE, help="lost calls a second")
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    figures = asyncio.run(measure(given.browsers, given.rate, given.seconds))
    Console(highlight=False).print(table(figures, f"bench-live on {os.cpu_count()} cores, load {load:.1f} before"))


if __name__ == "__main__":
    main()
