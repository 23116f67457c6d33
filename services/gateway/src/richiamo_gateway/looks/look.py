"""How does somebody like their lists, and what can be changed about it? Pure: every change makes a new value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

Density = Literal["comfortable", "compact"]

DENSITIES: tuple[Density, ...] = get_args(Density)
MOST_VIEWS = 30
"""Of one list."""
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class View:
    """Filter, order and columns of a list under a name; `query` is that of its address."""

    name: str
    query: str


@dataclass(frozen=True, slots=True)
class ListLook:
    """One list, as its reader left it; a column is hidden or shown."""

    hidden: tuple[str, ...] = ()
    views: tuple[View, ...] = ()

    @property
    def full(self) -> bool:
        return len(self.views) >= MOST_VIEWS


@dataclass(frozen=True, slots=True)
class Look:
    """All lists of one person."""

    density: Density = "comfortable"
    lists: Mapping[str, ListLook] = field(default_factory=dict)

    def of(self, path: str) -> ListLook:
        """The list at an address; as it comes when nothing was changed."""
        return self.lists.get(path, ListLook())

    def dense(self, density: str) -> "Look":
        """With another density; one that there is not changes nothing."""
        return next((replace(self, density=one) for one in DENSITIES if one == density), self)

    def hiding(self, path: str, columns: Sequence[str]) -> "Look":
        return self._with(path, hidden=tuple(columns))

    def naming(self, path: str, view: View) -> "Look":
        """With one more view; one of the same name makes way for it, a full list stays as it is."""
        name = " ".join(view.name.split())[:LONGEST_NAME]
        others = [one for one in self.of(path).views if one.name.casefold() != name.casefold()]
        if not name or len(others) >= MOST_VIEWS:
            return self
        views = sorted([*others, replace(view, name=name)], key=lambda one: one.name.casefold())
        return self._with(path, views=tuple(views))

    def forgetting(self, path: str, name: str) -> "Look":
        return self._with(path, views=tuple(one for one in self.of(path).views if one.name != name))

    def _with(self, path: str, **changed: Any) -> "Look":
        return replace(self, lists={**self.lists, path: replace(self.of(path), **changed)})


def as_json(lists: Mapping[str, ListLook]) -> dict[str, Any]:
    """How lists are kept."""
    return {
        path: {"hidden": list(one.hidden), "views": [{"name": view.name, "query": view.query} for view in one.views]}
        for path, one in lists.items()
    }


def from_json(kept: Mapping[str, Any]) -> dict[str, ListLook]:
    return {
        path: ListLook(tuple(one["hidden"]), tuple(View(view["name"], view["query"]) for view in one["views"]))
        for path, one in kept.items()
    }
