"""How are the parameters of the API read? Checked here, in words; what they mean is the services' business."""

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import Depends, Header, Path, Query
from pydantic import AfterValidator, BeforeValidator

from richiamo_gateway import problem
from richiamo_gateway.context import Gateway, gateway_of

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_BLANK_OFFSET = re.compile(r" (?=\d{2}:?\d{2}$)")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_RANGE_DAYS = 3700

_P = ParamSpec("_P")
_T = TypeVar("_T")


def at_once(read: Callable[_P, _T]) -> Callable[_P, Awaitable[_T]]:
    """A dependency that waits for nothing, run where it is asked for: FastAPI gives a plain function a thread."""

    @wraps(read)
    async def called(*args: _P.args, **named: _P.kwargs) -> _T:
        return read(*args, **named)

    return called


GatewayOf = Annotated[Gateway, Depends(at_once(gateway_of))]


def _plus_restored(text: Any) -> Any:
    """An offset whose plus sign was not escaped arrives as a blank."""
    return _BLANK_OFFSET.sub("+", text) if isinstance(text, str) else text


def _instant_text(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("Must be an instant such as 2026-03-29T10:00:00+02:00") from None
    if instant.tzinfo is None:
        raise ValueError("Must have an offset, such as 2026-03-29T10:00:00+02:00")
    return instant.isoformat()


def _day_text(text: str) -> str:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("Must be a day such as 2026-03-29") from None


def _day_or_instant_text(text: str) -> str:
    return _day_text(text) if len(text) <= len("2026-03-29") else _instant_text(text)


Instant = Annotated[str, BeforeValidator(_plus_restored), AfterValidator(_instant_text)]
"""ISO 8601 with offset."""
Day = Annotated[str, AfterValidator(_day_text)]
"""A site day, `YYYY-MM-DD`."""
Moment = Annotated[str, BeforeValidator(_plus_restored), AfterValidator(_day_or_instant_text)]
"""A site day, which is included as a whole, or an instant."""

AsOf = Annotated[Instant | None, Query(description="How it was at this instant; now when left out")]
MinPosition = Annotated[
    int | None, Header(ge=0, description="Answer from data at least as new as this log position: read your own writes")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same command sent again with the same key has one effect and one answer",
    ),
]


def _opaque(what: str) -> Callable[[str], str]:
    def checked(value: str) -> str:
        if not _OPAQUE.fullmatch(value):
            raise problem.not_found(f"There is no {what} with this id.")
        return value

    return checked


def _caller_id(caller_id: Annotated[str, Path(description="The id of a caller, from a request or caller item")]) -> str:
    return _opaque("caller")(caller_id)


def _flush_id(flush_id: Annotated[str, Path(description="The id that `POST /flushes` answered")]) -> str:
    return _opaque("flush")(flush_id)


CallerIdOf = Annotated[str, Depends(at_once(_caller_id))]
FlushIdOf = Annotated[str, Depends(at_once(_flush_id))]


def filters(
    *,
    queue: Annotated[list[str] | None, Query(description="Only these queues; repeatable")] = None,
    kind: Annotated[list[str] | None, Query(alias="type", description="Repeatable")] = None,
    source: Annotated[str | None, Query(max_length=100)] = None,
    caller: Annotated[str | None, Query(max_length=50, description="Part of the number")] = None,
    account_code: Annotated[str | None, Query(max_length=100)] = None,
    first_call_from: Moment | None = None,
    first_call_to: Moment | None = None,
    last_call_from: Moment | None = None,
    last_call_to: Moment | None = None,
    last_recall_from: Moment | None = None,
    last_recall_to: Moment | None = None,
    recalled_min: Annotated[int | None, Query(ge=0)] = None,
    recalled_max: Annotated[int | None, Query(ge=0)] = None,
    sort: Annotated[
        str | None, Query(pattern=r"^-?[a-z_]{1,40}$", description="A field of the items; `-` for descending")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(max_length=2000, description="`next` of the page before")] = None,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """The filters, order and page of a list, without those that were not given."""
    given: dict[str, Any] = {
        "queue": queue or None,
        "type": kind or None,
        "source": source,
        "caller": caller,
        "account_code": account_code,
        "first_call_from": first_call_from,
        "first_call_to": first_call_to,
        "last_call_from": last_call_from,
        "last_call_to": last_call_to,
        "last_recall_from": last_recall_from,
        "last_recall_to": last_recall_to,
        "recalled_min": recalled_min,
        "recalled_max": recalled_max,
        "sort": sort,
        "limit": limit,
        "after": after,
        "as_of": as_of,
    }
    return {name: value for name, value in given.items() if value is not None and value != ""}


Filters = Annotated[dict[str, Any], Depends(at_once(filters))]


def today(gateway: Gateway) -> str:
    """The site's day of now."""
    return gateway.clock.now().astimezone(gateway.site.settings.zone).date().isoformat()


def days(
    gateway: GatewayOf,
    start: Annotated[Day | None, Query(alias="from", description="First site day; today when left out")] = None,
    end: Annotated[Day | None, Query(alias="to", description="Last site day, included; today when left out")] = None,
) -> dict[str, str]:
    """The range of a report, both days included."""
    last = end or start or today(gateway)
    first = start or last
    if first > last:
        raise problem.invalid("The range is upside down.", {"from": "Must not be after `to`."})
    if (date.fromisoformat(last) - date.fromisoformat(first)).days > _LONGEST_RANGE_DAYS:
        raise problem.invalid("The range is too long.", {"from": f"At most {_LONGEST_RANGE_DAYS} days."})
    return {"from": first, "to": last}


Days = Annotated[dict[str, str], Depends(at_once(days))]
