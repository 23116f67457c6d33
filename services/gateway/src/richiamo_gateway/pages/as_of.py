"""Which instant does a page show? Now, or the past one that its address names (`?as_of=`)."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request

from richiamo_gateway.context import gateway_of

PARAMETER = "as_of"


def as_of(request: Request) -> str | None:
    """The past instant of this address in ISO 8601 with offset; None for now.

    Without an offset it is meant on the site's clock, as the control of the header writes it. What cannot be read,
    or lies ahead, is now.
    """
    gateway = gateway_of(request)
    instant = read_instant(request.query_params.get(PARAMETER, ""), gateway.site.settings.zone)
    return instant.isoformat() if instant is not None and instant < gateway.clock.now() else None


def read_instant(text: str, zone: ZoneInfo) -> datetime | None:
    """An instant as an address or a form carries it; None for what is none."""
    # A plus sign that was not escaped arrives as a blank.
    try:
        instant = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    # The ends of the calendar have no instant in every zone.
    return instant if 1970 < instant.year < 9000 else None


def without(request: Request) -> str:
    """The address of the same page as it is now."""
    pairs = list(others(request))
    return f"{request.url.path}?{urlencode(pairs)}" if pairs else request.url.path


def others(request: Request) -> Iterable[tuple[str, str]]:
    """The rest of the address; the mark of a further page is left out, for it belongs to one instant."""
    left_out = {PARAMETER, "after", "page"}
    return [(name, value) for name, value in request.query_params.multi_items() if name not in left_out]
