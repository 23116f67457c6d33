"""What does the environment say about the installation to start? `api.md`, Start; every name begins with RICHIAMO_."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from richiamo_kit.settings import SECRETS


class Installation(BaseSettings):
    """One installation on this machine, as `make run` and every command of `richiamo` see it."""

    model_config = SettingsConfigDict(
        env_prefix="RICHIAMO_",
        frozen=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    gateway_port: int = Field(default=8080, ge=1, le=65535, description="Port of the pages and the JSON API")
    ingest_port: int = Field(default=8081, ge=1, le=65535, description="Port for the PBX")
    data_dir: Path = Field(default=Path("./var"), description="Folder of everything that is kept")
    admin_password: SecretStr | None = Field(
        default=None, description="Password of the user admin, whom the first start creates; unset: generated"
    )
    nats_url: str | None = Field(default=None, description="NATS elsewhere; unset: embedded")
    database_url: str | None = Field(default=None, description="PostgreSQL elsewhere; unset: embedded")

    public_url: str = Field(default="", description="Address of the pages as browsers see it")
    backups: Path | None = Field(default=None, description="Folder in which `richiamo backup --keep` saves every night")
    observe_port: int | None = Field(
        default=None,
        ge=1,
        le=65533,
        description="Port of /metrics of queue; callback-tracker and reporting take the two after it; unset: none",
    )

    @property
    def folder(self) -> Path:
        """The data folder, the same whatever the working folder of a child is."""
        return self.data_dir.expanduser().absolute()

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def ingest(self) -> str:
        return f"http://127.0.0.1:{self.ingest_port}"
