"""Server-sent events (WHATWG HTML §9.2) from an asynchronous iterator, with heartbeats."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.responses import StreamingResponse

EVENT_STREAM: Final = "text/event-stream"
HEARTBEAT: Final = 15.0
"""Seconds."""
_BEAT: Final = b": heartbeat\n\n"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    data: str
    """One line."""

    def encoded(self) -> bytes:
        return f"id: {self.id}\ndata: {self.data}\n\n".encode()


def event_stream(
    source: AsyncIterator[T],
    event: Callable[[T], Awaitable[Event]],
    *,
    last_event_id: str | None,
    closing: asyncio.Event,
    heartbeat: float = HEARTBEAT,
) -> StreamingResponse:
    """Ends with the source, or when the server begins to stop (`closing`)."""
    return StreamingResponse(
        _stream(source, event, last_event_id, closing, heartbeat),
        media_type=EVENT_STREAM,
        # Proxies must pass every event on at once.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    source: AsyncIterator[T],
    event: Callable[[T], Awaitable[Event]],
    last_event_id: str | None,
    closing: asyncio.Event,
    heartbeat: float,
) -> AsyncIterator[bytes]:
    stop = asyncio.ensure_future(closing.wait())
    upcoming: asyncio.Future[T] | None = None
    try:
        yield _BEAT  # the client learns at once that the stream is open
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(source))
            # Waited for, not wrapped in a timeout: a timeout would cancel the source's read.
            awaited: set[asyncio.Future[Any]] = {upcoming, stop}
            await asyncio.wait(awaited, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            if stop.done():
                return
            if not upcoming.done():
                yield _BEAT
                continue
            try:
                item = upcoming.result()
            except StopAsyncIteration:
                return
            upcoming = None
            current = await event(item)
            if current.id != last_event_id:
                yield current.encoded()
    finally:
        stop.cancel()
        await _end(source, upcoming)


async def _end(source: AsyncIterator[T], upcoming: asyncio.Future[T] | None) -> None:
    """The read under way first: a generator that is running cannot be closed."""
    if upcoming is not None and not upcoming.done():
        upcoming.cancel()
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
            await upcoming
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()
