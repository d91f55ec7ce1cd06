"""A span per request, where traces are on; a client's `traceparent` (W3C Trace Context) is its parent.

FastAPI could make these itself, but would write whole addresses into them: addresses carry path tokens,
and those open drafts. Answers out of the response cache come before this and have no span.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from academy.tracing import span
from api.metrics import METHODS, template_of


class RequestTraces:
    """Within the request's log, so that its lines carry the ids of the trace."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        parent = Headers(scope=scope).get("traceparent")
        told = {"http.request.method": method}
        with span(method, told, parent=parent, kind="server") as under_way:

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route, status = template_of(scope), message["status"]
                    under_way.rename(f"{method} {route}")
                    under_way.tell({"http.route": route, "http.response.status_code": status})
                    if status >= 500:
                        under_way.failed(str(status))
                await send(message)

            await self.app(scope, receive, sending)
