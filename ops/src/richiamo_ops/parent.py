"""Did `make`, which started us, die or get a Ctrl-C meant for us? GNU make hands on SIGTERM but not SIGINT.

A Ctrl-C in a terminal reaches the whole process group; `kill -INT` of make alone reaches make, which then waits for
us without a word. While it does, its handler for SIGINT is no longer set, and Linux shows that.
"""

import asyncio
import os
import signal
from pathlib import Path

_SIGINT_BIT = 1 << (signal.SIGINT - 1)


def made_by_make() -> bool:
    """Whether our parent is make."""
    try:
        return Path(f"/proc/{os.getppid()}/comm").read_text().strip() in {"make", "gmake"}
    except OSError:
        return False


async def parent_wants_end() -> None:
    """Return when make was interrupted or is gone; never, when it was not make that started us."""
    if not made_by_make():
        await asyncio.Event().wait()
    parent = os.getppid()
    catching = _catches_interrupt(parent)
    while os.getppid() == parent and (not catching or _catches_interrupt(parent)):
        await asyncio.sleep(0.25)


def _catches_interrupt(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line for line in lines if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) & _SIGINT_BIT)
