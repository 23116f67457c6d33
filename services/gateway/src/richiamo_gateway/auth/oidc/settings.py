"""Which identity provider may let people in, and what does its word make of them?"""

from pathlib import Path

from pydantic import Field, SecretStr

from richiamo_kit.settings import Settings


class OidcSettings(Settings):
    """The part of the gateway's environment about single sign-on; nothing of it counts without an issuer."""

    oidc_issuer: str = Field(default="", description="Address of the identity provider; empty: no single sign-on")
    oidc_name: str = Field(default="", description="What the button of the log-in page calls the provider")
    oidc_client_id: str = Field(default="richiamo", description="Name under which the provider knows Richiamo")
    oidc_client_secret_file: Path | None = Field(
        default=None, description="File with the secret that the provider gave for that name; unset: a public client"
    )
    oidc_scope: str = Field(default="openid profile", description="What the provider is asked to tell")
    oidc_username_claim: str = Field(default="preferred_username", description="Claim that holds the user name")
    oidc_roles_claim: str = Field(
        default="groups", description="Claim that holds groups or roles; dots lead into objects (realm_access.roles)"
    )
    oidc_roles: dict[str, str] = Field(
        default_factory=dict,
        description='What a group makes of its members: {"call-centre": "operator", "leads": "supervisor"}',
    )
    oidc_links_existing: bool = Field(
        default=False,
        description="Whether the provider may also log in users who were made in Richiamo, by equal user name",
    )
    public_url: str = Field(
        default="", description="Address of the pages as browsers see it; empty: that of each request"
    )

    def oidc_client_secret(self) -> SecretStr | None:
        """The secret, read from its file; raises `OSError` when the file cannot be read."""
        file = self.oidc_client_secret_file
        return None if file is None else SecretStr(file.read_text(encoding="utf-8").strip())
