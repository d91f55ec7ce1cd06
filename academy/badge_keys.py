"""The Ed25519 keys that sign badges, apart from every other secret: what they signed is checked for ever.

The ring is a JWK Set (RFC 7517) of OKP keys (RFC 8037) in one file. The first key with a private part
signs; all public parts stay published, so a key that no longer signs loses its `d` but not its place.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from academy.errors import SettingsError

Jwk = dict[str, str]
_NAME = "ACADEMY_BADGE_KEYS"


class BadgeKeys:
    """The ring as read. Raises SettingsError for anything that is none."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        try:
            self._keys = [_checked(key) for key in document["keys"]]
            signing = next(key for key in self._keys if "d" in key)
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            raise SettingsError(
                f"{_NAME}: the file must be a JWK Set of Ed25519 keys of which one has its private "
                "part: make one with `academy badge-key`."
            ) from error
        self.kid = signing["kid"]
        self._private = Ed25519PrivateKey.from_private_bytes(_bytes(signing["d"]))

    @classmethod
    def read(cls, file: Path) -> BadgeKeys:
        try:
            return cls(json.loads(file.read_text()))
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{_NAME}: {file} cannot be read: make it with `academy badge-key`."
            ) from error

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032), by the key named `kid`."""
        return self._private.sign(message)

    def public(self) -> list[Jwk]:
        """Every key, without private parts, newest first."""
        return [{name: key[name] for name in ("kty", "crv", "kid", "x")} for key in self._keys]


def renew(file: Path) -> str:
    """Puts a new key at the front of the ring in `file`, which need not exist; returns its `kid`.

    The keys before it stop signing: their private parts are removed, their public ones stay.
    """
    private = Ed25519PrivateKey.generate()
    x = _text(private.public_key().public_bytes_raw())
    new = {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": _thumbprint(x),
        "x": x,
        "d": _text(private.private_bytes_raw()),
    }
    former: list[Jwk] = []
    if file.exists():
        former = BadgeKeys.read(file).public()
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump({"keys": [new, *former]}, stream, indent=2)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
    return new["kid"]


def _checked(key: Mapping[str, Any]) -> Jwk:
    if (key["kty"], key["crv"]) != ("OKP", "Ed25519"):
        raise ValueError("not an Ed25519 key")
    Ed25519PublicKey.from_public_bytes(_bytes(key["x"]))
    if "d" in key:
        private = Ed25519PrivateKey.from_private_bytes(_bytes(key["d"]))
        if _text(private.public_key().public_bytes_raw()) != key["x"]:
            raise ValueError("the two halves do not belong together")
    return {name: str(value) for name, value in key.items()} | {"kid": str(key["kid"])}


def _thumbprint(x: str) -> str:
    """RFC 7638, of an OKP key."""
    canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    digest = Hash(SHA256())
    digest.update(canonical.encode())
    return _text(digest.finalize())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
