"""Path tokens: the right to read one media for a while, as one segment of a URL's path.

A token sits in the path, not in the query, so that the relative addresses inside playlists inherit
it. Tokens are issued in 6-hour buckets with at least 12 hours left, so that everybody asking within
one bucket gets the same URL and caches stay useful.
"""

from __future__ import annotations

import re
from typing import Final

from academy.errors import Gone, NotFound
from academy.keys import KeyRing

BUCKET: Final = 6 * 3600
"""Seconds."""
LEAST: Final = 12 * 3600
"""Seconds that a token just issued is valid at least."""

_SHAPE: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{1,12})\.([0-9a-f]{40})")


def bucket_end(at: float) -> float:
    """Until when `issue` makes the same token. Unix seconds."""
    return float((int(at) // BUCKET + 1) * BUCKET)


def issue(keys: KeyRing, media_id: str, *, at: float) -> str:
    """The token of this bucket. `at`: now, in Unix seconds."""
    expiry = int(bucket_end(at)) + LEAST
    return f"{media_id}.{expiry:x}.{keys.sign('path-tokens', _message(media_id, expiry))}"


def verify(keys: KeyRing, token: str, *, at: float) -> str:
    """The media's id. NotFound for a token this service never made, Gone for one that has expired."""
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        raise NotFound
    media_id, expiry = shape[1], int(shape[2], 16)
    if not keys.verify("path-tokens", _message(media_id, expiry), shape[3]):
        raise NotFound
    if at >= expiry:
        raise Gone("This media link has expired: read the lecture again.", code="link_expired")
    return media_id


def _message(media_id: str, expiry: int) -> bytes:
    return f"{media_id}.{expiry}".encode()
