"""Range and validator headers of RFC 9110, as far as a file server needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*", re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range begins after the end: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes [start, end)."""

    start: int
    end: int


def chosen_range(
    header: str | None, if_range: str | None, etag: str, size: int
) -> ByteRange | None:
    """What to send instead of the whole (None). Raises Unsatisfiable.

    Ignored, as section 14.2 allows: other units, malformed ranges and several at once; and as section
    13.1.5 demands: a range of another version than `If-Range` names (a date names none safely).
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _ONE_RANGE.fullmatch(header)
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        if int(last) == 0:
            raise Unsatisfiable
        start, end = max(0, size - int(last)), size
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        end = min(size, int(last) + 1) if last else size
    if start >= size:
        raise Unsatisfiable
    return ByteRange(start, end)


def none_match(header: str | None, etag: str) -> bool:
    """Whether `If-None-Match` (section 13.1.2, weak comparison) names this version: answer 304."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return etag in re.findall(r'(?:W/)?("[^"]*")', header)
