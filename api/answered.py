"""A whole answer of the application: what the response cache keeps, however it was made."""

from __future__ import annotations

from typing import NamedTuple

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    status: int
    headers: Headers
    """Names in lower case."""
    body: bytes
