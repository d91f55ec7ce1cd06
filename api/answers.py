"""Answers as bytes: rendered once, tagged by their digest, with the headers caches need."""

from __future__ import annotations

from collections.abc import Mapping
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
_PUBLIC: Final = (b"cache-control", PUBLIC.encode())
_PRIVATE: Final = (b"cache-control", PRIVATE.encode())


def answer(
    context: Context,
    document: BaseModel | Mapping[str, Any],
    *,
    revision: int = 0,
    status: int = 200,
    location: str | None = None,
) -> Response:
    """JSON with a strong ETag; 304 when a reader has these very bytes. Lists have revision 0."""
    body = to_json(document)
    tag = etag(revision, body)
    languages, scope = context.languages, context.request.scope
    headers: Headers = [
        (b"etag", tag.encode("latin-1")),
        (b"vary", languages.vary),
        _PUBLIC if context.identity is None else _PRIVATE,
    ]
    if languages.used:
        headers.append((b"content-language", ", ".join(languages.used).encode("latin-1")))
    if location is not None:
        headers.append((b"location", location.encode("latin-1")))
    cursor = _next_cursor(document)
    if cursor is not None:
        headers.append((b"link", next_page(context.request, cursor).encode("latin-1")))
    known = next((value for name, value in scope["headers"] if name == b"if-none-match"), None)
    if (
        known is not None
        and scope["method"] in {"GET", "HEAD"}
        and not_modified(known.decode("latin-1"), tag)
    ):
        return Rendered(b"", 304, headers)
    headers += ((b"content-length", b"%d" % len(body)), _CONTENT_TYPE)
    return Rendered(body, status, headers)


class Rendered(Response):
    """Bytes that are ready, with headers that are known to need no looking at."""

    media_type = JSON

    def __init__(self, body: bytes, status: int, headers: Headers) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = headers


def untagged(document: BaseModel, *, status: int = 200, location: str | None = None) -> Response:
    """JSON about work in progress, for its owner alone: never kept, never conditional."""
    headers = {"Cache-Control": PRIVATE} | ({"Location": location} if location else {})
    body = document.model_dump_json(by_alias=True)
    return Response(body, status, media_type=JSON, headers=headers)


def _next_cursor(document: BaseModel | Mapping[str, Any]) -> str | None:
    """Of a list that has another page."""
    if isinstance(document, Mapping):
        return document.get("next_cursor")
    return getattr(document, "next_cursor", None)
