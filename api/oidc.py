"""Tokens of an OpenID Connect issuer: discovery, JWKS, and nothing a token says about itself.

Only RS256 and ES256 pass, and only with keys from the issuer's own JWKS, so a token cannot choose
a weaker way. Keys are fetched in threads and kept for five minutes; unknown key ids cause at most
one fetch in 30 seconds (PyJWKClient's cooldown).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

import jwt

from academy.errors import SettingsError, Unavailable
from academy.people import Identity
from academy.settings import Settings
from academy.tokens import LEEWAY, REQUIRED, identity_of, refused

log = logging.getLogger(__name__)

ALGORITHMS: Final = ("RS256", "ES256")
TIMEOUT: Final = 5.0
"""Seconds for each request to the issuer."""
PAUSE: Final = 5.0
"""Seconds before discovery is tried again after it failed."""


class OidcIssuer:
    def __init__(self, issuer: str, audience: str, roles_claim: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._roles_claim = roles_claim
        self._keys: jwt.PyJWKClient | None = None
        self._discovering = asyncio.Lock()
        self._failed_at: float | None = None

    @classmethod
    def of(cls, settings: Settings) -> OidcIssuer | None:
        """None without an issuer. SettingsError without an audience: tokens made for other
        applications of the same issuer would pass.
        """
        if settings.oidc_issuer is None:
            return None
        if settings.oidc_audience is None:
            raise SettingsError(
                "ACADEMY_OIDC_AUDIENCE is not set: name the audience that the issuer writes "
                "into tokens for this API."
            )
        return cls(settings.oidc_issuer, settings.oidc_audience, settings.roles_claim)

    async def verify(self, token: str) -> Identity:
        """Raises Unauthenticated; Unavailable while the issuer does not answer, or not as itself."""
        keys = self._keys or await self._discover()
        try:
            key = await asyncio.to_thread(keys.get_signing_key_from_jwt, token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[name for name in ALGORITHMS if name == key.algorithm_name],
                audience=self._audience,
                issuer=[self._issuer, f"{self._issuer}/"],
                leeway=LEEWAY,
                options={"require": [*REQUIRED, "iss", "aud"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable("The sign-in service does not answer: try again.") from error
        except jwt.PyJWTError as error:
            raise refused(error) from error
        return identity_of(claims, roles_claim=self._roles_claim)

    async def _discover(self) -> jwt.PyJWKClient:
        """OpenID Connect Discovery 1.0 §4; the document must name the issuer that was asked."""
        async with self._discovering:
            if self._keys is not None:
                return self._keys
            if self._failed_at is not None and time.monotonic() < self._failed_at + PAUSE:
                raise Unavailable("The sign-in service does not answer: try again.")
            import httpx  # late: only who signs in through an issuer pays for it

            try:
                async with httpx.AsyncClient(timeout=TIMEOUT) as client:
                    answer = await client.get(f"{self._issuer}/.well-known/openid-configuration")
                document: dict[str, Any] = dict(answer.raise_for_status().json())
            except (httpx.HTTPError, ValueError, TypeError) as error:
                self._failed_at = time.monotonic()
                log.warning("discovery of %s failed: %s", self._issuer, error)
                raise Unavailable("The sign-in service does not answer: try again.") from error
            named, keys = document.get("issuer"), document.get("jwks_uri")
            if str(named).rstrip("/") != self._issuer or not isinstance(keys, str):
                log.error("%s answers as issuer %r, jwks_uri %r", self._issuer, named, keys)
                raise Unavailable(
                    "The sign-in service is not set up correctly: tell its operators."
                )
            self._keys = jwt.PyJWKClient(keys, timeout=TIMEOUT)
            return self._keys
