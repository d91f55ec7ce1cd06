"""Answers as bytes: rendered once, tagged by their digest, with the headers caches need.

Every JSON document of the API goes this way: a read that did not would have no tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel
from pydantic_core import to_json

from api.answered import Headers
from api.context import Context
from api.etags import etag, not_modified
from api.links import next_page

JSON: Final = "application/json"
_CONTENT_TYPE: Final = (b"content-type", JSON.encode())
PUBLIC: Final = "public, no-cache"
"""Caches may keep it and must ask whether it is still current."""
PRIVATE: Final = "private, no-store"
_READS: Final = frozenset({"GET", "HEAD"})
_PUBLIC: Final = (b"cache-control", PUBLIC.encode())
_PRIVATE: Final = (b"cache-control", PRIVATE.encode())


Document = BaseModel | Mapping[str, Any] | Sequence[BaseModel]


def answer(
    context: Context,
    document: Document,
    *,
    revision: int | None = None,
    status: int = 200,
    location: str | None = None,
) -> Response:
    """JSON. Each read has a strong ETag, and is 304 for a reader who has these very bytes.

    Lists and what is counted have no revision of their own: their tags begin with 0. What a write
    answers has a tag where it has a revision, which is what the next `If-Match` is compared with.
    """
    body = to_json(document)
    languages, scope = context.languages, context.request.scope
    reading = scope["method"] in _READS
    headers: Headers = [(b"vary", languages.vary), _PUBLIC if context.public else _PRIVATE]
    if reading or revision is not None:
        tag = etag(revision or 0, body)
        headers.append((b"etag", tag.encode("latin-1")))
    if languages.used:
        headers.append((b"content-language", ", ".join(languages.used).encode("latin-1")))
    if location is not None:
        headers.append((b"location", location.encode("latin-1")))
    cursor = _next_cursor(document)
    if cursor is not None:
        headers.append((b"link", next_page(context.request, cursor).encode("latin-1")))
    known = next((value for name, value in scope["headers"] if name == b"if-none-match"), None)
    if known is not None and reading and not_modified(known.decode("latin-1"), tag):
        return Rendered(b"", 304, headers)
    headers += ((b"content-length", b"%d" % len(body)), _CONTENT_TYPE)
    return Rendered(body, status, headers)


class Rendered(Response):
    """Bytes that are ready, with headers that are known to need no looking at."""

    media_type = JSON

    def __init__(self, body: bytes, status: int, headers: Headers) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = headers


def _next_cursor(document: Document) -> str | None:
    """Of a list that has another page."""
    if isinstance(document, Mapping):
        return document.get("next_cursor")
    return getattr(document, "next_cursor", None)
