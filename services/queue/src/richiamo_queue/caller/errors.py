"""Why can a command not be carried out? One exception a reason, each with a sentence for the user."""

from datetime import datetime

from richiamo_kit.errors import Rejected


class NothingToRecall(Rejected):
    """No request of this caller is open any more."""

    type = "nothing-to-recall"
    title = "Nothing is left to recall"

    def __init__(self) -> None:
        super().__init__(
            "This customer has no open request any more: somebody reached them, or the requests were closed."
        )


class UnknownCaller(Rejected):
    """The log has never heard of this caller, or the user may not see it."""

    type = "unknown-caller"
    title = "There is no such caller"
    status = 404

    def __init__(self) -> None:
        super().__init__("No caller with this id is in the lists that you may see.")


class UnknownFlush(Rejected):
    """No flush has this id."""

    type = "unknown-flush"
    title = "There is no such flush"
    status = 404

    def __init__(self) -> None:
        super().__init__("No flush with this id was ever made.")


class AlreadyReserved(Rejected):
    """Somebody else holds this caller."""

    type = "already-reserved"
    title = "Somebody else has reserved this customer"

    def __init__(self, by: str, since: datetime, name: str = "", shown_since: str = "") -> None:
        super().__init__(
            f"{name or by} has reserved this customer.",
            reserved_by=by,
            reserved_by_name=name or by,
            since=shown_since or since.isoformat(),
        )
        self.by = by
        self.since = since


class NotReserved(Rejected):
    """A recall needs a reservation first."""

    type = "not-reserved"
    title = "Reserve this customer first"

    def __init__(self) -> None:
        super().__init__("Your reservation of this customer has ended: reserve it again before you call.")


class BeingCalled(Rejected):
    """A recall of this caller is in progress."""

    type = "being-called"
    title = "This customer is being called"

    def __init__(self, by: str, since: datetime, name: str = "") -> None:
        super().__init__(
            f"{name or by} is calling this customer right now.",
            called_by=by,
            called_by_name=name or by,
            since=since.isoformat(),
        )
        self.by = by
        self.since = since


class HiddenForNow(Rejected):
    """The cool-down after a call in vain still runs."""

    type = "hidden"
    title = "This customer was called in vain a short while ago"

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(
            "Somebody called this customer in vain; the row comes back when the cool-down ends.",
            hidden_until=until.isoformat(),
            hidden_reason=reason,
        )
        self.until = until


class NotAllowed(Rejected):
    """Only somebody with another role may do this."""

    type = "forbidden"
    title = "You may not do this"
    status = 403


class NotYourCall(Rejected):
    """The recall belongs to somebody else, or there is none."""

    type = "not-your-call"
    title = "This is no recall of yours"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or "Only who called, or a supervisor, can do this.")


class NoteChanged(Rejected):
    """Somebody wrote the note since it was read."""

    type = "note-changed"
    title = "Somebody changed this note meanwhile"

    def __init__(self) -> None:
        super().__init__("Read what it says now, then write it again on top of that version.")


class NotAssignable(Rejected):
    """This user cannot be given callers."""

    type = "not-assignable"
    title = "This user cannot be given customers"


class NothingToFlush(Rejected):
    """None of the callers given has an open request."""

    type = "nothing-to-flush"
    title = "Nothing is left to close"

    def __init__(self) -> None:
        super().__init__("None of these customers has an open request any more.")


class TooMany(Rejected):
    """More callers than one command takes."""

    type = "too-many"
    title = "Too many customers at once"
    status = 422

    def __init__(self, limit: int) -> None:
        super().__init__(f"At most {limit:,} customers can be changed at once.")


class NotDialled(Rejected):
    """The PBX did not take the call."""

    type = "not-dialled"
    title = "The PBX did not dial"


class Malformed(Rejected):
    """The request does not have its shape."""

    type = "malformed"
    title = "This request cannot be understood"
    status = 422
