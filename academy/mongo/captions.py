"""Caption files by lecture and language, and which lectures wait to be given theirs.

The lecture's document holds the marks: `captions_due` (an index finds it), `captions_version` (counts
changes, so that a mark set meanwhile is not taken away) and `captions_indexed` (languages that can be
found). They are set in the transaction of the change they tell of.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from academy.captions import CaptionFile
from academy.errors import NotFound
from academy.mongo.client import (
    Database,
    Document,
    Session,
    in_transaction,
    plain,
    unavailable_when_down,
)

DUE: dict[str, object] = {"captions_due": True}


@unavailable_when_down
class MongoCaptionStore:
    """Implements `academy.recording_stores.CaptionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._captions = database.captions
        self._lectures = database.lectures

    async def of(self, lecture_id: str) -> Sequence[CaptionFile]:
        cursor = self._captions.find({"lecture_id": lecture_id}, {"_id": 0}, sort=[("language", 1)])
        return [CaptionFile.model_validate(document) async for document in cursor]

    async def put(self, file: CaptionFile) -> None:
        async def work(session: Session) -> None:
            lecture = await self._lectures.update_one(
                {"_id": file.lecture_id},
                {"$set": DUE, "$inc": {"captions_version": 1}},
                session=session,
            )
            if not lecture.matched_count:
                raise NotFound("There is no such lecture.")
            await self._captions.replace_one(
                {"_id": f"{file.lecture_id}:{file.language}"},
                plain(file),
                upsert=True,
                session=session,
            )

        await in_transaction(self._database, work)

    async def version(self, lecture_id: str) -> int:
        return int((await self._lecture(lecture_id)).get("captions_version", 0))

    async def indexed(self, lecture_id: str) -> set[str]:
        return set((await self._lecture(lecture_id)).get("captions_indexed", []))

    async def _lecture(self, lecture_id: str) -> Document:
        found = await self._lectures.find_one(
            {"_id": lecture_id}, {"captions_version": 1, "captions_indexed": 1}
        )
        if found is None:
            raise NotFound("There is no such lecture.")
        return found

    async def indexing(self, lecture_id: str, languages: Collection[str]) -> None:
        await self._lectures.update_one(
            {"_id": lecture_id}, {"$set": {"captions_indexed": sorted(languages)}}
        )

    async def settled(self, lecture_id: str, version: int) -> None:
        await self._lectures.update_one(
            {"_id": lecture_id, "captions_version": version, **DUE},
            {"$unset": {"captions_due": 1}},
        )

    async def due(self) -> Sequence[str]:
        return [found["_id"] async for found in self._lectures.find(DUE, {"_id": 1}, limit=100)]
