"""What requests mean, remembered as they were spelt, so that the next one alike is not parsed again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from api.response_cache_keys import PLAIN, Address, Addresses, Key, encoding

MOST: Final = 8192
"""Spellings remembered."""
LONGEST: Final = 1024
"""Bytes of one that is."""

Spelling = tuple[str, bytes, bytes | None, bytes | None, bytes | None]
"""Path, query, `Accept-Language`, `Accept-Encoding` and `Origin`."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a request asks for."""

    address: Address
    key: Key
    coding: str


@dataclass(slots=True)
class Spellings:
    addresses: Addresses
    known: dict[Spelling, Meaning] = field(default_factory=dict)

    def understood(self, spelling: Spelling) -> Meaning | None:
        """None for what no address answers, or at too great a length."""
        path, query, accept_language, accept_encoding, origin = spelling
        address = self.addresses.find(path)
        if address is None:
            return None
        key = self.addresses.key(address, path, query, accept_language or b"", origin or b"")
        if key is None:
            return None
        meaning = Meaning(address, key, encoding(accept_encoding) if accept_encoding else PLAIN)
        if sum(len(part or "") for part in spelling) <= LONGEST:
            if len(self.known) >= MOST:
                self.known.clear()
            self.known[spelling] = meaning
        return meaning
