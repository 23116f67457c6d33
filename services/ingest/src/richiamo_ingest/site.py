"""Which settings does ingest go by, also while the log is away? The last it knew, kept in a small file."""

import json
from pathlib import Path

import structlog

from richiamo_events.settings import Rules, SiteSettings, validate
from richiamo_kit.log_view import SiteView

_log = structlog.get_logger(__name__)


class Site:
    """The settings in force; from the file until the log was read."""

    def __init__(self, defaults: SiteSettings, file: Path) -> None:
        self._defaults = defaults
        self._file = file
        self._view: SiteView | None = None
        self._kept = self._read()
        self.numbers_masked = False
        """The last records came from a PBX user who sees numbers ending in `xxx`."""

    @property
    def rules(self) -> Rules:
        return self._view.rules if self._view else Rules.initial(self._kept)

    @property
    def settings(self) -> SiteSettings:
        current = self.rules.current
        if current != self._kept:
            self._keep(current)
        return current

    def follow(self, view: SiteView) -> None:
        """From now on the log says."""
        self._view = view

    def _read(self) -> SiteSettings:
        try:
            values = json.loads(self._file.read_text())
        except FileNotFoundError:
            return self._defaults
        except (OSError, ValueError) as error:
            _log.warning("kept_settings_unreadable", reason=str(error))
            return self._defaults
        if not isinstance(values, dict) or validate(values):
            return self._defaults
        return self._defaults.with_values(values)

    def _keep(self, settings: SiteSettings) -> None:
        self._kept = settings
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(settings.values()))
            fresh.replace(self._file)
        except OSError as error:
            _log.warning("settings_not_kept", reason=str(error))
