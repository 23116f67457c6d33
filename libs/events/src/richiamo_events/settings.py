"""Which rules are in force, and which were when a call happened? The site's settings as a timeline.

A setting change is an event; reports of the past use the rule that was in force (`domain.md` rule 12).
"""

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from richiamo_events.envelope import Recorded
from richiamo_events.language import SettingsChanged
from richiamo_events.numbers import NumberRules
from richiamo_events.opening import Opening, read_opening
from richiamo_events.rewriting import MOST_RULES, read_rewrite


@dataclass(frozen=True)
class SiteSettings:
    """Every setting of the site with its default; minutes, seconds and days as the names say."""

    availability_minutes: int = 30
    success_threshold_seconds: float = 5.0
    """A recall succeeds when its talk lasted *more* than this."""
    reservation_minutes: int = 30
    cooldown_minutes: int = 60
    assignment_minutes: int = 0
    """0: an assigned caller never expires by itself."""
    record_minutes: int = 15
    close_after_days: int = 0
    settle_minutes: int = 120
    ignore_waits_under_seconds: float = 0.0
    import_checktime: bool = False
    age_limit_hours: int = 24
    retention_days: int = 45
    operator_extensions: tuple[str, ...] = ()
    link_template: str = ""
    accept_value: str = "1"
    refuse_value: str = "0"
    outside_prefix: str = ""
    records_show_prefix: bool = False
    internal_digits: int = 5
    number_rewrites: tuple[str, ...] = ()
    """Rules `pattern = replacement` (`rewriting`); the first that fits puts a number right before it is read."""
    queue_aliases: tuple[tuple[str, str], ...] = ()
    """Pairs (name another source uses, name in the record)."""
    country: str = "IT"
    timezone: str = "Europe/Rome"
    opening_hours: str = ""
    operators_as_numbers: bool = False
    dial_how: str = "link"
    """`link`, `kalliope` or `ami`."""
    pbx_url: str = ""
    pbx_domain: str = "default"
    pbx_name: str = "main"
    """The name that calls read from this PBX carry, as `?pbx=` does for those it sends."""
    pbx_timezone: str = ""
    """Zone of the times in the PBX's records; empty: that of the site."""
    cdr_poll: bool = False
    cdr_poll_seconds: int = 300
    cdr_overlap_minutes: int = 120
    """How far back each poll reads again: a record appears when its call ends."""
    cdr_user: str = ""
    dial_verb: str = "GET"
    ami_variant: str = "asterisk"
    """Whose dialplan an Originate meets: `asterisk` (FreePBX too) or `kalliope`."""
    ami_channel: str = ""
    """Which phone rings first, such as `Local/{extension}@originate-skipvm`; empty: as the variant has it."""
    ami_context: str = ""
    ami_tenant: str = ""
    """The tenant's UUID on a Kalliope."""

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def pbx_zone(self) -> ZoneInfo:
        """The zone of times that the PBX writes without one (`domain.md` rule 12)."""
        return ZoneInfo(self.pbx_timezone or self.timezone)

    def queue_named(self, name: str) -> str:
        """The queue's name in the records, when another source uses an alias."""
        return dict(self.queue_aliases).get(name, name)

    @cached_property
    def opening(self) -> Opening:
        """When the site calls back; always, while the setting is empty or a text of earlier versions."""
        try:
            return read_opening(self.opening_hours)
        except ValueError:
            return Opening()

    @cached_property
    def numbers(self) -> NumberRules:
        """How the PBX's numbers are read."""
        return NumberRules(
            country=self.country,
            outside_prefix=self.outside_prefix,
            records_show_prefix=self.records_show_prefix,
            internal_digits=self.internal_digits,
            rewrites=tuple(read_rewrite(line) for line in self.number_rewrites),
        )

    def with_values(self, values: Mapping[str, object]) -> "SiteSettings":
        """These settings with some replaced; names that this version does not know are ignored."""
        known = {field.name for field in fields(self)}
        return replace(self, **{name: _frozen(name, value) for name, value in values.items() if name in known})

    def values(self) -> dict[str, Any]:
        """JSON values by name, as `GET /settings` shows them."""
        shown = asdict(self)
        shown["operator_extensions"] = list(self.operator_extensions)
        shown["number_rewrites"] = list(self.number_rewrites)
        shown["queue_aliases"] = dict(self.queue_aliases)
        return shown


def _frozen(name: str, value: object) -> Any:
    if name == "queue_aliases" and isinstance(value, Mapping):
        return tuple(sorted((str(alias), str(queue)) for alias, queue in value.items()))
    if isinstance(value, list):
        return tuple(value)
    return value


