"""Who asks: the bearer token of a request (RFC 6750), verified. Says nothing about what they may do."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.security import HTTPBearer

from academy.errors import Unauthenticated
from academy.keys import KeyRing
from academy.people import Identity
from academy.settings import Settings
from academy.tokens import verify
from api.known_tokens import KnownTokens
from api.oidc import OidcIssuer

IDENTITY: Final = "academy.identity"
"""In the ASGI scope of a request whose token was verified."""
LONGEST: Final = 8192
"""Characters of a token."""

bearer_scheme = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="bearer",
    description="A JSON Web Token with a role: learner, instructor or admin.",
)


class Authentication:
    """Our own HS256 tokens, or an OpenID Connect issuer's when one is set: never both."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._keys = keys
        self._issuer = OidcIssuer.of(settings)
        self._known = KnownTokens()

    async def identity(self, request: Request) -> Identity | None:
        """None without a token. Raises Unauthenticated for a bad one, also where none is needed:
        silently reading as somebody else would hide drafts without a word.

        A token is verified once per request: the identity stays in its scope.
        """
        header = request.headers.get("authorization")
        if header is None:
            return None
        if IDENTITY not in request.scope:
            request.scope[IDENTITY] = await self._verified(header)
        identity: Identity = request.scope[IDENTITY]
        return identity

    async def identity_of(self, header: str) -> Identity:
        """Of an `Authorization` header's value. Raises Unauthenticated."""
        return await self._verified(header)

    async def _verified(self, header: str) -> Identity:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST:
            raise Unauthenticated(code="invalid_token")
        known = self._known.identity(token)
        if known is not None:
            return known
        if self._issuer is not None:
            identity = await self._issuer.verify(token)
        else:
            identity = verify(self._keys, token)
        self._known.remember(token, identity)
        return identity
