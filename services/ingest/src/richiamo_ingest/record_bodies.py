"""Whose call records are in a body? A Kalliope's, or the lines of an Asterisk's file: told by the content.

What no content tells is asked for: `?format=` names the form (`queue_log`, `master`, `freepbx`), `?utc=1` says
that the times of call records are UTC, `?timezone=` names another zone than the site's.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from richiamo_events.settings import SiteSettings
from richiamo_ingest.asterisk.parse import Form, layout_of
from richiamo_ingest.asterisk.translate import Reader
from richiamo_ingest.bounds import MOST_ROWS
from richiamo_ingest.kalliope.records import Reading, read_records
from richiamo_ingest.kalliope.values import yes
from richiamo_ingest.reports import NotUnderstood

_AUTO = frozenset({"", "auto"})
_KALLIOPE = "kalliope"
_FIRST_LINE = 8192
FORMATS = ("auto", _KALLIOPE, *Form)


def read_any(body: bytes, query: Mapping[str, str], *, pbx: str, settings: SiteSettings, at: datetime) -> Reading:
    """The calls of a body. Raises `NotUnderstood` when it holds none, or when the query asks for what is not."""
    zone, asked = _zone(query, settings), query.get("format", "").lower()
    if asked not in FORMATS and asked not in _AUTO:
        raise NotUnderstood("The format must be one of " + ", ".join(FORMATS) + ".")
    form = None if asked in {*_AUTO, _KALLIOPE} else Form(asked)
    first = body[:_FIRST_LINE].decode("utf-8", "replace").lstrip("\ufeff\r\n").partition("\n")[0]
    layout = None if asked == _KALLIOPE else layout_of(first, form)
    if layout is None:
        return read_records(body, pbx=pbx, zone=zone, received_at=at)
    if body.count(b"\n") > MOST_ROWS:
        raise NotUnderstood(f"The body holds more than {MOST_ROWS:,} lines; send it in parts.")
    reader = Reader(pbx=pbx, zone=zone, internal_digits=settings.internal_digits, received_at=at)
    return reader.read(_text(body).split("\n"), layout)


def _zone(query: Mapping[str, str], settings: SiteSettings) -> ZoneInfo:
    named = query.get("timezone", "")
    if yes(query.get("utc")):
        if named not in {"", "UTC"}:
            raise NotUnderstood("Say either that the times are UTC or which time zone they have, not both.")
        return ZoneInfo("UTC")
    if named and named not in available_timezones():
        raise NotUnderstood("There is no such time zone; they are named like Europe/Rome.")
    return ZoneInfo(named) if named else settings.pbx_zone


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
