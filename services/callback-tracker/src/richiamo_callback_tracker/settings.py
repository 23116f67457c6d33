"""What does the callback tracker need to be told? Where the log and its view are."""

from pydantic import Field

from richiamo_kit.settings import Settings


class TrackerSettings(Settings):
    """The environment of `richiamo serve callback-tracker`."""

    dial_window_before_seconds: int = Field(
        default=5, ge=0, le=300, description="How long before the click a call may start: clock skew of the PBX"
    )
    dial_window_after_seconds: int = Field(
        default=120, ge=1, le=3600, description="How long after the click the customer's call may start"
    )
