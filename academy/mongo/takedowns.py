"""Takedowns: the transaction that empties a lecture, and the records of what was deleted and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from academy.errors import Conflict, NotFound
from academy.mongo.client import (
    Database,
    Document,
    Session,
    from_document,
    in_transaction,
    to_document,
    unavailable_when_down,
)
from academy.mongo.lectures import LectureDocuments, recount
from academy.mongo.paging import after_key, fetch_page, instant_of, text_of
from academy.store_values import Page, Position
from academy.takedowns import Takedown


@unavailable_when_down
class MongoTakedownStore:
    """Implements `academy.storage_stores.TakedownStore`."""

    def __init__(self, database: Database, lectures: LectureDocuments) -> None:
        self._database = database
        self._takedowns = database.takedowns
        self._lectures = lectures

    async def begin(self, lecture_id: str, *, reason: str, by: str) -> Takedown:
        async def work(session: Session) -> Takedown:
            database = self._database
            lecture = await database.lectures.find_one_and_update(
                {"_id": lecture_id},
                {
                    "$set": {"media": None, "published": False, "duration": None},
                    "$inc": {"revision": 1},
                },
                session=session,
            )
            if lecture is None:
                raise NotFound("There is no such lecture.")
            of_it: Document = {"lecture_id": lecture_id}
            await self._lectures.end_work_of([lecture_id], session)
            media = await database.media.distinct("_id", of_it, session=session)
            recorded = await database.recordings.distinct("_id", of_it, session=session)
            begun = await database.uploads.distinct("recording_id", of_it, session=session)
            if not (media or recorded or begun):
                raise Conflict("This lecture has no recording: there is nothing to take down.")
            takedown = Takedown(
                lecture_id=lecture_id,
                course=lecture["course"],
                title=lecture["title"],
                reason=reason,
                taken_down_by=by,
                recordings=sorted({*recorded, *begun}),
                media=sorted(media),
            )
            await database.media.delete_many(of_it, session=session)
            await database.recordings.delete_many(of_it, session=session)
            await database.captions.delete_many(of_it, session=session)
            await database.caption_transcripts.delete_many(of_it, session=session)
            await recount(database, lecture["course"], session)
            await self._takedowns.insert_one(
                {**to_document(takedown), "unfinished": True}, session=session
            )
            return takedown

        return await in_transaction(self._database, work)

    async def list(self, *, limit: int, after: Position | None = None) -> Page[Takedown]:
        where: Document = {}
        if after is not None:
            at, last = instant_of(after, "at"), text_of(after, "id")
            where = after_key("taken_down_at", -1, at, last)
        return await fetch_page(
            self._takedowns,
            where,
            [("taken_down_at", -1), ("_id", 1)],
            limit=limit,
            build=lambda found: from_document(Takedown, found),
            position=lambda found: {"at": found["taken_down_at"].isoformat(), "id": found["_id"]},
        )

    async def happened_to(self, lecture_id: str) -> bool:
        return await self._takedowns.find_one({"lecture_id": lecture_id}, {"_id": 1}) is not None

    async def unfinished(self) -> Sequence[Takedown]:
        cursor = self._takedowns.find({"unfinished": True})
        return [from_document(Takedown, document) async for document in cursor]

    async def purged(self, takedown_id: str) -> None:
        await self._set(takedown_id, {"purged_at": "$$NOW"})

    async def finished(self, takedown_id: str) -> None:
        await self._takedowns.update_one(
            {"_id": takedown_id, "unfinished": True},
            [{"$set": {"finished_at": "$$NOW", "trouble": None}}, {"$unset": "unfinished"}],
        )

    async def troubled(self, takedown_id: str, because: str) -> None:
        await self._set(takedown_id, {"trouble": {"$literal": because}})

    async def forget_receipts(self, media: Collection[str]) -> None:
        await self._database.receipts.delete_many({"media_id": {"$in": [*media]}})

    async def _set(self, takedown_id: str, fields: dict[str, Any]) -> None:
        await self._takedowns.update_one({"_id": takedown_id}, [{"$set": fields}])
