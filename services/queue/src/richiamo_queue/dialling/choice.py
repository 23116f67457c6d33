"""Which dialler do the settings name now?"""

from collections.abc import Callable

from richiamo_events.settings import SiteSettings
from richiamo_kit.clock import Clock
from richiamo_kit.kalliope_rest import KalliopeAccount
from richiamo_queue.dialling.kalliope import KalliopeDialler
from richiamo_queue.dialling.link import LinkDialler
from richiamo_queue.dialling.port import Dialler
from richiamo_queue.dialling.spelling import as_typed
from richiamo_queue.settings import Settings


class Diallers:
    """Chooses by the setting `dial_how`; while the PBX has no address it is the link."""

    def __init__(self, settings: Settings, site: Callable[[], SiteSettings], clock: Clock) -> None:
        self._settings = settings
        self._site = site
        self._clock = clock
        self._link = LinkDialler()

    def chosen(self) -> Dialler:
        """The dialler of this instant."""
        site = self._site()
        if site.dial_how != "kalliope" or not site.pbx_url:
            return self._link
        return KalliopeDialler(
            account_of(site, self._settings),
            lambda number: as_typed(number, country=site.country, outside_prefix=site.outside_prefix),
            self._clock,
            verb=site.dial_verb,
        )


def account_of(site: SiteSettings, settings: Settings) -> KalliopeAccount:
    """Where the PBX is and as whom it is told to dial."""
    return KalliopeAccount(
        url=site.pbx_url,
        domain=site.pbx_domain,
        username=settings.dial_user,
        password=settings.dial_password.get_secret_value(),
        timeout_seconds=settings.dial_timeout_seconds,
        certificates=str(settings.pbx_ca_file or ""),
    )
