"""Heartbeats without what FastAPI and the layers do around a route: three quarters of what one costs.

As with public reads (`api/direct_reads.py`), what the layers would do for a heartbeat that succeeds is done here: its limit
counted and told, an id and a line in the log, a time for Prometheus, the headers of security and CORS.
Whatever is not plain goes the usual way, which finds the same body again and says what is wrong. That a
heartbeat may then be taken twice does no harm.
"""

from __future__ import annotations

import time
from typing import Final

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy.correlation import accepted, working_for
from academy.errors import AcademyError
from academy.settings import Settings
from api.answered import Headers
from api.context import Context, Services
from api.heartbeats import REPORT, report_progress
from api.layers import Layers
from api.metrics import Metrics
from api.rate_limits import PROGRESS, Limits
from api.request_log import HEADER, tell

MOST: Final = 16 * 1024
"""Bytes of a report that is taken here."""
_JSON: Final = b"application/json"


class DirectHeartbeats:
    """Wraps the application, whose lifespan fills in the services."""

    def __init__(
        self,
        usual: ASGIApp,
        app: FastAPI,
        route: APIRoute,
        *,
        settings: Settings,
        limits: Limits,
        metrics: Metrics,
    ) -> None:
        self._usual = usual
        self._app = app
        self._route = route
        self._limits = limits
        self._running = metrics.running
        self._requests = metrics.requests.labels("PUT", route.path, "204")
        self._seconds = metrics.seconds.labels("PUT", route.path)
        self._layers = Layers(settings)
        self._origins = {b"", *(each.encode() for each in settings.cors_origins)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "PUT"
            or not scope["path"].startswith(PROGRESS)
        ):
            await self._usual(scope, receive, send)
            return
        begun = time.perf_counter()
        headers = dict(scope["headers"])
        lecture = scope["path"][len(PROGRESS) :]
        origin = headers.get(b"origin", b"")
        if (
            not lecture
            or "/" in lecture
            or origin not in self._origins
            or not headers.get(b"content-type", b"").startswith(_JSON)
        ):
            await self._usual(scope, receive, send)
            return
        name = accepted(headers.get(HEADER.lower().encode(), b"").decode("latin-1") or None)
        told = None
        with self._running.track_inprogress(), working_for(request=name):
            received = await _received(receive)
            if (body := _whole(received)) is not None:
                told = await self._taken(scope, lecture, body)
        if told is None:
            await self._usual(scope, _again(received, receive), send)
            return
        seconds = time.perf_counter() - begun
        self._requests.inc()
        self._seconds.observe(seconds)
        scope["route"] = self._route
        tell(scope, 204, seconds)
        told.append((HEADER.lower().encode(), name.encode()))
        around = [*await self._layers.headers(origin), *told]
        await send({"type": "http.response.start", "status": 204, "headers": around})
        await send({"type": "http.response.body", "body": b""})

    async def _taken(self, scope: Scope, lecture: str, body: bytes) -> Headers | None:
        """What the answer says of the client's limit; None where the heartbeat was not taken here."""
        scope["app"] = self._app
        request = Request(scope)
        services: Services = self._app.state.services
        try:
            identity = await services.authentication.identity(request)
            if identity is None:
                return None
            report = REPORT.validate_json(body)
            verdict = await self._limits.verdict(scope, f"account {identity.subject}")
            if verdict is not None and not verdict.within:
                return None
            await report_progress(Context(services, request, identity), lecture, report)
        except (AcademyError, ValidationError):
            return None
        told = {} if verdict is None else verdict.headers
        return [(each.lower().encode(), value.encode()) for each, value in told.items()]


async def _received(receive: Receive) -> list[Message]:
    """The body's messages as far as this is the place for them."""
    messages, taken = [], 0
    while taken <= MOST:
        message = await receive()
        messages.append(message)
        taken += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    return messages


def _whole(messages: list[Message]) -> bytes | None:
    last = messages[-1]
    if last["type"] != "http.request" or last.get("more_body", False):
        return None
    return b"".join(each.get("body", b"") for each in messages)


def _again(messages: list[Message], receive: Receive) -> Receive:
    """First what was received already."""
    left = iter(messages)

    async def receiving() -> Message:
        for message in left:
            return message
        return await receive()

    return receiving
