"""What can the caller of a failed action do about it? One exception a possible answer.

`Rejected`: tell the user. `StreamMoved`: decide again. `Unavailable`: try again after a delay.
`Unreadable` (that of richiamo_events): put the
message aside or stop, never skip it in silence. `Problem` is how the first reaches another service or a browser.
"""

from collections.abc import Sequence

from richiamo_events.wire import Unreadable

__all__ = ["Problem", "Rejected", "StreamMoved", "Unavailable", "Unreadable"]


class Problem(Exception):
    """The other side refused or failed; the fields are those of RFC 9457, `extra` its further members.

    `type` is the last part of the problem type, such as `already-reserved`; the gateway makes it a URI.
    """

    def __init__(self, status: int, type: str, title: str, detail: str = "", **extra: object) -> None:  # noqa: A002 -- RFC 9457 names it so.
        super().__init__(f"{status} {type}: {title}" + (f" ({detail})" if detail else ""))
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.extra = extra

    def as_json(self) -> dict[str, object]:
        """The members of an `application/problem+json` body."""
        body: dict[str, object] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        return {**self.extra, **body}

    @classmethod
    def from_json(cls, body: dict[str, object]) -> "Problem":
        """The opposite of `as_json`; a body without status is an internal error (500)."""
        known = ("status", "type", "title", "detail")
        extra = {name: value for name, value in body.items() if name not in known}
        status = body.get("status", 500)
        problem = cls(
            status if isinstance(status, int) else 500,
            str(body.get("type", "internal-error")),
            str(body.get("title", "")),
            str(body.get("detail", "")),
        )
        problem.extra = extra
        return problem


class Rejected(Exception):
    """The rules do not allow this command now. Expected, told to the user, HTTP 409.

    Subclasses set `type` and `title`; `extra` are further members of the problem, such as `reserved_by`.
    """

    type = "rejected"
    title = "This is not possible now"
    status = 409

    def __init__(self, detail: str = "", **extra: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra = extra

    def as_problem(self) -> Problem:
        problem = Problem(self.status, self.type, self.title, self.detail)
        problem.extra = dict(self.extra)
        return problem


class StreamMoved(Exception):
    """Somebody else appended first and none of the events given is stored: read again, decide again (bounded).

    `subjects` are those that moved, when known; empty when not.
    """

    def __init__(self, subjects: Sequence[str] = ()) -> None:
        super().__init__(", ".join(subjects) or "a subject moved")
        self.subjects = tuple(subjects)


class Unavailable(Exception):
    """Something we need does not answer: try again with a delay. HTTP 503. Nothing is known about the outcome."""
