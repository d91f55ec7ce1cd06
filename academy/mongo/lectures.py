"""Lectures of courses: appending, moving, publishing, deleting, and the counters these change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pymongo import ReturnDocument, UpdateOne

from academy.courses import Lecture
from academy.errors import NotFound, PreconditionFailed
from academy.jobs import ACTIVE, JobState
from academy.mongo.client import (
    Database,
    Document,
    Session,
    from_document,
    in_transaction,
    plain,
    to_document,
    unavailable_when_down,
)
from academy.store_values import Changes
from academy.uploads import UploadState

CHANGEABLE: Final = frozenset(Lecture.model_fields) - {
    "id",
    "course",
    "created_at",
    "media",
    "uploads_begun",
    "revision",
}
_ORDER: Final = [("position", 1), ("created_at", 1), ("_id", 1)]


async def recount(database: Database, course: str, session: Session) -> None:
    """The course's counters and its picture anew from its lectures: what is never adjusted cannot drift.

    `recounted` makes every recount a real write, so that two of one course never pass each other.
    """
    cursor = await database.lectures.aggregate(
        [
            {"$match": {"course": course, "published": True}},
            {"$sort": dict(_ORDER)},
            {
                "$group": {
                    "_id": None,
                    "count": {"$sum": 1},
                    "duration": {"$sum": "$duration"},
                    "media": {"$push": "$media.media_id"},
                }
            },
        ],
        session=session,
    )
    totals = await cursor.to_list()
    total: Document = totals[0] if totals else {"count": 0, "duration": 0.0, "media": []}
    pictured = await database.media.distinct(
        "_id",
        {"_id": {"$in": total["media"]}, "publication.poster": {"$type": "string"}},
        session=session,
    )
    poster = next((media for media in total["media"] if media in pictured), None)
    await database.courses.update_one(
        {"_id": course},
        {
            "$set": {
                "lecture_count": total["count"],
                "duration": float(total["duration"]),
                "poster": poster,
            },
            "$inc": {"recounted": 1},
        },
        session=session,
    )


@unavailable_when_down
class LectureDocuments:
    """The lectures' half of the course store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._courses = database.courses
        self._lectures = database.lectures

    async def lecture(self, lecture_id: str) -> Lecture:
        document = await self._lectures.find_one({"_id": lecture_id})
        if document is None:
            raise NotFound("There is no such lecture.")
        return from_document(Lecture, document)

    async def lectures(self, course: str, *, drafts: bool) -> Sequence[Lecture]:
        where: Document = {"course": course} if drafts else {"course": course, "published": True}
        cursor = self._lectures.find(where, sort=_ORDER)
        return [from_document(Lecture, document) async for document in cursor]

    async def add_lecture(self, lecture: Lecture) -> Lecture:
        """Positions begin with 1. NotFound without its course."""

        async def work(session: Session) -> Lecture:
            course = await self._courses.find_one_and_update(
                {"_id": lecture.course},
                {"$inc": {"lectures_added": 1}},
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            if course is None:
                raise NotFound(f"There is no course “{lecture.course}”.")
            added = lecture.model_copy(update={"position": course["lectures_added"]})
            await self._lectures.insert_one(to_document(added), session=session)
            if added.published:
                await recount(self._database, added.course, session)
            return added

        return await in_transaction(self._database, work)

    async def change_lecture(self, lecture_id: str, changes: Changes) -> Lecture:
        """A new `position` moves it there (1 is first; beyond the end is last) and the others aside."""
        unknown = set(changes.fields) - CHANGEABLE
        if unknown:
            raise ValueError(f"a change of a lecture may not set {sorted(unknown)}")

        async def work(session: Session) -> Lecture:
            before = await self._lectures.find_one({"_id": lecture_id}, session=session)
            if before is None:
                raise NotFound("There is no such lecture.")
            if before["revision"] != changes.revision:
                raise PreconditionFailed
            fields: dict[str, Any] = plain(changes.fields)
            if fields.get("position", before["position"]) != before["position"]:
                fields["position"] = await self._make_room(before, fields["position"], session)
            after = {**before, **fields, "revision": changes.revision + 1}
            lecture = from_document(Lecture, after)
            update: Document = {"$inc": {"revision": 1}}
            if fields:
                update["$set"] = fields
            await self._lectures.update_one({"_id": lecture_id}, update, session=session)
            counted = ("published", "duration", "position")
            if (before["published"] or lecture.published) and any(
                before[name] != getattr(lecture, name) for name in counted
            ):
                await recount(self._database, lecture.course, session)
            return lecture

        return await in_transaction(self._database, work)

    async def _make_room(self, moved: Document, position: int, session: Session) -> int:
        """Numbers the course's other lectures 1, 2, 3 … around the moved one; returns its number."""
        cursor = self._lectures.find(
            {"course": moved["course"], "_id": {"$ne": moved["_id"]}},
            {"position": 1},
            sort=_ORDER,
            session=session,
        )
        others = await cursor.to_list()
        place = min(max(position, 1), len(others) + 1)
        numbered = [
            (other, number if number < place else number + 1)
            for number, other in enumerate(others, start=1)
        ]
        writes = [
            UpdateOne({"_id": other["_id"]}, {"$set": {"position": number}})
            for other, number in numbered
            if other["position"] != number
        ]
        if writes:
            await self._lectures.bulk_write(writes, session=session)
        # Two moves in one course must not pass each other.
        await self._courses.update_one(
            {"_id": moved["course"]}, {"$inc": {"lectures_moved": 1}}, session=session
        )
        return place

    async def delete_lecture(self, lecture_id: str) -> None:
        """Also cancels its running work and aborts its uploads. NotFound when there is none."""

        async def work(session: Session) -> None:
            before = await self._lectures.find_one_and_delete({"_id": lecture_id}, session=session)
            if before is None:
                raise NotFound("There is no such lecture.")
            await self.end_work_of([lecture_id], session)
            if before["published"]:
                await recount(self._database, before["course"], session)

        await in_transaction(self._database, work)
        # Afterwards, as there may be 50,000: what a crash leaves here is read by nobody.
        await self._database.progress.delete_many({"lecture": lecture_id})
        await self._database.captions.delete_many({"lecture_id": lecture_id})

    async def end_work_of(self, lectures: Sequence[str], session: Session) -> None:
        """Cancels their jobs and aborts their uploads."""
        of_these = {"lecture_id": {"$in": [*lectures]}}
        await self._database.jobs.update_many(
            {**of_these, "state": {"$in": sorted(ACTIVE)}},
            [
                {
                    "$set": {
                        "state": JobState.CANCELLED.value,
                        "lease": None,
                        "finished_at": "$$NOW",
                        "revision": {"$add": ["$revision", 1]},
                    }
                }
            ],
            session=session,
        )
        await self._database.uploads.update_many(
            {
                **of_these,
                "state": {"$in": [UploadState.OPEN.value, UploadState.COMPLETING.value]},
            },
            {"$set": {"state": UploadState.ABORTED.value, "cleaned": False}},
            session=session,
        )
