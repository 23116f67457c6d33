"""How does a changed row travel to a browser? As HTML, made once a language for all who see the same."""

import json
from collections.abc import Callable

from richiamo_gateway.live import Change
from richiamo_gateway.pages.formats import Formats
from richiamo_gateway.pages.rendering import environment

_KEPT = ("request_id", "caller_id", "state", "reserved_by", "reserved_by_name", "reserved_at", "calling_by_name")


def row_encoder(code: str, formats: Callable[[], Formats]) -> Callable[[Change], bytes]:
    """Makes server-sent events for pages in the language `code`."""

    def make(change: Change) -> bytes:
        row = environment(code).get_template("missed_calls/row.html").module.row  # type: ignore[attr-defined]
        f = formats()
        items = [
            {
                **{name: item.get(name) for name in _KEPT},
                # Only a free row is shown to others; who holds it needs no more than the names above.
                "html": str(row(item, f)) if item.get("state") == "free" else None,
            }
            for item in change.items
        ]
        body = {"position": change.position, "callers": change.callers, "items": items, "resync": change.resync}
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return b"id: %d\ndata: %s\n\n" % (change.position, data)

    return lambda change: change.once(f"rows:{code}", make)
