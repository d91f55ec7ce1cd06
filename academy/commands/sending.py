"""Sends a file's parts to the links the API signs: six at a time, each with its digest, each retried."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from academy.commands.remote import MOST_TRIES, Remote, pause
from academy.errors import Conflict, Unavailable

PARALLEL: Final = 6
PIECE: Final = 256 * 1024
"""Bytes between two reports of progress."""

Sent = Callable[[int], None]
"""Called with bytes that went out; negative when a part has to be sent again."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How a file is cut: equal parts, the last one shorter."""

    file: Path
    size: int
    part_size: int
    part_count: int

    def length(self, number: int) -> int:
        return min(self.part_size, self.size - self.part_size * (number - 1))

    def read(self, number: int) -> bytes:
        """Conflict when the file has become shorter."""
        with self.file.open("rb") as source:
            source.seek(self.part_size * (number - 1))
            data = source.read(self.part_size)
        if len(data) != self.length(number):
            raise Conflict(f"{self.file} changed while it was being uploaded: start again.")
        return data


async def send_parts(
    remote: Remote, upload_id: str, parts: Parts, numbers: Sequence[int], sent: Sent
) -> None:
    """Sends the parts `numbers`. Raises Unavailable when one fails MOST_TRIES times."""
    waiting = iter(numbers)

    async def work() -> None:
        for number in waiting:
            await _send(remote, upload_id, parts, number, sent)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(PARALLEL, len(numbers))):
            group.create_task(work())


async def _send(remote: Remote, upload_id: str, parts: Parts, number: int, sent: Sent) -> None:
    data = await asyncio.to_thread(parts.read, number)
    digest = b64encode(await asyncio.to_thread(_md5, data)).decode()
    tries = 0
    while True:
        tries += 1
        # Signed anew for each try: the last link may have expired while the network was away.
        signed = await remote.post(
            f"/uploads/{upload_id}/parts", {"parts": [{"number": number, "md5": digest}]}
        )
        reason = await _put(remote.http, signed["urls"][0], data, sent)
        if reason is None:
            return
        if tries == MOST_TRIES:
            raise Unavailable(
                f"Part {number} could not be sent ({reason}). Run the same command again to resume."
            )
        await asyncio.sleep(pause(tries))


async def _put(
    http: httpx.AsyncClient, target: dict[str, object], data: bytes, sent: Sent
) -> str | None:
    """Why it failed, or None. The token stays out of it: a signed link needs none."""
    out = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal out
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            yield piece
            out += len(piece)
            sent(len(piece))

    headers = {**_headers(target), "Content-Length": str(len(data))}
    reason: str | None
    try:
        answer = await http.request(
            str(target["method"]), str(target["url"]), content=pieces(), headers=headers
        )
    except httpx.TransportError as error:
        reason = f"{type(error).__name__} {error}".strip()
    else:
        reason = None if answer.is_success else f"{answer.status_code}: {answer.text[:300]}"
    if reason is not None:
        sent(-out)
    return reason


def _headers(target: dict[str, object]) -> dict[str, str]:
    headers = target.get("headers")
    return {str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {}


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
