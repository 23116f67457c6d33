"""What does every service need to be told? The shared part of its environment, names of `api.md`.

Whatever may be said in the environment may also stand in a file of the same name, in lower letters, in the folder of
secrets: `/run/secrets` of a container, or the one systemd names in `CREDENTIALS_DIRECTORY`. The environment leads.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from richiamo_kit.ami import AmiAccount

SECRETS = Path(os.environ.get("CREDENTIALS_DIRECTORY") or "/run/secrets")


class Settings(BaseSettings):
    """The environment that all services share; a service adds its own fields. Read in `__main__` alone."""

    model_config = SettingsConfigDict(
        env_prefix="RICHIAMO_", frozen=True, secrets_dir=SECRETS if SECRETS.is_dir() else None
    )

    nats_url: SecretStr = Field(default=SecretStr("nats://127.0.0.1:4222"), description="Where the log is")
    database_url: SecretStr = Field(
        default=SecretStr("postgresql://127.0.0.1:5432/richiamo"), description="Where the views are"
    )
    data_dir: Path = Field(default=Path("var"), description="Folder of the spool, the secrets and embedded servers")
    site_timezone: str = Field(default="Europe/Rome", description="Time zone of the site's days, until a setting says")
    site_country: str = Field(default="IT", description="Country of numbers without prefix, until a setting says")
    directory_key_file: Path | None = Field(
        default=None, description="File with the caller directory's hash key; unset: secrets/directory.key in data_dir"
    )
    pbx_ca_file: Path | None = Field(
        default=None, description="File with the certificate to trust, when the PBX's is not of a known authority"
    )
    observe_host: str = Field(default="127.0.0.1", description="Address of the port below")
    observe_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port for /healthz, /readyz and /metrics of queue, callback-tracker and reporting; unset: none",
    )
    languages_dir: Path | None = Field(
        default=None, description="Folder with a .po file for each further language, such as de.po; unset: none"
    )
    log_level: str = Field(default="info", description="debug, info, warning or error")
    log_format: str = Field(default="console", description="console or json")
    nats_replicas: int = Field(default=1, ge=1, le=5, description="Replicas of every stream: 3 on a cluster")


class AmiSettings(Settings):
    """The environment of a service that speaks with an Asterisk's manager interface."""

    ami_host: str = Field(default="", description="Host of the Asterisk's AMI; empty: there is none")
    ami_port: int = Field(default=5038, ge=1, le=65535, description="Port of the AMI")
    ami_user: str = Field(default="richiamo", description="User of manager.conf")
    ami_secret_file: Path | None = Field(default=None, description="File that holds the secret of that user")
    ami_login: Literal["md5", "plain"] = Field(
        default="md5", description="md5: the secret is never sent; plain: only over TLS or on this machine"
    )
    ami_tls: bool = Field(default=False, description="Whether the AMI is reached over TLS")

    def ami_account(self) -> AmiAccount | None:
        """Where and as whom to log in; None when no host is set. Raises OSError when the file cannot be read."""
        if not self.ami_host:
            return None
        secret = self.ami_secret_file.read_text().strip() if self.ami_secret_file else ""
        return AmiAccount(
            host=self.ami_host,
            port=self.ami_port,
            username=self.ami_user,
            secret=secret,
            login=self.ami_login,
            tls=self.ami_tls,
        )
