"""Conditional requests (RFC 9110 §13): strong tags `"{revision}.{digest of the bytes}"`.

`If-None-Match` compares all of a tag. `If-Match` compares the revision only: a representation may
differ by language or by what others do, while the document somebody edits is the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')
_REVISION = re.compile(r"[0-9]{1,18}")
"""Python refuses to read numbers of thousands of digits, and MongoDB counts to 2⁶³."""
DIGITS = 24
"""Hexadecimal digits of the SHA-256 kept: 96 bits."""


def etag(revision: int, body: bytes) -> str:
    return f'"{revision}.{hashlib.sha256(body).hexdigest()[:DIGITS]}"'


def not_modified(if_none_match: str | None, current: str) -> bool:
    """Weak comparison (§8.8.3.2), as If-None-Match asks; `*` matches whatever there is."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return any(f'"{tag}"' == current for tag in _tags(if_none_match))


def revisions(if_match: str | None) -> frozenset[int] | None:
    """The revisions an If-Match names; None for no condition. What is not ours names none, and so
    never matches. `W/` is let through: a proxy that compresses weakens tags on the way.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    numbers = (tag.split(".", 1)[0] for tag in _tags(if_match))
    return frozenset(int(number) for number in numbers if _REVISION.fullmatch(number))


def _tags(header: str) -> Iterator[str]:
    position = 0
    while (found := _TAG.match(header, position)) and found.end() > position:
        yield found[2]
        position = found.end()
