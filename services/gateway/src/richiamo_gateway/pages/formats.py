"""How does a value look to a person? Numbers of callers, instants, durations and shares, by the locale."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from babel.dates import format_date, format_datetime, format_time, match_skeleton
from babel.numbers import format_decimal, format_percent

from richiamo_gateway.pages.language import N_, Language

DASH = "–"


def shown_number(number: str) -> str:
    """`+390501234567` as `+39 050 123 4567`; what has no such form, masked numbers too, stays as it is."""
    if not number.startswith("+"):
        return number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def instant_of(value: object) -> datetime | None:
    """An instant of another service's answer."""
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _day_of(value: object) -> date | None:
    if isinstance(value, str) and value:
        return date.fromisoformat(value)
    return value if isinstance(value, date) else None


@cache
def _pattern(skeleton: str, locale: Locale) -> str:
    """How a locale writes the fields of a skeleton; to look for it takes longer than to write a row of a list."""
    known = locale.datetime_skeletons
    return str(known[skeleton if skeleton in known else match_skeleton(skeleton, known)].pattern)


_TIGHT = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, so that no line ends there."""


def duration(seconds: object, language: Language) -> str:
    """`Formats.duration`, for what is told without a moment."""
    if not isinstance(seconds, int | float):
        return DASH
    if 0 < seconds < 60 and seconds != int(seconds):
        return f"{format_decimal(seconds, format='0.0', locale=language.locale)}{_TIGHT}s"
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return language(N_("%(days)d d %(hours)d h"), days=days, hours=hours)
    if hours:
        return f"{hours}{_TIGHT}h {minutes:02d}{_TIGHT}min"
    return f"{minutes}{_TIGHT}min {whole % 60:02d}{_TIGHT}s" if minutes else f"{whole}{_TIGHT}s"


@dataclass(frozen=True, slots=True)
class Formats:
    """Formats of one language at one moment; `zone` is the site's."""

    language: Language
    zone: ZoneInfo
    now: datetime

    def when(self, value: object) -> str:
        """Today only the time, `10:31`; else with the day, `21/11, 10:31`; a dash for nothing."""
        instant = instant_of(value)
        if instant is None:
            return DASH
        local, today = instant.astimezone(self.zone), self.now.astimezone(self.zone).date()
        time = format_time(local, "HH:mm", locale=self.language.locale)
        if local.date() == today:
            return time
        skeleton = "MMdd" if local.year == today.year else "yMMdd"
        return f"{self._by(skeleton, local)} {time}"

    def full(self, value: object) -> str:
        """Day and time to the second, for tooltips."""
        instant = instant_of(value)
        if instant is None:
            return ""
        return format_datetime(instant.astimezone(self.zone), "medium", locale=self.language.locale)

    def clock(self, value: object) -> str:
        """The time of day to the second."""
        instant = instant_of(value)
        if instant is None:
            return DASH
        return format_time(instant.astimezone(self.zone), "HH:mm:ss", locale=self.language.locale)

    def day(self, value: object) -> str:
        """A site day with its week day, `sab 21/11/2026`."""
        day = _day_of(value)
        return f"{format_date(day, 'ccc', locale=self.language.locale)} {self.short_day(day)}" if day else DASH

    def short_day(self, value: object) -> str:
        """A site day in digits."""
        day = _day_of(value)
        return self._by("yMMdd", day) if day else DASH

    def count(self, value: object) -> str:
        """A whole number with the locale's separators."""
        return format_decimal(value, locale=self.language.locale) if isinstance(value, int | float) else DASH

    def share(self, value: object) -> str:
        """A fraction as a percentage; a dash for a share of nothing."""
        if not isinstance(value, int | float):
            return DASH
        return format_percent(value, format="#,##0.#%", locale=self.language.locale)

    def age(self, value: object) -> str:
        """How long ago an instant was in its largest unit: `12 min`, `5 h`, from two days on `3 d`."""
        instant = instant_of(value)
        if instant is None:
            return DASH
        minutes = max(0, int((self.now - instant).total_seconds() // 60))
        if minutes < 60:
            return f"{minutes} min"
        return f"{minutes // 60} h" if minutes < 2880 else self.language(N_("%(days)d d"), days=minutes // 1440)

    def duration(self, seconds: object) -> str:
        """`48 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`; a dash for a mean of nothing."""
        return duration(seconds, self.language)

    def _by(self, skeleton: str, day: date) -> str:
        return format_date(day, _pattern(skeleton, self.language.locale), locale=self.language.locale)
