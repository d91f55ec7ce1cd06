"""Heartbeats, gathered in memory and written together about every 250 ms.

Fifty thousand learners send about 4,000 a second; one write each would cost several times the CPU. A
sender is answered once the write that holds its heartbeat is in the database's journal: what was
acknowledged outlives this process and the database's. The price is that quarter second, which nobody
waits for.

The memory is bounded: when it is full, senders wait for the next write, and are asked to come back
(Unavailable) when even that takes too long. What an outage kept from being written is written later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from academy.errors import AcademyError, Unavailable
from academy.learner_stores import ProgressStore
from academy.progress import Heartbeat

log = logging.getLogger(__name__)

EVERY: Final = 0.25
"""Seconds between two writes."""
MOST: Final = 20_000
"""Learners and lectures that may wait for one."""
BATCH: Final = 2_000
"""Heartbeats of one write."""
PATIENCE: Final = 5.0
"""Seconds a sender waits for room, or a reader for what was sent before."""
FAREWELL: Final = 10.0
"""Seconds for the last write at shutdown."""
NOT_WRITTEN: Final = "Your progress could not be written yet: try again in a moment."
VIEWS_EVERY: Final = 10.0
"""Seconds between two writes of view counts: each one makes readers' caches look again."""

Key = tuple[str, str]


class _Round:
    """What gathers until the next write, and who waits for that."""

    __slots__ = ("awaited", "ended", "written")

    def __init__(self) -> None:
        self.awaited = False
        self.ended = asyncio.Event()
        self.written = False


class HeartbeatBuffer:
    """One per process. `add` takes a heartbeat into memory, `report` also waits until it is kept for good."""

    def __init__(
        self, progress: ProgressStore, *, most: int = MOST, patience: float = PATIENCE
    ) -> None:
        self._progress = progress
        self._most = most
        self._patience = patience
        self._waiting: dict[str, dict[str, Heartbeat]] = {}
        self._count = 0
        self._writing: frozenset[str] = frozenset()
        self._views: Counter[Key] = Counter()
        self._views_due = 0.0
        self._task: asyncio.Task[None] | None = None
        self._written = asyncio.Condition()
        self._hurry = asyncio.Event()
        self._closing = False
        self._round = _Round()

    def __len__(self) -> int:
        return self._count

    async def add(self, beat: Heartbeat) -> None:
        """Raises Unavailable when there is no room and none appears."""
        if self._count >= self._most and beat.lecture not in self._waiting.get(beat.subject, {}):
            await self._room()
        self._keep(beat)
        if self._task is None:
            self._task = asyncio.create_task(self._write_on(), name="heartbeats")

    async def report(self, beat: Heartbeat) -> None:
        """Returns when it is written. Unavailable when the database is away or there is no room: the
        heartbeat may be kept all the same, and sending it again does no harm.
        """
        await self.add(beat)
        mine = self._round
        mine.awaited = True
        await mine.ended.wait()
        if not mine.written:
            raise Unavailable(NOT_WRITTEN)

    async def settle(self, subject: str) -> None:
        """Returns once everything this learner sent here is written. Unavailable when it cannot be."""
        if subject not in self._waiting and subject not in self._writing:
            return
        self._hurry.set()
        await self._until(
            lambda: subject not in self._waiting and subject not in self._writing,
            NOT_WRITTEN,
        )

    def forget(self, subject: str) -> None:
        """What waits is dropped: the learner's data are being erased."""
        self._count -= len(self._waiting.pop(subject, {}))

    async def close(self) -> None:
        """Writes what is left; tells how much could not be."""
        self._closing = True
        self._hurry.set()
        task = self._task
        if task is not None:
            await asyncio.wait({task}, timeout=FAREWELL)
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if self._views:
            await self._write_views()
        if self._count:
            log.error("%d heartbeats could not be written before the end", self._count)

    def _keep(self, beat: Heartbeat, *, older: bool = False) -> None:
        mine = self._waiting.setdefault(beat.subject, {})
        known = mine.get(beat.lecture)
        if known is None:
            mine[beat.lecture] = beat
            self._count += 1
        else:
            mine[beat.lecture] = known.joined(beat) if older else beat.joined(known)

    async def _room(self) -> None:
        self._hurry.set()
        await self._until(
            lambda: self._count < self._most,
            "Too many learners report at this moment: send it again with the next report.",
        )

    async def _until(self, condition: Callable[[], bool], otherwise: str) -> None:
        try:
            async with asyncio.timeout(self._patience), self._written:
                await self._written.wait_for(condition)
        except TimeoutError as error:
            raise Unavailable(otherwise) from error

    async def _write_on(self) -> None:
        """Until nothing waits: an idle process has no timer."""
        loop = asyncio.get_running_loop()
        failed = False
        try:
            # What somebody awaits may have been written along with an earlier round's last batch.
            while self._count or self._round.awaited or (self._views and not self._closing):
                if failed or not self._closing:
                    await self._pause(EVERY)
                failed = not await self._write_round()
                if self._views and loop.time() >= self._views_due:
                    await self._write_views()
        finally:
            self._task = None
            self._round.ended.set()
            self._round = _Round()

    async def _write_round(self) -> bool:
        """All that waits now, in batches; whether it succeeded."""
        mine, self._round = self._round, _Round()
        try:
            # What comes meanwhile joins the next round: this one ends.
            for _ in range(-(-self._count // BATCH)):
                if not await self._write():
                    return False
            mine.written = True
            return True
        finally:
            mine.ended.set()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()

    def _taken(self) -> list[Heartbeat]:
        """The next batch, learner by learner, the longest waiting first."""
        batch: list[Heartbeat] = []
        while self._waiting and len(batch) < BATCH:
            subject = next(iter(self._waiting))
            batch.extend(self._waiting.pop(subject).values())
        self._count -= len(batch)
        return batch

    async def _write(self) -> bool:
        """Whether it succeeded. What an outage kept from being written waits on, under what came since."""
        batch = self._taken()
        self._writing = frozenset(beat.subject for beat in batch)
        try:
            begun = await self._progress.record(batch)
        except Exception as error:
            if not isinstance(error, AcademyError):
                # A bug, not an outage: the same batch would fail for ever and hold up all others.
                log.exception("%d heartbeats could not be written", len(batch))
                return False
            log.warning("heartbeats wait, for they could not be written: %s", error)
            for beat in batch:
                self._keep(beat, older=True)
            return False
        else:
            self._views.update((beat.course, beat.lecture) for beat in begun)
            return True
        finally:
            self._writing = frozenset()
            async with self._written:
                self._written.notify_all()

    async def _write_views(self) -> None:
        """A count that cannot be written is let go: it says how popular something is, roughly."""
        views, self._views = self._views, Counter()
        self._views_due = asyncio.get_running_loop().time() + VIEWS_EVERY
        try:
            await self._progress.viewed(views)
        except AcademyError as error:
            log.warning("views were not counted: %s", error)
