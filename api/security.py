"""What every answer carries: who may read it from another origin, and what a browser may do with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy.settings import Settings

MEDIA: Final = "/v1/media/"
STORAGE: Final = "/v1/storage/"
"""Has its own controller, which sets its own headers."""
EXPOSED: Final = (
    "Content-Language",
    "ETag",
    "Idempotent-Replay",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
SENT: Final = (
    "Authorization",
    "Cache-Control",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Uppy-Versions",
)
NOTHING: Final = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""The policy of answers that are no pages."""


def page_policy(media_origins: Sequence[str]) -> str:
    """Scripts and styles come from here only; media also from where they are stored."""
    origins = " ".join(["'self'", *sorted(set(media_origins))])
    return "; ".join(
        [
            "default-src 'self'",
            f"connect-src {origins}",
            f"media-src {origins} blob:",
            f"img-src {origins} data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class SecurityHeaders:
    """Adds what an answer does not set itself."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            # Path tokens are in addresses: no other site shall be told them.
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": NOTHING,
        }
        if settings.public_url.startswith("https://"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, sending)


class CrossOrigin:
    """Media for any origin without credentials (a redirect from another origin sends
    `Origin: null`); the rest for the origins in the settings.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._plain = app
        self._media = _AnyOrigin(app)
        self._api: ASGIApp = app
        if settings.cors_origins:
            self._api = CORSMiddleware(
                app,
                allow_origins=settings.cors_origins,
                allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
                allow_headers=SENT,
                expose_headers=EXPOSED,
                max_age=3600,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(STORAGE):
            await self._plain(scope, receive, send)
        elif scope["path"].startswith(MEDIA):
            await self._media(scope, receive, send)
        else:
            await self._api(scope, receive, send)


class _AnyOrigin:
    """Always, also without `Origin`: a copy in a browser's cache must serve both."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
            await send({"type": "http.response.body", "body": b""})
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_ALLOWED)
            await send(message)

        await self.app(scope, receive, sending)


_ALLOWED: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Length, Content-Range",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PREFLIGHT: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Range, If-None-Match"),
    (b"access-control-max-age", b"86400"),
]


class HeadRequests:
    """HEAD is GET without the body (RFC 9110 §9.3.2). The storage controller knows HEAD itself, and
    event streams have no end to wait for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "HEAD"
            or scope["path"].startswith(STORAGE)
            or scope["path"].endswith("/events")
        ):
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        await self.app({**scope, "method": "GET"}, receive, sending)
