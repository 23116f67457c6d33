"""Which dialler do the settings name now?"""

from collections.abc import Callable

from richiamo_events.settings import SiteSettings
from richiamo_queue.dialling.link import LinkDialler
from richiamo_queue.dialling.port import Dialler
from richiamo_queue.settings import Settings


class Diallers:
    """Chooses by the setting `dial_how`; without an address of the PBX it is the link."""

    def __init__(self, settings: Settings, site: Callable[[], SiteSettings]) -> None:
        self._settings = settings
        self._site = site
        self._link = LinkDialler()

    def chosen(self) -> Dialler:
        """The dialler of this instant."""
        return self._link
