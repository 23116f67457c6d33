"""By what can a list be sorted? A key a column, with empty values always last, and ids to break ties."""

from dataclasses import dataclass, replace

from richiamo_queue.caller.errors import Malformed
from richiamo_queue.worklist.availability import SORT_SQL

# Not infinity: Python knows no such instant.
_FIRST_INSTANT, _LAST_INSTANT = "'0001-01-02 00:00:00+00'", "'9999-12-30 00:00:00+00'"
_LAST_TEXT = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the list: the SQL of its key, the type the key is compared as, and the direction."""

    name: str
    key: str
    cast: str
    descending: bool

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def beyond(self) -> str:
        """The comparison that holds for the rows after a mark."""
        return "<" if self.descending else ">"


_TEXTS = (
    "request_id",
    "caller_id",
    "number",
    "called",
    "queue",
    "type",
    "source",
    "account_code",
    "reserved_by",
    "hidden_reason",
)
_COUNTS = ("calls", "recalled")
_CALLS = ("first_call", "last_call")
"""Never empty, and as they stand in the table: an index gives the first rows without sorting all."""
_INSTANTS = ("last_recall", "reserved_at", "expires_at", "hidden_until")
_SAME_AS = {"reserved_by_name": "reserved_by", "link": "number", "queues": "queue"}

SORTABLE = (*_TEXTS, *_COUNTS, *_CALLS, *_INSTANTS, "availability", "age", *_SAME_AS)


def order_of(sort: str) -> Order:
    """The order for `field` or `-field`; `Malformed` names what can be sorted by."""
    descending = sort.startswith("-")
    field = sort.removeprefix("-").removeprefix("+")
    if field == "age":
        # The oldest is the one whose first call came first.
        return replace(order_of("first_call" if descending else "-first_call"), name=sort)
    column = _SAME_AS.get(field, field)
    if column in _TEXTS:
        last = "''" if descending else f"'{_LAST_TEXT}'"
        return Order(sort, f'coalesce(lower({column}), {last}) COLLATE "C"', "text", descending)
    if column in _COUNTS:
        return Order(sort, column, "bigint", descending)
    if column in _CALLS:
        return Order(sort, column, "timestamptz", descending)
    if column in _INSTANTS:
        last = _FIRST_INSTANT if descending else _LAST_INSTANT
        return Order(sort, f"coalesce({column}, {last}::timestamptz)", "timestamptz", descending)
    if column == "availability":
        return Order(sort, SORT_SQL, "bigint", descending)
    raise Malformed(f"sort: must be one of {', '.join(SORTABLE)}, with a minus sign before it for descending.")
