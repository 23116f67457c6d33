"""What does ingest need to be told? Its port, what the PBX must present, and the password for asking it."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from richiamo_kit.settings import AmiSettings


def _listed(given: object) -> object:
    return [one.strip() for one in given.split(",") if one.strip()] if isinstance(given, str) else given


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]


class IngestSettings(AmiSettings):
    """The environment of `richiamo serve ingest`."""

    ingest_host: str = Field(default="127.0.0.1", description="Address on which the PBX reaches ingest")
    ingest_port: int = Field(default=8081, ge=0, le=65535, description="Port on which the PBX reaches ingest")
    pbx_user: str = Field(default="", description="Basic user that the PBX must present; empty: none, loopback only")
    pbx_password: SecretStr = Field(default=SecretStr(""), description="Basic password that the PBX must present")
    pbx_addresses: Networks = Field(
        default=(), description="Addresses and networks that may report calls, with commas between; empty: any"
    )
    trusted_proxies: Networks = Field(
        default=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        description="Proxies whose X-Forwarded-For and certificate header are believed, with commas between",
    )
    pbx_certificate_header: str = Field(
        default="", description="Header in which such a proxy passes on the name of the PBX's client certificate"
    )
    pbx_certificate_name: str = Field(
        default="", description="The name that is right, such as CN=KPBX40412345; both or neither"
    )
    largest_records_body: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Largest body of call records taken at once, in bytes"
    )
    cdr_password: SecretStr = Field(
        default=SecretStr(""), description="Password of the PBX's user who reads call records (setting cdr_user)"
    )
    cdr_password_file: Path | None = Field(default=None, description="File that holds that password instead")
    cdr_timeout_seconds: float = Field(
        default=60.0, gt=0, description="How long the PBX may be silent while it answers call records"
    )
    ami_events: bool = Field(default=False, description="Whether ingest listens to the events of the AMI")
    ami_pbx: str = Field(
        default="main", pattern=r"[A-Za-z0-9_-]{1,40}", description="Name of the PBX whose AMI this is, as in ?pbx="
    )
    ami_utc: bool = Field(default=False, description="Whether the times of its call records are UTC (usegmtime=yes)")

    @model_validator(mode="after")
    def _both_or_neither(self) -> "IngestSettings":
        if bool(self.pbx_certificate_header) != bool(self.pbx_certificate_name):
            raise ValueError("Set both RICHIAMO_PBX_CERTIFICATE_HEADER and RICHIAMO_PBX_CERTIFICATE_NAME, or neither.")
        return self

    @property
    def password_for_records(self) -> str:
        """From the file when one is named, read anew each time, so that it can be changed. Raises OSError."""
        if self.cdr_password_file is not None:
            return self.cdr_password_file.read_text().strip()
        return self.cdr_password.get_secret_value()
