"""Sends a file's parts to the links the API signs: some at a time, each with its digest, each retried.

A part is read twice, from the system's cache the second time; of each on its way 1 MiB is in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from academy.commands.remote import MOST_TRIES, Remote, pause
from academy.errors import Conflict, Unavailable

FEW: Final = 2
PARALLEL: Final = 6
"""Parts on their way at once: on a slow line few, or a break would cost the beginnings of many."""
PART_SECONDS: Final = 300.0
"""What one part should take at most, while more than FEW are on their way."""
READ: Final = 1024**2
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

    def read(self, number: int) -> Generator[bytes, None, None]:
        """Pieces of READ bytes. Conflict when the file has become shorter."""
        left = self.length(number)
        with self.file.open("rb", buffering=0) as source:
            source.seek(self.part_size * (number - 1))
            while left:
                data = source.read(min(READ, left))
                if not data:
                    raise Conflict(f"{self.file} changed while it was being uploaded: start again.")
                left -= len(data)
                yield data

    def md5(self, number: int) -> str:
        """Base64, as `Content-MD5` has it."""
        digest = hashlib.md5(usedforsecurity=False)
        for data in self.read(number):
            digest.update(data)
        return b64encode(digest.digest()).decode()


@dataclass(slots=True)
class Pace:
    """How many parts the line carries at once."""

    part_size: int
    bytes: int = 0
    begun: float = field(default_factory=time.monotonic)

    def lanes(self) -> int:
        if self.bytes < self.part_size / 4:  # what the system's buffers have taken says nothing
            return FEW
        rate = self.bytes / max(time.monotonic() - self.begun, 1e-6)
        return max(FEW, min(PARALLEL, int(rate * PART_SECONDS / self.part_size)))


async def send_parts(
    remote: Remote, upload_id: str, parts: Parts, numbers: Sequence[int], sent: Sent
) -> None:
    """Sends the parts `numbers`. Raises Unavailable when one fails MOST_TRIES times."""
    waiting = deque(numbers)
    pace = Pace(parts.part_size)
    lanes = 0

    async def work() -> None:
        while waiting:
            await _send(remote, upload_id, parts, waiting.popleft(), went)

    def went(count: int) -> None:
        pace.bytes += count
        sent(count)
        open_lanes()

    def open_lanes() -> None:
        nonlocal lanes
        while waiting and lanes < min(pace.lanes(), len(numbers)):
            lanes += 1
            group.create_task(work())

    async with asyncio.TaskGroup() as group:
        open_lanes()


async def _send(remote: Remote, upload_id: str, parts: Parts, number: int, sent: Sent) -> None:
    digest = await asyncio.to_thread(parts.md5, number)
    tries = 0
    while True:
        tries += 1
        # Signed anew for each try: the last link may have expired while the network was away.
        signed = await remote.post(
            f"/uploads/{upload_id}/parts", {"parts": [{"number": number, "md5": digest}]}
        )
        reason = await _put(remote.http, signed["urls"][0], parts, number, sent)
        if reason is None:
            return
        if tries == MOST_TRIES:
            raise Unavailable(
                f"Part {number} could not be sent ({reason}). Run the same command again to resume."
            )
        await asyncio.sleep(pause(tries))


async def _put(
    http: httpx.AsyncClient, target: dict[str, object], parts: Parts, number: int, sent: Sent
) -> str | None:
    """Why it failed, or None. The token stays out of it: a signed link needs none."""
    out = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal out
        with closing(parts.read(number)) as reading:
            while data := await asyncio.to_thread(next, reading, b""):
                for start in range(0, len(data), PIECE):
                    piece = data[start : start + PIECE]
                    yield piece
                    out += len(piece)
                    sent(len(piece))

    headers = {**_headers(target), "Content-Length": str(parts.length(number))}
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
