"""How do the lines of seven processes stay readable in one terminal? Each begins with the name of who said it."""

import contextlib
import re

from rich.console import Console
from rich.text import Text

_COLOURS = {
    "nats": "blue",
    "postgres": "cyan",
    "ingest": "green",
    "queue": "yellow",
    "callback-tracker": "magenta",
    "reporting": "bright_blue",
    "gateway": "bright_green",
    "simulate": "white",
}
_WIDTH = max(len(name) for name in _COLOURS)
# What the servers say of themselves at each start is not news, and an error in a statement is told by who made it.
_QUIET = {
    "nats": re.compile(r"\[(INF|DBG|TRC)\]|Plaintext passwords"),
    "postgres": re.compile(r"^(?!WARNING|FATAL|PANIC)|the database system is|terminating connection"),
}


class Output:
    """Where lines go."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def hear(self, part: str, line: str) -> None:
        """Print one line that `part` said, unless nobody has to read it."""
        quiet = _QUIET.get(part)
        if not (quiet and quiet.search(line)):
            self.say(part, line)

    def say(self, part: str, line: str) -> None:
        """Print one line about `part`; a terminal that is gone is no reason to end."""
        text = Text(f"{part:>{_WIDTH}} | ", style=_COLOURS.get(part, "white"))
        text.append_text(Text.from_ansi(line))
        with contextlib.suppress(OSError):
            self._console.print(text)
