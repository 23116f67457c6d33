"""How is the gateway set up? Its environment, read once in `__main__`."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from richiamo_gateway.auth.oidc.settings import OidcSettings


class GatewaySettings(OidcSettings):
    """What the gateway is told by its environment; every name begins with `RICHIAMO_`."""

    model_config = SettingsConfigDict(env_prefix="RICHIAMO_", frozen=True)

    gateway_host: str = Field(
        default="127.0.0.1", description="Address to listen on; put a proxy with TLS before anything wider"
    )
    gateway_port: int = Field(default=8080, ge=0, le=65535, description="Port for pages and the JSON API")
    ingest_port: int = Field(
        default=8081, ge=0, le=65535, description="Port on which the PBX reaches ingest, shown on the settings page"
    )
    admin_password: SecretStr | None = Field(
        default=None, description="Password of the user `admin`, who is created when there is no user yet"
    )
    password_min_length: int = Field(
        default=1, ge=1, le=128, description="Shortest password a user may be given; guessing is slowed down by name"
    )
