"""A new generation of the index, filled while the old one serves.

From its first moment the follower writes to both, so nothing that changes meanwhile is missed; the
catalogue is walked once, and one write switches. Killed at any point, it leaves the old one serving and
collections that the next build drops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from academy.mongo.client import Database
from academy.mongo.search.generations import KEPT_SECONDS, Generation, Generations
from academy.mongo.search.learnt import Learning, Learnt
from academy.mongo.search.refresh import Refresher

_BATCH: Final = 50
"""Sources of one transaction."""
_AT_ONCE: Final = 2
"""Transactions at a time: while one waits for the database, the other's terms are made."""
DROP_AFTER: Final = 3 * KEPT_SECONDS
"""Seconds an old generation is kept for readers that still know it only."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    generation: int
    sources: int
    """Courses and lectures, drafts included."""
    replaced: int | None


@dataclass(slots=True)
class Rebuild:
    database: Database
    generations: Generations
    refresher: Refresher
    _learning: Learning = field(default_factory=Learning)

    async def run(self) -> Rebuilt:
        """Conflict while another build runs."""
        generation = await self.generations.begin()
        try:
            sources = await self._fill(generation)
            await self._learning.write(generation)
            replaced = await self.generations.switch(generation)
        except BaseException:
            await asyncio.shield(self.generations.give_up(generation))
            raise
        return Rebuilt(generation.number, sources, replaced)

    async def tidy(self) -> None:
        """Drops what does not serve any more, once no reader can still know it."""
        await asyncio.sleep(DROP_AFTER)
        await self.generations.drop_others()

    async def _fill(self, generation: Generation) -> int:
        done = 0
        waiting: list[asyncio.Task[Learnt]] = []
        async for courses, lectures in self._sources():
            refresh = self.refresher.refresh(courses, lectures, generation)
            waiting.append(asyncio.create_task(refresh))
            if len(waiting) == _AT_ONCE:
                await self._finish(waiting)
                await self.generations.still_building(generation)
            done += len(courses) + len(lectures)
        await self._finish(waiting)
        return done

    async def _finish(self, waiting: list[asyncio.Task[Learnt]]) -> None:
        try:
            for learnt in await asyncio.gather(*waiting):
                self._learning.add(learnt)
        finally:
            await asyncio.gather(*waiting, return_exceptions=True)
            waiting.clear()

    async def _sources(self) -> AsyncIterator[tuple[list[str], list[str]]]:
        """By pages of the key: a cursor held open for a whole build would time out."""
        for collection in ("courses", "lectures"):
            last: str | None = None
            while True:
                where = {} if last is None else {"_id": {"$gt": last}}
                cursor = self.database[collection].find(
                    where, {"_id": 1}, sort=[("_id", 1)], limit=_BATCH
                )
                keys = [document["_id"] async for document in cursor]
                if not keys:
                    break
                yield (keys, []) if collection == "courses" else ([], keys)
                last = keys[-1]
