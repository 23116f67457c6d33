"""What does ingest need to be told? Its port and the credentials that the PBX must present."""

from pydantic import Field, SecretStr

from richiamo_kit.settings import Settings


class IngestSettings(Settings):
    """The environment of `richiamo serve ingest`."""

    ingest_host: str = Field(default="127.0.0.1", description="Address on which the PBX reaches ingest")
    ingest_port: int = Field(default=8081, ge=0, le=65535, description="Port on which the PBX reaches ingest")
    pbx_user: str = Field(default="", description="Basic user that the PBX must present; empty: none, loopback only")
    pbx_password: SecretStr = Field(default=SecretStr(""), description="Basic password that the PBX must present")
    largest_records_body: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Largest body of call records taken at once, in bytes"
    )
