"""What the layers around FastAPI add to every answer, for those that go around them."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope, Send

from academy.settings import Settings
from api.answered import Headers
from api.security import CrossOrigin, SecurityHeaders


class Layers:
    """The headers of CORS and security, said by those layers themselves, once for each origin."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_origin: dict[bytes, Headers] = {}

    async def headers(self, origin: bytes) -> Headers:
        """`origin`: empty, or one that is let in: they are kept, and of others there is no end."""
        known = self._by_origin.get(origin)
        if known is None:
            known = self._by_origin[origin] = await self._said(origin)
        return known

    async def _said(self, origin: bytes) -> Headers:
        start: Message = {}

        async def nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def keep(message: Message) -> None:
            start.update(message)

        async def no_body() -> Message:
            return {"type": "http.request"}

        sent = [(b"origin", origin)] if origin else []
        asked = {"type": "http", "method": "GET", "path": "/v1/", "headers": sent}
        around = SecurityHeaders(CrossOrigin(nothing, self._settings), self._settings)
        await around(asked, no_body, keep)
        return [(bytes(name).lower(), bytes(value)) for name, value in start["headers"]]
