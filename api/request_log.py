"""Gives each request an id, and logs how it was answered.

Addresses are logged as route templates: real ones carry path tokens, and those open drafts. Answers out
of the response cache come before this and are counted, not logged.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy.correlation import accepted, working_for
from api.metrics import template_of

HEADER: Final = "X-Request-Id"
QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Asked every few seconds by machines: logged when they fail only."""

log = logging.getLogger(__name__)


class RequestLog:
    """Outermost: whatever is logged for a request carries its id, and every answer has it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = accepted(Headers(scope=scope).get(HEADER))
        begun = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = name
                tell(scope, message["status"], time.perf_counter() - begun)
            await send(message)

        with working_for(request=name):
            await self.app(scope, receive, sending)


def tell(scope: Scope, status: int, seconds: float) -> None:
    """`seconds`: until the answer began."""
    route = template_of(scope)
    level = logging.DEBUG if route in QUIET and status < 500 else logging.INFO
    if log.isEnabledFor(level):
        told = {"method": scope["method"], "route": route, "status": status}
        milliseconds = round(seconds * 1000, 1)
        log.log(
            level,
            "%s %s %d in %.1f ms",
            *told.values(),
            milliseconds,
            extra={**told, "milliseconds": milliseconds},
        )
