"""Where does the next page begin? An opaque mark of the last row shown, safe against rows that come and go."""

import base64
import binascii
import json
from dataclasses import astuple, dataclass

from richiamo_queue.caller.errors import Malformed

_PARTS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """The last row of a page: its sort key as text, its ids, and the instant the order was made for."""

    sort: str
    key: str
    request_id: str
    caller_id: str
    now: str

    def as_text(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(astuple(self)).encode()).decode().rstrip("=")


def read_mark(text: str, sort: str) -> Mark:
    """The mark that `as_text` wrote; `Malformed` for any other text, or one of another order."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise Malformed("after: this is no mark of a page.") from error
    if not isinstance(parts, list) or len(parts) != _PARTS or not all(isinstance(one, str) for one in parts):
        raise Malformed("after: this is no mark of a page.")
    mark = Mark(*parts)
    if mark.sort != sort:
        raise Malformed("after: this page belongs to another order; begin again at the first.")
    return mark
