"""What can the simulation do next? Steps, each at an instant: the PBX speaks, or an operator acts."""

from dataclasses import dataclass
from datetime import datetime

from richiamo_ops.simulate.calls import PbxCall
from richiamo_ops.simulate.wire import NoticeForm, RecordForm


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRouting:
    """The PBX runs its dynamic routing on a call that overflows `queue`."""

    at: datetime
    call: PbxCall
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportNotice:
    """The PBX notifies that nobody served a call."""

    at: datetime
    call: PbxCall
    form: NoticeForm


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecord:
    """The call's record arrives. With `dial` set, only if that dial really took place."""

    at: datetime
    call: PbxCall
    form: RecordForm
    dial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """An operator takes a customer from the list."""

    at: datetime
    operator: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An operator thinks better of it."""

    at: datetime
    operator: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """An operator rings the customer back; `dial` is the name that the record of the call refers to."""

    at: datetime
    operator: str
    number: str
    dial: str


Step = ReportRouting | ReportNotice | ReportRecord | Reserve | Release | Dial
EdgeStep = ReportRouting | ReportNotice | ReportRecord
DeskStep = Reserve | Release | Dial
