"""Answers as bytes: rendered once, tagged by their digest, with the headers caches need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel
from pydantic_core import to_json

from api.context import Context
from api.etags import etag, not_modified
from api.links import next_page

JSON: Final = "application/json"
_CONTENT_TYPE: Final = (b"content-type", JSON.encode())
PUBLIC: Final = "public, no-cache"
"""Caches may keep it and must ask whether it is still current."""
PRIVATE: Final = "private, no-store"


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
    headers = {"ETag": tag, "Vary": context.languages.vary, "Cache-Control": _caching(context)}
    if context.languages.used:
        headers["Content-Language"] = ", ".join(context.languages.used)
    if location is not None:
        headers["Location"] = location
    cursor = _next_cursor(document)
    if cursor is not None:
        headers["Link"] = next_page(context.request, cursor)
    reading = context.request.method in {"GET", "HEAD"}
    if reading and not_modified(context.request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Rendered(body, status, headers)


class Rendered(Response):
    """JSON that is ready, with headers that are known to need no looking at."""

    media_type = JSON

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]
        self.raw_headers += ((b"content-length", b"%d" % len(body)), _CONTENT_TYPE)


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


def _caching(context: Context) -> str:
    return PUBLIC if context.identity is None else PRIVATE
