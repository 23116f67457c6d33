"""What does a command's message hold? Its fields, checked, with a refusal in words."""

import unicodedata
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from richiamo_events.ids import CallerId, FlushId, NoteId, Username
from richiamo_events.language import ReleaseReason
from richiamo_queue.caller.errors import Malformed
from richiamo_queue.users import User


def _readable(text: str) -> str:
    """Lines of text: no control character but the end of a line, which is the same everywhere."""
    lines = text.replace("\r\n", "\n").strip()
    if any(unicodedata.category(one) in {"Cc", "Cs"} and one not in "\n\t" for one in lines):
        raise ValueError("Must not hold control characters")
    return lines


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    user: User


class _Order(_Message):
    key: Annotated[str | None, BeforeValidator(lambda value: value or None)] = None
    """The idempotency key."""


class OneCaller(_Order):
    caller_id: CallerId = Field(min_length=1)


class AssignOne(OneCaller):
    operator: Username = Field(min_length=1)


class AssignMany(_Order):
    caller_ids: tuple[CallerId, ...]
    operators: tuple[Username, ...] = Field(min_length=1)
    """Several: the callers are shared out, each to whoever has the fewest."""


class FlushMany(_Order):
    caller_ids: tuple[CallerId, ...]
    reason: str = Field(default="", max_length=500)


class UndoOne(_Order):
    flush_id: FlushId = Field(min_length=1)


class DisputeOne(OneCaller):
    call: str = Field(min_length=1)


class EraseOne(OneCaller):
    reason: str = Field(default="", max_length=500)


class WriteNote(OneCaller):
    text: Annotated[str, AfterValidator(_readable)] = Field(max_length=2000)
    version: NoteId = NoteId("")
    """The version that was read before; empty: there was no note."""


class ReadNotes(_Message):
    caller_ids: tuple[CallerId, ...]
    min_position: int | None = None


class HandBack(_Order):
    username: Username = Field(min_length=1)
    why: ReleaseReason = ReleaseReason.LOGOUT


class AskRows(_Message):
    caller_ids: tuple[CallerId, ...] = ()
    as_of: str | None = None
    min_position: int | None = None


class AskTimeline(_Message):
    caller_id: CallerId
    as_of: str | None = None
    min_position: int | None = None


class AskClosed(_Message):
    caller: str = Field(max_length=100)
    limit: int = Field(default=10, ge=1, le=100)


class AskSummary(_Message):
    day: str | None = None
    as_of: str | None = None
    min_position: int | None = None


M = TypeVar("M", bound=BaseModel)


def read(shape: type[M], payload: dict[str, object]) -> M:
    """The message in a payload; `Malformed` (422) names the field that is wrong."""
    try:
        return shape.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"{where}: {first['msg']}.") from error
