"""Implements `academy.stores.SearchStore`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from academy.ids import new_id
from academy.mongo.client import Database, plain, unavailable_when_down
from academy.mongo.search.find import Finder
from academy.mongo.search.follower import Follower
from academy.mongo.search.generations import Generations
from academy.mongo.search.rebuild import Rebuild
from academy.mongo.search.refresh import TRANSCRIPTS, Refresher
from academy.search.entries import Cue, Kind, Transcript
from academy.search.hits import Hit
from academy.search.query import Query
from academy.search.words import warm_up
from academy.store_values import Page, Position


@unavailable_when_down
class MongoSearchStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.generations = Generations(database)
        self.refresher = Refresher(database, self.generations)
        self._finder = Finder(database, self.generations)
        self._follower: Follower | None = None
        self._warming: asyncio.Future[None] | None = None

    def follow(self) -> None:
        """From now on this process helps to keep the index current, and is ready to answer queries."""
        if self._follower is None:
            self._warming = asyncio.ensure_future(asyncio.to_thread(warm_up))
            self._follower = Follower(self._database, self.generations, self.refresher)
            self._follower.start()

    async def close(self) -> None:
        if self._warming is not None:
            await self._warming
        if self._follower is not None:
            await self._follower.close()

    async def find(
        self,
        query: Query,
        *,
        kinds: Collection[Kind],
        limit: int,
        language: str | None = None,
        after: Position | None = None,
    ) -> Page[Hit]:
        return await self._finder.find(
            query, kinds=kinds, language=language, limit=limit, after=after
        )

    async def index_captions(self, lecture_id: str, language: str, cues: Sequence[Cue]) -> None:
        key = f"{lecture_id}:{language}"
        if not cues:
            await self._database[TRANSCRIPTS].delete_one({"_id": key})
            return
        transcript = Transcript(
            lecture_id=lecture_id, language=language, cues=list(cues), revision=new_id()
        )
        await self._database[TRANSCRIPTS].replace_one({"_id": key}, plain(transcript), upsert=True)

    def new_build(self) -> Rebuild:
        return Rebuild(self._database, self.generations, self.refresher)
