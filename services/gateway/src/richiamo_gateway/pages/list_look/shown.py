"""How does a list look on this page? As its reader left it, unless the address says which columns are hidden (`hide`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import QueryParams

from richiamo_gateway.looks.look import Density, Look, View
from richiamo_gateway.pages.list_look.columns import COLUMNS

HIDE = "hide"
NOTHING = "none"
"""What `hide` says when every column is shown."""
_OF_THE_MOMENT = {"after", "page", "as_of", "saved", HIDE}
_NUMBER = "caller"
"""The filter that holds digits of a person. It is not kept: a number is kept in the directory alone, where erasing finds it."""


@dataclass(frozen=True, slots=True)
class LookShown:
    """What `list_look/menu.html` shows of a list."""

    path: str
    query: str
    """Of this address, without what belongs to the moment."""
    density: Density
    columns: Mapping[str, str]
    hidden: Sequence[str]
    views: Sequence[View]
    full: bool
    chosen: bool
    """Whether the address says which columns are hidden."""
    numbered: bool
    """Whether there is a number in the filter, which a view does not keep."""

    @property
    def kept(self) -> str:
        """The query that a view of this list keeps."""
        pairs = [pair for pair in parse_qsl(self.query) if pair[0] != _NUMBER]
        return urlencode([*pairs, *((HIDE, column) for column in self.hidden or (NOTHING,))])


def look_shown(look: Look, path: str, parameters: QueryParams) -> LookShown:
    """The look of the list at `path` for this address."""
    mine = look.of(path)
    chosen = HIDE in parameters
    hidden = parameters.getlist(HIDE) if chosen else mine.hidden
    pairs = [pair for pair in parameters.multi_items() if pair[0] not in _OF_THE_MOMENT and pair[1]]
    return LookShown(
        path=path,
        query=urlencode(pairs),
        density=look.density,
        columns=COLUMNS[path],
        hidden=[column for column in COLUMNS[path] if column in hidden],
        views=mine.views,
        full=mine.full,
        chosen=chosen,
        numbered=_NUMBER in parameters,
    )
