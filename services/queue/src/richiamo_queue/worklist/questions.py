"""What can be asked of the worklist? The parameters of `GET /requests` and `GET /callers`, checked."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from richiamo_queue.caller.errors import Malformed
from richiamo_queue.users import User

View = Literal["recall", "mine", "calling", "all", "open"]


def _listed(value: Any) -> Any:
    """One text or several; empty ones are as if not given."""
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    return tuple(text for text in texts if text != "")


def _absent(value: Any) -> Any:
    """An empty field of a form is as if not given."""
    return None if value == "" else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Edge = Annotated[str | None, BeforeValidator(_absent)]
"""A site day `YYYY-MM-DD`, or an instant in ISO 8601 (without offset: in the site's zone)."""
Count = Annotated[int | None, BeforeValidator(_absent)]
Instant = Annotated[AwareDatetime | None, BeforeValidator(_absent)]


class ListQuestion(BaseModel):
    """A list of requests or callers: filters, order and page."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user: User
    view: View = "recall"
    queue: Texts = ()
    type: Texts = ()
    source: Texts = ()
    account_code: Texts = ()
    caller: Annotated[str | None, BeforeValidator(_absent)] = None
    first_call_from: Edge = None
    first_call_to: Edge = None
    last_call_from: Edge = None
    last_call_to: Edge = None
    last_recall_from: Edge = None
    last_recall_to: Edge = None
    recalled_min: Count = None
    recalled_max: Count = None
    sort: Annotated[str | None, BeforeValidator(_absent)] = None
    limit: Annotated[
        int, BeforeValidator(lambda value: 100 if value in (None, "") else value), Field(ge=1, le=1000)
    ] = 100
    after: Annotated[str | None, BeforeValidator(_absent)] = None
    as_of: Instant = None
    min_position: Count = None


def read_question(payload: dict[str, object], **defaults: object) -> ListQuestion:
    """The question in a payload; `Malformed` (422) says in words which parameter is wrong."""
    given = {name: value for name, value in payload.items() if value is not None}
    try:
        return ListQuestion.model_validate({**defaults, **given})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the request"
        raise Malformed(f"{where}: {first['msg']}.") from error


def edge(text: str, zone: ZoneInfo, *, name: str, upper: bool) -> tuple[datetime, bool]:
    """The instant an edge of a range stands for, and whether it belongs to the range.

    A day stands for its first instant as a lower edge, for that of the next day (left out) as an upper one.
    """
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text)
            if upper:
                return datetime.combine(day + timedelta(days=1), time(), zone), False
            return datetime.combine(day, time(), zone), True
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"{name}: must be a day such as 2026-01-31, or an instant in ISO 8601.") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)), True
