"""What does a user read when everything is up? Addresses, the log-in, and a lost call to try."""

import time

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from richiamo_ops.settings import Installation


def lost_call(ingest: str, instant: float) -> str:
    """A shell command that reports a lost call of `instant` (epoch seconds), as a Kalliope PBX would."""
    return (
        f"curl {ingest}/voipToCall/kalliopeToCall/insert/ -H 'Content-Type: text/xml' --data "
        f"'<parameters><unique_id>{instant:.0f}.1</unique_id><caller>0501234567</caller><called>0509876543</called>"
        f"<param1>Assistenza</param1><param2>queue</param2></parameters>'"
    )


def show(console: Console, installation: Installation, log_in: str, seconds: float) -> None:
    """Print the welcome; the command stands outside the frame, so that it can be copied whole."""
    text = Text()
    text.append("Pages and API  ", "dim")
    text.append(installation.gateway, "bold")
    text.append("\nFor the PBX    ", "dim")
    text.append(f"{installation.ingest}/voipToCall/kalliopeToCall/insert/")
    text.append("\nLog in         ", "dim")
    text.append(log_in, "bold")
    text.append("\nData           ", "dim")
    text.append(str(installation.folder))
    console.print(Panel(text, title=f"Richiamo is ready ({seconds:.1f} s)", title_align="left", expand=False))
    console.print("Report a lost call, as the PBX would:\n")
    console.print(lost_call(installation.ingest, time.time()), markup=False, highlight=False, soft_wrap=True)
    console.print("\nCtrl-C ends everything.", style="dim")
