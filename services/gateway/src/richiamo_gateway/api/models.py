"""What do the answers of the JSON API look like? The shapes of `api.md`, for the OpenAPI document.

Answers of other services are passed on as they are: these models describe them and never alter them.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from richiamo_gateway.plain_text import Plain


class Shape(BaseModel):
    """Fields may be added to an answer at any time; clients ignore what they do not know."""

    model_config = ConfigDict(extra="allow")


class ProblemDetail(Shape):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""


class Position(Shape):
    """What a command answers: the log position that holds its effect."""

    position: int


class Login(BaseModel):
    username: str = Field(max_length=200)
    password: str = Field(max_length=1000)
    extension: Plain = Field("", max_length=20, description="The extension to work at until the log-out (hot desks)")


class Token(Shape):
    token: str


class UserFields(BaseModel):
    """What can be said about a user; what is left out stays as it is."""

    # Extensions are texts, but who would not forgive a number?
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    name: Plain | None = None
    password: Plain | None = None
    role: Plain | None = None
    extension: Plain | None = None
    queues: list[Plain] | None = None
    language: Plain | None = None
    masked: bool | None = None
    active: bool | None = None


class OwnChanges(BaseModel):
    """What everybody may change about themselves."""

    model_config = ConfigDict(extra="forbid")

    language: Plain | None = None
    password: Plain | None = None
    current_password: Plain | None = None
    extension: Plain | None = Field(None, description="The extension to work at until the log-out; empty: one's own")


class NewUser(UserFields):
    username: Plain


class UserShown(Shape):
    username: str
    name: str
    role: Literal["operator", "supervisor", "admin"]
    extension: str
    queues: list[str]
    language: str
    active: bool
    masked: bool


class SessionShown(Shape):
    """A session that is open; `current`: the one that asks."""

    id: str
    device: str
    created_at: datetime
    used_at: datetime
    current: bool


class SessionList(Shape):
    items: list[SessionShown]


class UserList(Shape):
    items: list[UserShown]
    position: int


class UserWritten(UserShown):
    position: int


class SettingsShown(Shape):
    """Every setting of the site; the most used ones are listed here."""

    availability_minutes: int
    success_threshold_seconds: float
    reservation_minutes: int
    cooldown_minutes: int
    assignment_minutes: int
    record_minutes: int
    close_after_days: int
    settle_minutes: int
    operator_extensions: list[str]
    link_template: str
    accept_value: str
    refuse_value: str
    outside_prefix: str
    country: str
    timezone: str


class SettingsWritten(SettingsShown):
    position: int


class Availability(Shape):
    """The daily window around the hour at which the customer called."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    now: bool
    start: str = Field(alias="from")
    end: str = Field(alias="to")


class RequestItem(Shape):
    """One open request."""

    request_id: str
    caller_id: str
    number: str
    called: str
    queue: str
    type: str
    source: str
    account_code: str
    calls: int
    recalled: int
    first_call: datetime
    overdue_at: datetime | None = None
    overdue: bool | None = None
    last_call: datetime
    last_recall: datetime | None
    reserved_by: str | None
    reserved_by_name: str | None = None
    reserved_at: datetime | None
    expires_at: datetime | None
    hidden_until: datetime | None
    hidden_reason: str | None
    availability: Availability
    link: str | None


class RequestPage(Shape):
    items: list[RequestItem]
    total: int
    next: str | None
    position: int


class CallerItem(Shape):
    """One caller with open requests."""

    caller_id: str
    number: str
    queues: list[str]
    recalled: int
    last_recall: datetime | None
    first_call: datetime
    last_call: datetime
    calls: int
    reserved_by: str | None
    hidden_until: datetime | None


class CallerPage(Shape):
    items: list[CallerItem]
    total: int
    next: str | None
    position: int


class TimelineItem(Shape):
    at: datetime
    recorded_at: datetime
    kind: str


class NoteShown(Shape):
    """What people wrote about a caller; `version` is to be sent with the next writing."""

    caller_id: str
    text: str
    version: str
    by: str | None
    by_name: str | None
    at: datetime | None


class Timeline(Shape):
    items: list[TimelineItem]
    note: NoteShown | None


class NoteWriting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=2000, description="Lines of text; empty takes the note away")
    version: str = Field("", max_length=64, description="The `version` that was read; empty when there was no note")


class NoteWritten(Position):
    version: str


class Summary(Shape):
    requests: int
    callers: int
    mine: int
    withheld_today: int
    heard: bool = Field(description="Whether any call was ever reported, by whatever PBX")


class Assignment(BaseModel):
    operator: Plain = Field(min_length=1, max_length=64)


class NewFlush(BaseModel):
    caller_ids: list[Plain] = Field(min_length=1, max_length=20_000)
    reason: Plain = Field(min_length=1, max_length=200)


class Flushed(Position):
    flush_id: str


class Dispute(BaseModel):
    call: Plain = Field(min_length=1, max_length=200, description="The successful recall, as `pbx:unique_id`")


class Dialled(Position):
    dial_id: str
    how: Literal["kalliope", "ami", "link"]
    link: str | None


class AuditEntry(Shape):
    """One decision; further members say what it was about."""

    position: int
    at: datetime
    recorded_at: datetime
    kind: str
    actor: str
    actor_name: str
    caller_id: str | None
    number: str


class AuditPage(Shape):
    items: list[AuditEntry]
    total: int
    next: str | None
    position: int


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDetail, "description": text}
    for status, text in {
        401: "Nobody is logged in",
        403: "The right for this is missing",
        422: "The request is not right; the detail says in words what to change",
        503: "A part of Richiamo does not answer at the moment",
    }.items()
}
"""The errors that any call may answer."""
