"""Sends a file's parts to the links the API signs: six requests at a time, each with its digest, each retried.

What a request carries is read twice, from the system's cache the second time; 1 MiB of it is in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from academy.commands.lanes import PARALLEL, Lane, Waiting
from academy.commands.remote import MOST_TRIES, Remote, pause
from academy.errors import Conflict, Unauthenticated, Unavailable

READ: Final = 1024**2
PIECE: Final = 256 * 1024
"""Bytes between two reports of progress."""

Sent = Callable[[int], None]
"""Called with bytes that went out; negative when a part has to be sent again."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring parts that one request carries."""

    first: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Parts:
    """How a file is cut: equal parts, the last one shorter."""

    file: Path
    size: int
    part_size: int
    part_count: int

    def length(self, run: Run) -> int:
        return min(self.part_size * run.count, self.size - self.part_size * (run.first - 1))

    def read(self, run: Run) -> Generator[bytes, None, None]:
        """Pieces of READ bytes. Conflict when the file has become shorter."""
        left = self.length(run)
        with self.file.open("rb", buffering=0) as source:
            source.seek(self.part_size * (run.first - 1))
            while left:
                data = source.read(min(READ, left))
                if not data:
                    raise Conflict(f"{self.file} changed while it was being uploaded: start again.")
                left -= len(data)
                yield data

    def md5(self, run: Run) -> str:
        """Base64, as `Content-MD5` has it."""
        digest = hashlib.md5(usedforsecurity=False)
        for data in self.read(run):
            digest.update(data)
        return b64encode(digest.digest()).decode()


async def send_parts(
    remote: Remote, upload_id: str, parts: Parts, waiting: Waiting, sent: Sent
) -> None:
    """Sends the parts that wait. Raises Unavailable when one fails MOST_TRIES times, Unauthenticated once
    the token no longer does, and what is under way has arrived: that needs no token.
    """
    async with asyncio.TaskGroup() as group:
        lanes = _Lanes(remote, upload_id, parts, waiting, sent, group)
        lanes.open()
    if lanes.refused is not None:
        raise lanes.refused


@dataclass(slots=True)
class _Lanes:
    """PARALLEL requests at a time, as long as there is something to send."""

    remote: Remote
    upload_id: str
    parts: Parts
    waiting: Waiting
    sent: Sent
    group: asyncio.TaskGroup
    under_way: int = 0
    refused: Unauthenticated | None = None

    def open(self) -> None:
        """One that found nothing left has ended: what is given back after that opens another."""
        for _ in range(min(PARALLEL - self.under_way, len(self.waiting))):
            self.under_way += 1
            self.group.create_task(self._work())

    async def _work(self) -> None:
        lane = Lane(self.parts.part_size)
        while self.waiting and self.refused is None:
            run = Run(*self.waiting.take(lane.takes(len(self.waiting))))
            try:
                await self._send(run, lane)
            except Unauthenticated as error:
                self.refused = error
        self.under_way -= 1

    async def _send(self, run: Run, lane: Lane) -> None:
        """Of several that failed all but the first go back; the first is tried again alone."""
        tries = 0
        while True:
            tries += 1
            digest = await asyncio.to_thread(self.parts.md5, run)
            # Signed anew for each try: the last link may have expired while the network was away.
            signed = await self.remote.post(
                f"/uploads/{self.upload_id}/parts",
                {"parts": [{"number": run.first, "count": run.count, "md5": digest}]},
            )
            begun = time.monotonic()
            reason = await _put(self.remote.http, signed["urls"][0], self.parts, run, self.sent)
            if reason is None:
                lane.arrived(self.parts.length(run), time.monotonic() - begun)
                return
            if tries == MOST_TRIES:
                raise Unavailable(
                    f"Part {run.first} could not be sent ({reason}). "
                    "Run the same command again to resume."
                )
            lane.broke(run.count)
            self.waiting.give_back(run.first + 1, run.count - 1)
            self.open()
            run = Run(run.first)
            await asyncio.sleep(pause(tries))


async def _put(
    http: httpx.AsyncClient, target: dict[str, object], parts: Parts, run: Run, sent: Sent
) -> str | None:
    """Why it failed, or None. The token stays out of it: a signed link needs none."""
    out = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal out
        with closing(parts.read(run)) as reading:
            while data := await asyncio.to_thread(next, reading, b""):
                for start in range(0, len(data), PIECE):
                    piece = data[start : start + PIECE]
                    yield piece
                    out += len(piece)
                    sent(len(piece))

    headers = {**_headers(target), "Content-Length": str(parts.length(run))}
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
