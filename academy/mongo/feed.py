"""One change stream on the jobs, shared by everybody in this process who waits for one.

A stream per waiter would hold one pooled connection each: a hundred viewers of a progress bar would
stop the API. A waiter is told only *that* something it wants happened and reads the rest itself, so
bursts coalesce, nothing piles up, and a lost stream costs one extra read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo.errors import PyMongoError

from academy.mongo.client import Collection

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 5.0
"""Waiters wake at least so often, with or without a stream."""
REOPEN_SECONDS: Final = 0.5
AWAIT_MILLISECONDS: Final = 500
"""How long the server holds a read without news, and so how long a stream outlives its last waiter."""
# Every visible change of a job adds to its revision; heartbeats and the journal's guard do not.
_VISIBLE: Final[list[dict[str, Any]]] = [
    {
        "$match": {
            "$or": [
                {"operationType": {"$in": ["insert", "replace", "delete"]}},
                {"updateDescription.updatedFields.revision": {"$exists": True}},
            ]
        }
    },
    {
        "$project": {
            "documentKey": 1,
            "operationType": 1,
            "state": {"$ifNull": ["$updateDescription.updatedFields.state", "$fullDocument.state"]},
        }
    },
]


@dataclass(frozen=True, slots=True)
class JobChange:
    job_id: str
    state: str | None
    """The new one, if it changed."""


@dataclass(eq=False, slots=True)
class Waiter:
    wants: Callable[[JobChange], bool]
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        """Until something wanted happened, or a tick passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TICK_SECONDS):
                await self.woken.wait()
        self.woken.clear()


class JobFeed:
    def __init__(self, jobs: Collection) -> None:
        self._jobs = jobs
        self._waiters: set[Waiter] = set()
        self._task: asyncio.Task[None] | None = None
        self._open = asyncio.Event()
        self._closed = False

    @contextlib.asynccontextmanager
    async def waiter(self, wants: Callable[[JobChange], bool]) -> AsyncIterator[Waiter]:
        """Told of everything wanted that happens after this is entered."""
        waiter = Waiter(wants)
        self._waiters.add(waiter)
        if self._task is None:
            self._open.clear()
            self._task = asyncio.create_task(self._watch(), name="job feed")
        try:
            # Where no stream can be opened, ticks serve until one can.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._open.wait()
            yield waiter
        finally:
            self._waiters.discard(waiter)

    async def close(self) -> None:
        """Returns when the stream is closed on the server too: within `AWAIT_MILLISECONDS`."""
        self._closed = True
        if self._task is not None:
            await asyncio.shield(self._task)

    def _wanted(self) -> bool:
        return bool(self._waiters) and not self._closed

    async def _watch(self) -> None:
        # Ended by asking, never by cancelling: a read that is cancelled within the driver may leave a
        # cursor on the server that nobody knows, for its ten idle minutes, or swallow the cancellation.
        try:
            while self._wanted():
                try:
                    await self._read()
                except PyMongoError as error:
                    # The driver resumes what can be resumed; what arrives here is opened afresh.
                    log.warning("the change stream on jobs was lost and is opened again: %s", error)
                if self._wanted():
                    await asyncio.sleep(REOPEN_SECONDS)
        finally:
            self._task = None

    async def _read(self) -> None:
        async with await self._jobs.watch(_VISIBLE, max_await_time_ms=AWAIT_MILLISECONDS) as stream:
            self._open.set()
            self._wake_all()  # whatever happened while there was no stream
            while self._wanted() and stream.alive:
                change = await stream.try_next()
                if change is not None:
                    self._tell(JobChange(change["documentKey"]["_id"], change.get("state")))

    def _tell(self, change: JobChange) -> None:
        for waiter in self._waiters:
            if waiter.wants(change):
                waiter.woken.set()

    def _wake_all(self) -> None:
        for waiter in self._waiters:
            waiter.woken.set()
