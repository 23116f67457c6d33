"""How is the simulation going? Counts of what was said and done, and how they look on a terminal."""

from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table

_LABELS = {
    "routing": "Lost calls reported by the routing",
    "notice": "Lost calls reported by a notification",
    "records": "Call records accepted",
    "duplicates": "Call records already known",
    "refused": "Refused by ingest",
    "reserved": "Customers reserved",
    "released": "Customers put back",
    "dialled": "Customers rung back",
    "gone": "Found gone by the operator who wanted them",
    "conflicts": "Held by somebody else",
    "unreachable": "Not answered by Richiamo",
}


@dataclass(slots=True)
class Tally:
    """Counts by name; `problem` is the last thing that went wrong, in words."""

    counts: Counter[str] = field(default_factory=Counter)
    problem: str = ""

    def add(self, what: str, count: int = 1) -> None:
        """Count `count` more of `what`, one of the names in the table."""
        self.counts[what] += count

    def table(self, title: str) -> Table:
        """The counts that are not zero, for a terminal."""
        table = Table(title=title, show_header=False, title_justify="left")
        table.add_column(justify="right", style="bold")
        table.add_column()
        for name, label in _LABELS.items():
            if self.counts[name]:
                table.add_row(f"{self.counts[name]:,}", label)
        if self.problem:
            table.add_row("!", self.problem, style="yellow")
        return table
