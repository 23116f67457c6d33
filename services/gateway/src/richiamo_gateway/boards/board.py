"""What is a board, and what can be done to it? Pure: every change makes a new board."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NewType, get_args

BoardId = NewType("BoardId", str)
Size = Literal["S", "M", "L"]

SIZES: tuple[Size, ...] = get_args(Size)
MOST_WIDGETS = 40
LONGEST_TITLE = 60
LONGEST_PERIOD = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget:
    """One figure, table or chart; `what` is its name in the gallery."""

    id: str
    what: str
    size: Size
    queue: str = ""
    days: int = 7
    """How many site days it looks back on, today included; the gallery says whether that means anything to it."""

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "what": self.what, "size": self.size, "queue": self.queue, "days": self.days}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Widget":
        return cls(**kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A page of widgets in their order; only its owner changes it."""

    id: BoardId
    owner: str
    title: str
    published: bool = False
    widgets: tuple[Widget, ...] = ()

    @property
    def full(self) -> bool:
        return len(self.widgets) >= MOST_WIDGETS

    def place_of(self, widget: str) -> int | None:
        """Its place from 0; None when it is not, or no more, on the board."""
        return next((place for place, one in enumerate(self.widgets) if one.id == widget), None)

    def added(self, widget: Widget) -> "Board":
        """With one more at the end; a full board stays as it is."""
        return self if self.full else replace(self, widgets=(*self.widgets, widget))

    def without(self, widget: str) -> "Board":
        return replace(self, widgets=tuple(one for one in self.widgets if one.id != widget))

    def moved(self, widget: str, place: int) -> "Board":
        """With that widget at `place`, counted without it; past an end is the end."""
        at = self.place_of(widget)
        if at is None:
            return self
        rest = [one for one in self.widgets if one.id != widget]
        rest.insert(max(0, min(place, len(rest))), self.widgets[at])
        return replace(self, widgets=tuple(rest))

    def sized(self, widget: str, size: str) -> "Board":
        """With that widget in another size; a size that there is not changes nothing."""
        if size not in SIZES:
            return self
        return self._with(widget, size=size)

    def filtered(self, widget: str, *, queue: str, days: int) -> "Board":
        return self._with(widget, queue=queue.strip()[:100], days=max(1, min(days, LONGEST_PERIOD)))

    def titled(self, title: str) -> "Board":
        """Under another title; an empty one changes nothing."""
        words = " ".join(title.split())[:LONGEST_TITLE]
        return replace(self, title=words) if words else self

    def _with(self, widget: str, **changed: Any) -> "Board":
        return replace(
            self, widgets=tuple(replace(one, **changed) if one.id == widget else one for one in self.widgets)
        )
