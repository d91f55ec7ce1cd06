"""Follows a recording through transcoding: server-sent events, and polling where they break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, Final

import httpx

from academy.commands.remote import Remote, problem
from academy.errors import Unavailable

ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
POLL: Final = 2.0
"""Seconds."""
SILENCE: Final = 45.0
"""Seconds without even a heartbeat (one comes every 15) before a stream counts as broken."""


async def follow(remote: Remote, lecture_id: str) -> AsyncGenerator[dict[str, Any], None]:
    """The recording's resource now and after each change; the last one has an ended state.

    Unavailable when the API stays away for about a minute.
    """
    path = f"/lectures/{lecture_id}/recording"
    last_id: str | None = None
    while True:
        try:
            async for event_id, recording in _events(remote, f"{path}/events", last_id):
                last_id = event_id or last_id
                yield recording
                if recording["state"] in ENDED:
                    return
        except (httpx.HTTPError, Unavailable, ValueError):
            pass  # the poll below tells whether the API is gone or only the stream
        recording = await remote.get(path)
        yield recording
        if recording["state"] in ENDED:
            return
        await asyncio.sleep(POLL)


async def _events(
    remote: Remote, path: str, last_id: str | None
) -> AsyncGenerator[tuple[str | None, dict[str, Any]], None]:
    headers = remote.headers(Accept="text/event-stream")
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    timeout = httpx.Timeout(SILENCE, connect=10)
    async with remote.http.stream(
        "GET", remote.url(path), headers=headers, timeout=timeout
    ) as answer:
        if not answer.is_success:
            await answer.aread()
            raise problem(answer)
        event_id: str | None = None
        data: list[str] = []
        async for line in answer.aiter_lines():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "id" and line:
                event_id = value
            elif name == "data" and line:
                data.append(value)
            elif not line and data:  # an empty line ends an event
                yield event_id, json.loads("\n".join(data))
                data = []
