"""What can be asked of the reports? The payloads of the subjects, checked, with a refusal in words."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from richiamo_kit.errors import Problem

LONGEST = 3700
"""Days that one report may cover."""

Report = Literal["dashboard", "day", "code-caller", "historical"]


def _listed(value: Any) -> Any:
    """One text or several; none at all is no filter."""
    if value is None:
        return None
    texts = [value] if isinstance(value, str) else list(value)
    return tuple(text for text in texts if text != "") or None


def _absent(value: Any) -> Any:
    return None if value == "" else value


Texts = Annotated[tuple[str, ...] | None, BeforeValidator(_listed)]
Count = Annotated[int | None, BeforeValidator(_absent)]
Day = Annotated[date | None, BeforeValidator(_absent)]


class User(BaseModel):
    """Who asks, as the gateway vouches for them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    username: str = ""
    name: str = ""
    role: str = "operator"
    extension: str = ""
    queues: tuple[str, ...] = ()
    """The queues this user may see; empty: all."""
    masked: bool = False
    language: str = "it"


class Question(BaseModel):
    """What all reports are asked with. Days are site days, both included; without any: today."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user: User = User()
    first: Day = Field(default=None, alias="from")
    last: Day = Field(default=None, alias="to")
    day: Day = None
    type: Texts = None
    queue: Texts = None
    as_of: Annotated[AwareDatetime | None, BeforeValidator(_absent)] = None
    min_position: Count = None
    min_callers: Count = None
    max_callers: Count = None

    def span(self, today: date) -> tuple[date, date]:
        """First and last day asked for; a single edge stands for both. Raises `Problem` 422."""
        if self.day is not None and self.first is None and self.last is None:
            return self.day, self.day
        first = self.first or self.last or today
        last = self.last or self.first or today
        if first > last:
            raise refused("from: must not be after to.")
        if last - first >= timedelta(days=LONGEST):
            raise refused(f"from, to: at most {LONGEST} days at once.")
        return first, last


class BehindQuestion(Question):
    report: Report
    figure: str
    limit: Annotated[
        int, BeforeValidator(lambda value: 1000 if value in (None, "") else value), Field(ge=1, le=1000)
    ] = 1000
    after: Annotated[str | None, BeforeValidator(_absent)] = None


class WorkbookQuestion(Question):
    """A workbook of a report, or with a `figure` of the requests behind it."""

    report: Report
    figure: Annotated[str | None, BeforeValidator(_absent)] = None


Q = TypeVar("Q", bound=Question)


def read(kind: type[Q], payload: dict[str, Any]) -> Q:
    """The question in a payload; `Problem` 422 says in words which parameter is wrong."""
    try:
        return kind.model_validate({name: value for name, value in payload.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the question"
        raise refused(f"{where}: {first['msg']}.") from error


def refused(why: str) -> Problem:
    return Problem(422, "invalid-parameter", "This cannot be asked", why)