_WHOLE = {
    "availability_minutes": (0, 720),
    "reservation_minutes": (1, 1440),
    "cooldown_minutes": (0, 10080),
    "assignment_minutes": (0, 10080),
    "record_minutes": (1, 1440),
    "close_after_days": (0, 3650),
    "settle_minutes": (0, 10080),
    "age_limit_hours": (1, 8760),
    "retention_days": (1, 3650),
    "internal_digits": (0, 9),
    "cdr_poll_seconds": (60, 86400),
    "cdr_overlap_minutes": (5, 1440),
}
_SECONDS = {"success_threshold_seconds": (0.0, 600.0), "ignore_waits_under_seconds": (0.0, 600.0)}
_FLAGS = {"import_checktime", "records_show_prefix", "operators_as_numbers", "cdr_poll"}
_CHOICES = {
    "dial_how": ("link", "kalliope", "ami"),
    "dial_verb": ("GET", "POST"),
    "ami_variant": ("asterisk", "kalliope"),
}
_TEXT_LIMIT = 2000
_DIALLABLE = re.compile(r"[\w*#+.-]{1,32}")
_SHAPES = {
    "country": (re.compile(r"[A-Z]{2}"), "Must be a country of two capital letters, such as IT."),
    "outside_prefix": (re.compile(r"[0-9*#]{0,6}"), "Must be at most six digits."),
    "accept_value": (_DIALLABLE, "Must be 1 to 32 letters or digits, since the PBX may dial it."),
    "refuse_value": (_DIALLABLE, "Must be 1 to 32 letters or digits, since the PBX may dial it."),
    "pbx_name": (re.compile(r"[A-Za-z0-9_-]{1,40}"), "Must be 1 to 40 letters, digits, - or _."),
    "pbx_url": (
        re.compile(r"|https?://[^<>\s/?#@]+(/[^<>\s?#]*)?"),
        "Must be empty or an address such as https://pbx.example.com, without user or password.",
    ),
    "cdr_user": (
        re.compile(r'[^"\\\x00-\x1f]{0,100}'),
        "Must be a user of at most 100 signs, without quotation marks.",
    ),
    "ami_channel": (
        re.compile(r"|[A-Za-z0-9]{1,20}/[A-Za-z0-9_.-]{0,40}\{extension\}(@[A-Za-z0-9_.-]{1,80})?(/n)?"),
        "Must be empty or a channel such as Local/{extension}@originate-skipvm.",
    ),
    "ami_context": (
        re.compile(r"[A-Za-z0-9_.-]{0,80}"),
        "Must be empty or the name of a context, such as from-internal.",
    ),
    "ami_tenant": (re.compile(r"|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "Must be empty or a UUID."),
}
"""Texts that must have a shape."""


def limits(name: str) -> tuple[float, float] | None:
    """The least and the greatest value of a setting that is a number."""
    return _WHOLE.get(name) or _SECONDS.get(name)


def validate(values: Mapping[str, object]) -> dict[str, str]:
    """Say in words what is wrong with each of these values; empty when all can be taken."""
    wrong: dict[str, str] = {}
    known = {field.name for field in fields(SiteSettings)}
    for name, value in values.items():
        if name not in known:
            wrong[name] = "There is no such setting."
        elif name in _WHOLE:
            low, high = _WHOLE[name]
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                wrong[name] = f"Must be a whole number from {low} to {high}."
        elif name in _SECONDS:
            least, most = _SECONDS[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                wrong[name] = f"Must be a number of seconds from {least:g} to {most:g}."
        elif name in _FLAGS:
            if not isinstance(value, bool):
                wrong[name] = "Must be true or false."
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                wrong[name] = "Must be one of " + ", ".join(_CHOICES[name]) + "."
        elif name == "operator_extensions":
            if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
                wrong[name] = "Must be a list of extensions, each a text."
        elif name == "number_rewrites":
            found = _wrong_rewrites(value)
            if found:
                wrong[name] = found
        elif name == "queue_aliases":
            if not isinstance(value, Mapping) or not all(isinstance(item, str) and item for item in value.values()):
                wrong[name] = "Must map each other name of a queue to its name in the records."
        elif not isinstance(value, str) or len(value) > _TEXT_LIMIT:
            wrong[name] = f"Must be a text of at most {_TEXT_LIMIT} characters."
        elif name == "opening_hours" and (told := _wrong_opening(value)):
            wrong[name] = told
        elif name == "timezone" and value not in available_timezones():
            wrong[name] = "Must be the name of a time zone, such as Europe/Rome."
        elif name == "pbx_timezone" and value and value not in available_timezones():
            wrong[name] = "Must be empty or the name of a time zone, such as Europe/Rome."
        elif name in _SHAPES and not _SHAPES[name][0].fullmatch(value):
            wrong[name] = _SHAPES[name][1]
        elif name == "link_template" and value and not re.match(r"https?://[^<>\s/]+(/|$|\?)", value):
            wrong[name] = (
                "Must be empty or an address that begins with https:// and a host; placeholders come after it."
            )
    return wrong


def _wrong_opening(value: str) -> str:
    try:
        read_opening(value)
    except ValueError as error:
        return str(error)
    return ""


def _wrong_rewrites(value: object) -> str:
    if not isinstance(value, list | tuple) or not all(isinstance(line, str) for line in value):
        return "Must be a list of rules, each a text such as 0039. = +39."
    if len(value) > MOST_RULES:
        return f"Must be at most {MOST_RULES} rules."
    try:
        for line in value:
            read_rewrite(line)
    except ValueError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Rules:
    """The settings over time. `at` answers for facts, `current` for decisions."""

    _since: tuple[datetime, ...]
    _settings: tuple[SiteSettings, ...]

    @classmethod
    def initial(cls, settings: SiteSettings) -> "Rules":
        return cls((), (settings,))

    @property
    def current(self) -> SiteSettings:
        return self._settings[-1]

    @property
    def known(self) -> int:
        """How many changes these rules know of: two of one log that know as many are the same."""
        return len(self._since)

    def changed(self, event: Recorded) -> "Rules":
        """These rules after the event; events of other types change nothing."""
        if not isinstance(event.data, SettingsChanged):
            return self
        return Rules(
            (*self._since, event.recorded_at),
            (*self._settings, self.current.with_values(event.data.values)),
        )

    def at(self, instant: datetime) -> SiteSettings:
        """The settings in force: those of the last change *recorded before* `instant` (rule 12)."""
        return self._settings[bisect_left(self._since, instant)]
