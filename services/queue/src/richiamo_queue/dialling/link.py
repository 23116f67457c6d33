"""How does one dial without a PBX at hand? With a `tel:` link that the operator's own phone takes."""

from richiamo_events.ids import DialId
from richiamo_queue.dialling.port import Dialled, How

_DIALLABLE = frozenset("0123456789+*#")


class LinkDialler:
    """Dials nothing itself: the browser opens the link."""

    how: How = "link"
    rings = False

    async def dial(self, number: str, extension: str, dial: DialId) -> Dialled:  # noqa: ARG002 - the port's shape
        return Dialled("link", tel_link(number))


def tel_link(number: str) -> str:
    """`tel:+390501234567` (RFC 3966)."""
    return "tel:" + "".join(one for one in number if one in _DIALLABLE)
