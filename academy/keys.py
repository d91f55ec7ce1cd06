"""Sub-keys of `SECRET_KEY`, one per purpose, so that a leak of one kind of token says nothing of another.

Derivation is HKDF-SHA256 (RFC 5869) with the purpose as `info`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal[
    "tokens", "path-tokens", "disk-links", "cursors", "webhooks", "invitations", "uppy"
]


class KeyRing:
    """Signs with the current secret; verifies with the current or the previous one."""

    def __init__(self, secret: str, previous: str | None = None) -> None:
        self._secrets = [secret] if previous is None else [secret, previous]

    def key(self, purpose: Purpose) -> bytes:
        """The 32-byte signing key of one purpose."""
        return next(self.keys(purpose))

    def keys(self, purpose: Purpose) -> Iterator[bytes]:
        """Every key that may have signed, newest first."""
        for secret in self._secrets:
            yield HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(
                secret.encode()
            )

    def sign(self, purpose: Purpose, message: bytes, *, length: int = 20) -> str:
        """Hexadecimal HMAC-SHA256, cut to `length` bytes (160 bits by default)."""
        return hmac.new(self.key(purpose), message, hashlib.sha256).digest()[:length].hex()

    def verify(self, purpose: Purpose, message: bytes, signature: str, *, length: int = 20) -> bool:
        # As bytes: what strangers send as a signature may hold any character.
        given = signature.encode("utf-8", "surrogatepass")
        return any(
            hmac.compare_digest(
                hmac.new(key, message, hashlib.sha256).digest()[:length].hex().encode(), given
            )
            for key in self.keys(purpose)
        )
