"""What must the queue service be told at its start?"""

from pydantic import Field, SecretStr

from richiamo_kit.settings import AmiSettings


class Settings(AmiSettings):
    """The shared environment and how to log in to the PBX for click to call."""

    dial_user: str = Field(default="click2call", description="User of the PBX's REST interface for click to call")
    dial_password: SecretStr = Field(default=SecretStr(""), description="Password of that user")
    dial_timeout_seconds: float = Field(default=8.0, gt=0, description="How long the PBX may take to accept a call")
