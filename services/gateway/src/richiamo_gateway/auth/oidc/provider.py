"""Whom does the identity provider say this is? Discovery, the code for a token, the token for claims.

OpenID Connect Core 1.0, section 3.1, with PKCE (RFC 7636); signatures and their keys are joserfc's.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from pydantic import SecretStr

from richiamo_kit.errors import Problem, Unavailable

_TIMEOUT_SECONDS = 10.0
_CLOCKS_APART_SECONDS = 120
_NEVER = frozenset({"none", "HS256", "HS384", "HS512"})
"""Signatures that prove nothing here: none at all, or by a secret that is not only the provider's."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to log in: what has to come back, and what must never leave this side but once."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """An identity provider, known by its issuer's address; what it says about itself is asked for once."""

    def __init__(self, issuer: str, client_id: str, client_secret: SecretStr | None, scope: str) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._metadata: Mapping[str, Any] = {}
        self._keys: KeySet | None = None

    async def where_to_log_in(self, started: Try, redirect_uri: str) -> str:
        """The provider's address to which the browser is sent. Raises `Unavailable`."""
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scope,
            "state": started.state,
            "nonce": started.nonce,
            "code_challenge": _challenge(started.verifier),
            "code_challenge_method": "S256",
        }
        address = str((await self._known())["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    async def claims_for(self, code: str, started: Try, redirect_uri: str) -> Mapping[str, Any]:
        """What the ID token for `code` says, after the checks of Core 3.1.3.7, and the user info beside it.

        Raises `Unavailable` when the provider does not answer, the problem `sign-on-failed` (401) when it refuses
        the code or its token does not hold.
        """
        metadata = await self._known()
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
                token = await self._redeemed(client, code, started.verifier, redirect_uri)
                claims = await self._checked(str(token["id_token"]), started.nonce)
                if "userinfo_endpoint" in metadata:
                    bearer = {"Authorization": f"Bearer {token['access_token']}"}
                    told = await client.get(str(metadata["userinfo_endpoint"]), headers=bearer)
                    claims = _with_user_info(claims, told)
        except (JoseError, ValueError, KeyError) as error:
            _log.warning("sign_on_refused", reason=repr(error))
            title = "The identity provider's answer does not hold."
            raise Problem(401, "sign-on-failed", title, "Try once more.") from error
        except httpx.HTTPError as error:
            raise Unavailable("the identity provider does not answer") from error
        return claims

    async def _redeemed(
        self, client: httpx.AsyncClient, code: str, verifier: str, redirect_uri: str
    ) -> Mapping[str, Any]:
        """The token answer (Core 3.1.3.3); a client with a secret proves itself by Basic credentials."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        secret = self._client_secret
        # RFC 6749, section 2.3.1: both are form-encoded before they become user and password.
        proof = (quote(self._client_id, safe=""), quote(secret.get_secret_value(), safe="")) if secret else None
        told = await client.post(
            str(self._metadata["token_endpoint"]), data=asked, auth=proof or httpx.USE_CLIENT_DEFAULT
        )
        if told.is_client_error:
            raise ValueError(f"the code was refused: {told.text[:200]}")
        told.raise_for_status()
        answer: dict[str, Any] = told.json()
        return answer

    async def _checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        try:
            read = self._verified(id_token, await self._signing_keys(renewed=False))
        except InvalidKeyIdError:
            read = self._verified(id_token, await self._signing_keys(renewed=True))
        jwt.JWTClaimsRegistry(
            leeway=_CLOCKS_APART_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(read.claims)
        if read.claims.get("azp", self._client_id) != self._client_id:
            raise ValueError("the token is for somebody else")
        return dict(read.claims)

    def _verified(self, text: str, keys: KeySet) -> jwt.Token:
        offered = self._metadata.get("id_token_signing_alg_values_supported", ["RS256"])
        registry = JWSRegistry(algorithms=[name for name in offered if name not in _NEVER], strict_check_header=False)
        return jwt.decode(text, keys, registry=registry)

    async def _known(self) -> Mapping[str, Any]:
        if not self._metadata:
            told = await _fetched(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            if told.get("issuer") != self._issuer:
                raise Unavailable(f"the identity provider calls itself {told.get('issuer')}, not {self._issuer}")
            self._metadata = told
        return self._metadata

    async def _signing_keys(self, *, renewed: bool) -> KeySet:
        if self._keys is None or renewed:
            self._keys = KeySet.import_key_set(await _fetched(str((await self._known())["jwks_uri"])))  # type: ignore[arg-type]  # It checks what it is given.
        return self._keys


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_user_info(claims: dict[str, Any], told: httpx.Response) -> dict[str, Any]:
    """The claims, and what the user info adds to them: the token leads, and both must be about one person."""
    if told.is_error:
        _log.warning("user_info_not_read", status=told.status_code)
        return claims
    more = told.json()
    if more.get("sub") != claims["sub"]:
        raise ValueError("the user info is about somebody else")
    return {**more, **claims}


async def _fetched(address: str) -> dict[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            answer = await client.get(address)
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        _log.warning("identity_provider_away", address=address, reason=repr(error))
        raise Unavailable("the identity provider does not answer") from error
    return told
