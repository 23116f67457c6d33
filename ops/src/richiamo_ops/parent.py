"""Did `make`, which started us, die or get a Ctrl-C meant for us? GNU make hands on SIGTERM but not SIGINT.

A Ctrl-C in a terminal reaches the whole process group; `kill -INT` of make alone reaches make, which then waits for
us without a word. While it does, a SIGINT would find neither a handler nor be ignored, and Linux shows that.
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
    while os.getppid() == parent and not _was_interrupted(parent):
        await asyncio.sleep(0.25)


def _was_interrupted(make: int) -> bool:
    """Whether make has taken its handler away, as it does when it is interrupted; started with `&` it has none."""
    try:
        status = Path(f"/proc/{make}/status").read_text()
    except OSError:
        return False
    masks = dict(line.split(":\t", 1) for line in status.splitlines() if line.startswith(("SigCgt:", "SigIgn:")))
    return len(masks) == 2 and not any(int(mask, 16) & _SIGINT_BIT for mask in masks.values())
