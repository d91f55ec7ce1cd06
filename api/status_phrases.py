"""What an HTTP status is called. Python's own names for some changed with 3.13; answers must not."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

_RFC_9110: Final = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def phrase(status: int) -> str:
    """As in RFC 9110 §15."""
    return _RFC_9110.get(status) or HTTPStatus(status).phrase


def code(status: int) -> str:
    """`not_found` for 404."""
    return phrase(status).lower().replace(" ", "_").replace("-", "_")
