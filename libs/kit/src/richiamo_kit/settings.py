"""What does every service need to be told? The shared part of its environment, names of `api.md`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The environment that all services share; a service adds its own fields. Read in `__main__` alone."""

    model_config = SettingsConfigDict(env_prefix="RICHIAMO_", frozen=True)

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
    log_level: str = Field(default="info", description="debug, info, warning or error")
    log_format: str = Field(default="console", description="console or json")
    nats_replicas: int = Field(default=1, ge=1, le=5, description="Replicas of every stream: 3 on a cluster")
