"""How does one log in with the company's own account? OpenID Connect, by code and PKCE."""
