"""Bearer tokens: JSON Web Tokens (RFC 7519) and the identity they carry.

Signed here with HS256 and the `tokens` sub-key, for one machine and for development. Tokens of an
OpenID Connect issuer are verified in `api/oidc.py`; both end in `identity_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from academy.errors import Unauthenticated
from academy.keys import KeyRing
from academy.people import Identity, Role

PARTY: Final = "academy"
"""Issuer and audience of our own tokens."""
REQUIRED: Final = ("exp", "sub")
LONGEST_SUBJECT: Final = 255
LEEWAY: Final = 10
"""Seconds that two clocks may differ."""


def issue(
    keys: KeyRing, roles: Role | Iterable[Role], subject: str, expires_in: timedelta | float
) -> str:
    """A signed token. `expires_in` in seconds (or a timedelta) from now."""
    held = [roles] if isinstance(roles, Role) else sorted(roles)
    begin = datetime.now(UTC)
    lifetime = expires_in if isinstance(expires_in, timedelta) else timedelta(seconds=expires_in)
    claims = {
        "iss": PARTY,
        "aud": PARTY,
        "sub": subject,
        "roles": [role.value for role in held],
        "iat": begin,
        "exp": begin + lifetime,
    }
    return jwt.encode(claims, keys.key("tokens"), algorithm="HS256")


def verify(keys: KeyRing, token: str) -> Identity:
    """The bearer of one of our own tokens, signed by the current or the previous secret.

    Raises Unauthenticated. Only HS256 is accepted, whatever the token's header says.
    """
    refusal: jwt.InvalidTokenError = jwt.InvalidSignatureError("signature")
    for key in keys.keys("tokens"):
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience=PARTY,
                issuer=PARTY,
                leeway=LEEWAY,
                options={"require": list(REQUIRED)},
            )
        except jwt.InvalidSignatureError as error:
            refusal = error
        except jwt.InvalidTokenError as error:
            raise refused(error) from error
        else:
            return identity_of(claims, roles_claim="roles")
    raise refused(refusal) from refusal


def identity_of(claims: Mapping[str, Any], *, roles_claim: str) -> Identity:
    """Reads verified claims. `roles_claim` may be a path such as `realm_access.roles`;
    its value is a list or a string of words. Roles this project does not know are left out.
    """
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise refused(jwt.InvalidTokenError("sub"))
    known = {role.value for role in Role}
    roles = frozenset(Role(word) for word in _words(claims, roles_claim) if word in known)
    name = claims.get("name")
    return Identity(subject=subject, roles=roles, name=name if isinstance(name, str) else None)


def _words(claims: Mapping[str, Any], path: str) -> list[str]:
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found.split()
    return [word for word in found if isinstance(word, str)] if isinstance(found, list) else []


def refused(error: jwt.PyJWTError) -> Unauthenticated:
    """The sentence for a token that does not pass; it never repeats the token."""
    if isinstance(error, jwt.ExpiredSignatureError):
        return Unauthenticated("The token has expired: sign in again.", code="token_expired")
    return Unauthenticated("The token is not valid: sign in again.", code="invalid_token")
