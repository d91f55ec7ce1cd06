"""Which chunks go to the engine when, what happens to those that fail, and how far all of it is.

Chunks start in the viewer's order, or the longest first where nobody watches; never more at once than there
are encoders: so a chunk that a late worker could take is not yet bound to a slow one, and the first chunk of
another lecture finds a place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Any, Final

from academy.errors import LeaseLost, RejectedMedia, Transient
from academy.jobs import FailureKind, Progress
from transcoding.announcements import Event
from transcoding.audio import encode_audio
from transcoding.encode import encode_chunk
from transcoding.engine import Engine, EngineLost, Work, WorkersDied
from transcoding.ffmpeg import EncodingFailed
from transcoding.items import Item, Meter, viewers_order
from transcoding.tasks import Outcome, Result, Task, TaskKind
from transcoding.urgency import HELP

WORK: Final[dict[TaskKind, Work]] = {TaskKind.VIDEO: encode_chunk, TaskKind.AUDIO: encode_audio}
GOOD: Final = frozenset({Outcome.DONE, Outcome.SHORT})
MOST_TRIES: Final = 4
"""Of one chunk in one attempt, for transient failures."""
MOST_DEATHS: Final = 3
"""Workers that died on one chunk."""
STRAGGLING: Final = 2.0
"""Times as long as others took for as much: then a free encoder tries it, too, and the faster one wins."""
PATIENCE: Final = 10.0
"""Seconds before anything counts as straggling."""
LOOK_EVERY: Final = 2.0
"""Seconds."""


class Poisoned(EncodingFailed):
    """This recording makes workers die: it is not tried again."""

    code = "poison"


class Schedule:
    """Runs items on the engine until all have ended. `make_task` fills in everything but the item."""

    def __init__(
        self,
        engine: Engine,
        media_id: str,
        make_task: Callable[[Item], Task],
        meter: Meter,
        report: Callable[[Progress], Awaitable[None]],
        urgency: Callable[[Item], int] = lambda item: -item.chunk.index,
        order: Callable[[Item], tuple[float, bool]] = viewers_order,
    ) -> None:
        self._engine = engine
        self._media_id = media_id
        self._make_task = make_task
        self._meter = meter
        self._report = report
        self._urgency = urgency
        self._order = order
        self._pace: list[float] = []
        """Seconds per effort of what has ended."""
        self._running: dict[tuple[TaskKind, int], Item] = {}
        self._poisoned: asyncio.Future[None] | None = None

    async def run(self, items: Sequence[Item]) -> None:
        """Each item gets its result: DONE or SHORT. Raises what ends the whole job:
        RejectedMedia, EncodingFailed, Poisoned, Transient, LeaseLost.
        """
        self._poisoned = asyncio.get_running_loop().create_future()
        stop = self._engine.listen(self._media_id, self._heard)
        reporting = asyncio.create_task(self._keep_reporting())
        try:
            await self._work_off(sorted(items, key=self._order))
            await self._report(self._meter.progress())
        finally:
            stop()
            self._poisoned.cancel()
            await _end([reporting])

    async def _work_off(self, waiting: list[Item]) -> None:
        tasks: set[asyncio.Task[None]] = set()
        assert self._poisoned is not None  # noqa: S101 - set by run
        try:
            while waiting or tasks:
                # One more than there are encoders, so that none waits for us.
                slots = await self._slots()
                while waiting and len(tasks) < slots + 1:
                    tasks.add(asyncio.create_task(self._encode(waiting.pop(0))))
                if not waiting and len(tasks) < slots:
                    self._help_a_straggler()
                # Not for ever: a new worker may have come, for which there is work.
                ended, _ = await asyncio.wait(
                    [*tasks, self._poisoned],
                    return_when=asyncio.FIRST_COMPLETED,
                    timeout=LOOK_EVERY,
                )
                for task in ended:
                    task.result()
                tasks = {task for task in tasks if task not in ended}
        finally:
            await _end(tasks)

    def _help_a_straggler(self) -> None:
        """An encoder is free and nothing waits: the chunk that takes longest beyond what others took
        is encoded again from its last recorded segment. Cancelling ends whichever comes second.
        """
        if not self._pace:
            return
        pace, now = median(self._pace), time.monotonic()
        late = {
            now - item.began - max(PATIENCE, STRAGGLING * pace * item.effort): item
            for item in self._running.values()
            if item.began and not item.hurry.is_set() and item.kind is self._meter.leading
        }
        if late and max(late) > 0:
            late[max(late)].hurry.set()

    async def _slots(self) -> int:
        try:
            return await self._engine.slots()
        except EngineLost:
            # Whoever runs a task will notice, and try again or give up.
            return 1

    async def _encode(self, item: Item) -> None:
        """Until the item has a result, or raises."""
        while item.result is None:
            try:
                result = await self._once(item)
                if item.began:
                    self._pace.append((time.monotonic() - item.began) / item.effort)
                item.ends, item.twins = item.starts, 0
            except (EngineLost, WorkersDied) as error:
                if isinstance(error, EngineLost):
                    item.ends, item.twins = item.starts, 0
                result = Result(
                    outcome=Outcome.FAILED,
                    failure=FailureKind.TRANSIENT,
                    code=error.code,
                    message=error.message,
                )
            if result.outcome in GOOD:
                item.result = result
            else:
                await self._after_failure(item, result)

    async def _once(self, item: Item) -> Result:
        """The first good result of one execution or, where it straggles, of two."""
        item.began = 0.0
        item.hurry.clear()
        self._running[item.kind, item.chunk.index] = item
        runs = {asyncio.create_task(self._execute(item))}
        helping = asyncio.create_task(self._help(item, runs))
        try:
            while True:
                # Looked at again now and then: the second execution joins the set meanwhile.
                ended, _ = await asyncio.wait(
                    runs, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_EVERY
                )
                runs -= ended
                good = [r for r in ended if r.exception() is None and r.result().outcome in GOOD]
                if good or not runs:
                    return (good or list(ended))[0].result()
        finally:
            await _end([helping, *runs])
            del self._running[item.kind, item.chunk.index]
            self._meter.look_ahead(item, 0)
            item.tries += 1

    async def _help(self, item: Item, runs: set[asyncio.Task[Result]]) -> None:
        await item.hurry.wait()
        item.twins += 1
        runs.add(asyncio.create_task(self._execute(item, less=HELP)))

    async def _execute(self, item: Item, *, less: int = 0) -> Result:
        task = self._make_task(item)
        # The kind is part of the first element: Dask groups its statistics by it.
        key = (f"{item.kind}-{self._media_id}", item.chunk.index, task.attempt, task.execution)
        return Result.model_validate(
            await self._engine.run(
                WORK[item.kind],
                task.model_dump(mode="json"),
                key=key,
                priority=self._urgency(item) - less,
            )
        )

    async def _after_failure(self, item: Item, result: Result) -> None:
        """Returns, a little later, where another try makes sense."""
        if result.outcome is Outcome.STOPPED and result.code == LeaseLost.code:
            raise LeaseLost
        if result.failure is FailureKind.SOURCE:
            raise RejectedMedia(
                "The recording cannot be decoded; export or record it again.",
                code="unreadable_media",
            )
        if result.failure is FailureKind.BUG:
            raise EncodingFailed(result.message, kind=FailureKind.BUG, detail=result.detail)
        if item.deaths >= MOST_DEATHS:
            raise Poisoned
        if item.tries >= MOST_TRIES:
            raise Transient(result.message, code=result.code)
        await pause(2 ** (item.tries - 1))

    def _heard(self, event: Event) -> None:
        item = self._running.get((event.kind, event.chunk))
        if item is None:
            return
        if event.segments:
            self._meter.add(item, event.segments)
        if event.ahead is not None:
            self._meter.look_ahead(item, event.ahead)
        if not event.began:
            return
        self._meter.begin()
        item.starts += 1
        item.began = item.began or time.monotonic()
        if item.deaths > MOST_DEATHS and self._poisoned and not self._poisoned.done():
            self._poisoned.set_exception(Poisoned())

    async def _keep_reporting(self) -> None:
        while True:
            await self._report(self._meter.progress())
            await asyncio.sleep(1)


async def pause(seconds: float) -> None:
    """Before another try."""
    await asyncio.sleep(seconds)


async def _end(tasks: Sequence[asyncio.Task[Any]] | set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
