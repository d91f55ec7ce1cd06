"""Tokens verified a moment ago: a learner's player sends the same one every few seconds, and verifying
costs more than all else that a heartbeat needs.

A token is known for a minute and never beyond its own expiry. What is kept is its digest, not itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from academy.people import Identity

KEPT: Final = 60.0
"""Seconds. For so long a key that an OpenID Connect issuer withdrew is still honoured."""
MOST: Final = 20_000


@dataclass(slots=True)
class KnownTokens:
    """Bounded; the longest known goes first."""

    most: int = MOST
    clock: Callable[[], float] = time.time
    _known: dict[bytes, tuple[float, Identity]] = field(default_factory=dict, init=False)

    def identity(self, token: str) -> Identity | None:
        until, identity = self._known.get(_digest(token), (0.0, None))
        return identity if until > self.clock() else None

    def remember(self, token: str, identity: Identity) -> None:
        """`token` was verified just now."""
        key = _digest(token)
        self._known.pop(key, None)
        while len(self._known) >= self.most:
            del self._known[next(iter(self._known))]
        self._known[key] = (min(self.clock() + KEPT, _expiry(token)), identity)


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=16).digest()


def _expiry(token: str) -> float:
    """Unix time, read from a token that was verified."""
    claims = token.split(".")[1]
    return float(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])
