"""Which keys and prefixes every backend accepts.

One law for all, the strictest of their needs, so that what works on disk works on S3 and back:
segments between slashes, none empty, none beginning with a dot (that covers `.` and `..`, and keeps
the disk backend's own folders apart), no backslash, no control character, valid UTF-8, at most
1,024 bytes (S3's limit) and 240 bytes per segment (a file name's).
A key should never be another key's folder (`a` and `a/b`): S3 allows it, a disk answers Conflict.
"""

from __future__ import annotations

import re

from academy.errors import Invalid

LONGEST_KEY = 1024
LONGEST_SEGMENT = 240

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


def check_key(key: str, *, longest: int = LONGEST_KEY) -> str:
    """The key itself. Raises Invalid for one that could leave the root or that a backend refuses."""
    try:
        encoded = key.encode()
    except UnicodeEncodeError as error:
        raise Invalid("An object key must be valid Unicode.", code="invalid_key") from error
    if not key or len(encoded) > longest:
        raise Invalid(f"An object key has 1 to {longest} bytes.", code="invalid_key")
    if _FORBIDDEN.search(key):
        raise Invalid(
            "An object key holds no backslash and no control character.", code="invalid_key"
        )
    for segment in key.split("/"):
        if not segment or segment.startswith("."):
            raise Invalid(
                f"{key!r} is no object key: each part between slashes needs a name "
                "that does not begin with a dot.",
                code="invalid_key",
            )
        if len(segment.encode()) > LONGEST_SEGMENT:
            raise Invalid(
                f"Each part of an object key has at most {LONGEST_SEGMENT} bytes.",
                code="invalid_key",
            )
    return key


def check_prefix(prefix: str, *, longest: int = LONGEST_KEY) -> str:
    """The prefix itself. Raises Invalid unless it is a key followed by one slash."""
    if not prefix.endswith("/"):
        raise Invalid(f"{prefix!r} is no prefix: prefixes end in a slash.", code="invalid_key")
    check_key(prefix[:-1], longest=longest)
    return prefix


def check_range(start: int, end: int | None) -> None:
    """Raises Invalid unless 0 <= start <= end."""
    if start < 0 or (end is not None and end < start):
        raise Invalid(f"There are no bytes [{start}, {end}).", code="invalid_range")
