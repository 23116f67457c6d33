"""What was measured, how does it stand to its floor and its target, and how is that shown?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table

Better = Literal["more", "less"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. `floor` is what the same machine did in the same run with nothing but the bare work."""

    key: str
    """The letter of the question and a name, such as `a.calls_per_second`; the same in every run."""
    words: str
    value: float
    unit: str
    better: Better = "less"
    floor: float | None = None
    target: float | None = None
    """Of the ratio to the floor where there is a floor and `of_floor`, else of the value."""
    of_floor: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times the floor."""
        return self.value / self.floor if self.floor else None

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None without a target."""
        judged = self.ratio if self.of_floor else self.value
        if self.target is None or judged is None:
            return None
        return judged >= self.target if self.better == "more" else judged <= self.target

    def verdict(self) -> str:
        """Such as `0.52 of the floor (target 0.6)`."""
        parts = []
        if self.ratio is not None:
            parts.append(f"{self.ratio:.2f} of the floor")
        if self.target is not None:
            goal = f"target {self.target:g}" if self.of_floor else f"target {_shown(self.target)} {self.unit}"
            parts.append(f"({goal})" if parts else goal)
        return " ".join(parts)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "holds": self.holds}


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of them lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def table(figures: Sequence[Figure], title: str) -> Table:
    """All figures for the screen."""
    shown = Table(title=title, title_justify="left", pad_edge=False, box=SIMPLE_HEAD)
    for heading, right in (("", False), ("measured", True), ("floor", True), ("", False), ("holds", False)):
        shown.add_column(heading, justify="right" if right else "left", no_wrap=right)
    for one in figures:
        floor = "" if one.floor is None else f"{_shown(one.floor)} {one.unit}"
        holds = {True: "yes", False: "no", None: ""}[one.holds]
        shown.add_row(one.words, f"{_shown(one.value)} {one.unit}", floor, one.verdict(), holds)
    return shown


def changes(before: Sequence[Figure], after: Sequence[Figure], times: int) -> Table:
    """How far the figures moved when the history grew."""
    shown = Table(title=f"With {times} times the history", title_justify="left", pad_edge=False, box=SIMPLE_HEAD)
    for heading in ("", "before", "after", "change"):
        shown.add_column(heading, justify="left" if not heading else "right")
    later = {one.key: one for one in after}
    for one in before:
        other = later.get(one.key)
        if other is not None and one.value:
            change = f"{(other.value / one.value - 1) * 100:+.0f} %"
            shown.add_row(one.words, f"{_shown(one.value)} {one.unit}", f"{_shown(other.value)} {one.unit}", change)
    return shown


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
