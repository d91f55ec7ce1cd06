"""Which collections serve searches, and which are being filled to replace them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from academy.errors import Conflict
from academy.mongo.client import Collection, Database, Document, Session
from academy.mongo.indexes import SEARCH_INDEXES, there_already

KEPT_SECONDS: Final = 1.0
"""How long a process goes on with the generation it knows; an old one is dropped much later."""
BUILD_SILENCE: Final = timedelta(seconds=60)
"""After which a build that says nothing is dead."""
_CURRENT: Final = "generations"


@dataclass(frozen=True, slots=True)
class Generation:
    """The collections of one generation."""

    number: int
    entries: Collection
    """Courses and lectures."""
    moments: Collection
    """One document per caption."""
    words: Collection
    """Words as people type them, for completing the last one."""
    sources: Collection
    """What was indexed of each course and lecture. Written by every refresh of it, so that two meet."""

    @classmethod
    def of(cls, database: Database, number: int) -> Generation:
        return cls(number, *(database[name] for name in _names(number)))


def _names(number: int) -> list[str]:
    return [f"search{number}_{part}" for part in SEARCH_INDEXES]


class Generations:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._state = database.search_state
        self._known: Generation | None = None
        self._known_at = 0.0

    async def serving(self) -> Generation | None:
        """None before anything was ever built."""
        if self._known is None or time.monotonic() - self._known_at > KEPT_SECONDS:
            state = await self._state.find_one({"_id": _CURRENT})
            number = state.get("serving") if state else None
            self._known = Generation.of(self._database, number) if number else None
            self._known_at = time.monotonic()
        return self._known

    async def to_write(self, session: Session) -> Sequence[Generation]:
        """The one that serves and the one that is being built."""
        state = await self._state.find_one({"_id": _CURRENT}, session=session)
        numbers = [state.get("serving"), state.get("building")] if state else []
        return [Generation.of(self._database, number) for number in numbers if number]

    async def begin(self) -> Generation:
        """A new one with its indexes. Conflict while another is being built."""
        with suppress(DuplicateKeyError):
            await self._state.insert_one({"_id": _CURRENT, "building": None, "last": 0})
        silent = {"$lt": ["$build_seen", {"$subtract": ["$$NOW", _milliseconds(BUILD_SILENCE)]}]}
        number = {"$add": ["$last", 1]}
        state = await self._state.find_one_and_update(
            {"_id": _CURRENT, "$or": [{"building": None}, {"$expr": silent}]},
            [{"$set": {"building": number, "last": number, "build_seen": "$$NOW"}}],
            return_document=ReturnDocument.AFTER,
        )
        if state is None:
            raise Conflict("The search index is being built already: wait for its end.")
        begun: int = state["building"]
        await self._create(begun)
        return Generation.of(self._database, begun)

    async def still_building(self, generation: Generation) -> None:
        """Conflict when this build was taken for dead."""
        seen = await self._state.update_one(
            {"_id": _CURRENT, "building": generation.number}, [{"$set": {"build_seen": "$$NOW"}}]
        )
        if not seen.matched_count:
            raise Conflict("Another build of the search index took over from this one.")

    async def switch(self, generation: Generation) -> int | None:
        """From now on this one serves; returns the number of the one that did."""
        before: Document | None = await self._state.find_one_and_update(
            {"_id": _CURRENT, "building": generation.number},
            {"$set": {"serving": generation.number, "building": None}},
        )
        if before is None:
            raise Conflict("Another build of the search index took over from this one.")
        self._known = None
        return before.get("serving")

    async def give_up(self, generation: Generation) -> None:
        await self._state.update_one(
            {"_id": _CURRENT, "building": generation.number}, {"$set": {"building": None}}
        )

    async def drop_others(self) -> None:
        """Every generation that neither serves nor is being built."""
        state = await self._state.find_one({"_id": _CURRENT}) or {}
        kept = {
            name
            for number in (state.get("serving"), state.get("building"))
            if number
            for name in _names(number)
        }
        known = await self._database.list_collection_names(
            filter={"name": {"$regex": rf"^search\d+_({'|'.join(SEARCH_INDEXES)})$"}}
        )
        for name in set(known) - kept:
            await self._database.drop_collection(name)

    async def _create(self, number: int) -> None:
        for name, indexes in zip(_names(number), SEARCH_INDEXES.values(), strict=True):
            if indexes:
                await self._database[name].create_indexes(indexes)
            else:
                # A refresh of another process may have written into this number already.
                with there_already():
                    await self._database.create_collection(name, check_exists=False)


def _milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
