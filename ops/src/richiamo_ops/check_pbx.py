"""Is the PBX set up as Richiamo needs it? The same answer as the button of the settings page gives."""

import asyncio
from datetime import datetime
from typing import Any

from rich.console import Console

from richiamo_ops.asking import Ask, asking
from richiamo_ops.site import reached

_PATIENCE = 60.0


def check_pbx() -> int:
    """Log in to the PBX and read its last calls; say in words what is wrong, or that all is well.

    Nothing rings and nothing is stored. Exit code 1 when something is wrong.

    Example: richiamo test-pbx
    """
    return asyncio.run(_test())


async def _test() -> int:
    # The answer goes to the standard output, the waiting to the terminal.
    out, waiting = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    async with reached("test-pbx") as site, asking(site, patience=_PATIENCE) as ask:
        with waiting.status("asking the PBX"):
            lines = await asked(ask)
    for title, well, words in lines:
        out.print(f"{'ok   ' if well else 'WRONG'}  {title}: {words}", markup=False)
    return 0 if all(well for _, well, _ in lines) else 1


async def asked(ask: Ask) -> list[tuple[str, bool, str]]:
    """What was tested, whether it is well, and why not."""
    records, dialling, poll = await asyncio.gather(
        ask("richiamo.ingest.test_pbx", {}),
        ask("richiamo.queue.test_dialling", {}),
        ask("richiamo.ingest.poll", {}),
    )
    asterisk = dialling.get("how") == "ami" and records["trouble"] == "not_set_up"
    lines = [] if asterisk else [("Call records", bool(records["ok"]), str(records["words"]))]
    if dialling["on"]:
        lines.append(("Click to call", bool(dialling["ok"]), str(dialling["words"])))
    lines.append(("Poll", not poll["trouble"], _poll(poll)))
    return lines


def _poll(poll: dict[str, Any]) -> str:
    if not poll["on"]:
        return "Off (setting cdr_poll): records must come by push or file."
    if poll["trouble"]:
        return f"Fails since {_clock(poll['failing_since'])}. {poll['words']}"
    return (
        f"Records are read up to {_clock(poll['through'])}." if poll["through"] else "The first poll is still to come."
    )


def _clock(instant: str) -> str:
    return f"{datetime.fromisoformat(instant):%Y-%m-%d %H:%M} UTC"
