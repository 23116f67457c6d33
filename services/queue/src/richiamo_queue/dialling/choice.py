"""Which dialler do the settings name now?"""

from collections.abc import Callable

import structlog

from richiamo_events.settings import SiteSettings
from richiamo_kit.ami import AmiAccount
from richiamo_kit.clock import Clock
from richiamo_kit.kalliope_rest import KalliopeAccount
from richiamo_queue.dialling.ami import AmiDialler, Plan
from richiamo_queue.dialling.kalliope import KalliopeDialler
from richiamo_queue.dialling.link import LinkDialler
from richiamo_queue.dialling.port import Dialler
from richiamo_queue.dialling.spelling import as_typed
from richiamo_queue.settings import Settings

_log = structlog.get_logger(__name__)


class Diallers:
    """Chooses by the setting `dial_how`; while it is not told where the PBX is, it is the link."""

    def __init__(self, settings: Settings, site: Callable[[], SiteSettings], clock: Clock) -> None:
        self._settings = settings
        self._site = site
        self._clock = clock
        self._link = LinkDialler()

    def chosen(self) -> Dialler:
        """The dialler of this instant."""
        site = self._site()
        if site.dial_how == "ami" and (ami := self.ami_account()) is not None:
            return AmiDialler(ami, Plan.of(site), _spelling(site))
        if site.dial_how != "kalliope" or not site.pbx_url:
            return self._link
        return KalliopeDialler(
            account_of(site, self._settings),
            _spelling(site),
            self._clock,
            verb=site.dial_verb,
        )

    def naming_calls(self) -> AmiAccount | None:
        """The AMI of a PBX whose calls have the ids of our dials; None when recalls are made otherwise."""
        site = self._site()
        return self.ami_account() if site.dial_how == "ami" and Plan.of(site).names_call else None

    def ami_account(self) -> AmiAccount | None:
        """Where the AMI is; None when the environment does not say."""
        try:
            return self._settings.ami_account()
        except OSError as error:
            _log.error("ami_secret_unreadable", reason=str(error))
            return None


def _spelling(site: SiteSettings) -> Callable[[str], str]:
    return lambda number: as_typed(number, country=site.country, outside_prefix=site.outside_prefix)


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
