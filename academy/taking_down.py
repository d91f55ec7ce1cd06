"""Taking a lecture down: everything stored of it is deleted at once and for good.

First one transaction empties the lecture, ends its work and writes the record; from then on nobody
finds it. Then the objects go and the CDN is told. Whatever a crash or a storage that does not answer
leaves undone, `settle` does, which every API process runs each minute. A worker that had lost its
lease may still write a segment for a moment: so objects are deleted once more after SETTLING.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from academy.access import Access
from academy.courses import now
from academy.errors import AcademyError
from academy.object_stores import Storage
from academy.patching import Expected, check
from academy.purge_hook import PurgeHook
from academy.storage_stores import TakedownStore
from academy.store_values import Page, Position
from academy.takedowns import NewTakedown, Takedown

log = logging.getLogger(__name__)

SETTLING: Final = timedelta(minutes=2)
"""How long after a takedown a worker might still write: leases end after 15 s, requests after 60."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """The half of a takedown that can be repeated."""

    store: TakedownStore
    storage: Storage
    hook: PurgeHook

    async def erase(self, takedown: Takedown, *, settling: timedelta = SETTLING) -> None:
        """Deletes, tells the CDN once, and calls it finished when nobody can write any more.

        Raises Unavailable; the trouble is kept in the record.
        """
        try:
            for prefix in takedown.prefixes:
                await asyncio.to_thread(self.storage.delete_prefix, prefix)
            await self.store.forget_receipts(takedown.media)
            if takedown.purged_at is None and await self.hook.purge(
                [prefix for prefix in takedown.prefixes if prefix.startswith("media/")],
                reason="takedown",
            ):
                await self.store.purged(takedown.id)
        except AcademyError as error:
            await self.store.troubled(takedown.id, error.message)
            raise
        if now() - takedown.taken_down_at >= settling:
            await self.store.finished(takedown.id)

    async def settle(self, *, settling: timedelta = SETTLING) -> None:
        """Goes on with every takedown that is not finished. Trouble with one leaves the others alone."""
        for takedown in await self.store.unfinished():
            try:
                await self.erase(takedown, settling=settling)
            except AcademyError as error:
                log.warning("takedown %s is not finished: %s", takedown.id, error)


@dataclass(frozen=True, slots=True)
class TakingDown:
    """Every method raises Unauthenticated or Forbidden for anybody but an administrator."""

    access: Access
    erasing: Erasing

    async def take_down(
        self, lecture_id: str, new: NewTakedown, expected: Expected = None
    ) -> Takedown:
        """NotFound; PreconditionFailed; Conflict when the lecture has nothing. What could not be
        deleted yet is in `trouble`.
        """
        by = self.access.admin().subject
        check(expected, (await self.access.stores.courses.lecture(lecture_id)).revision)
        store = self.erasing.store
        takedown = await store.begin(lecture_id, reason=new.reason, by=by)
        log.warning("lecture %s was taken down by %s: %s", lecture_id, by, new.reason)
        try:
            await self.erasing.erase(takedown)
        except AcademyError as error:
            log.warning("takedown %s is not finished: %s", takedown.id, error)
            return takedown.model_copy(update={"trouble": error.message})
        return takedown

    async def list(self, *, limit: int, after: Position | None) -> Page[Takedown]:
        self.access.admin()
        return await self.erasing.store.list(limit=limit, after=after)
