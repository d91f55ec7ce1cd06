"""Storage used, summed from the documents of lectures, recordings, media and uploads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from academy.accounting import CourseUsage, OwnerUsage, Usage
from academy.errors import NotFound
from academy.mongo.client import Collection, Database, Document, unavailable_when_down
from academy.mongo.paging import text_of
from academy.store_values import Page, Position
from academy.uploads import UploadState

_PENDING: Final[Document] = {
    "state": {"$in": [UploadState.OPEN.value, UploadState.COMPLETING.value]}
}
_MEDIA_BYTES: Final[Document] = {"$sum": {"$sum": "$publication.renditions.bytes"}}
_FIELDS: Final = ("lectures", "recordings", "sources", "media", "pending")
_SOME: Final = 1000
"""Lectures named in one query."""

Sums = dict[str, int]


@unavailable_when_down
class MongoAccountingStore:
    """Implements `academy.storage_stores.AccountingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def total(self) -> Usage:
        counted = await self._database.lectures.count_documents({})
        sums = (await self._sums(None, defaultdict(str))).get("", {})
        return Usage(**{**sums, "lectures": counted})

    async def course(self, slug: str) -> CourseUsage:
        course = await self._database.courses.find_one({"_id": slug}, {"owner": 1})
        if course is None:
            raise NotFound(f"There is no course “{slug}”.")
        return (await self._of_courses([course]))[0]

    async def owner(self, subject: str) -> OwnerUsage:
        return (await self._of_owners([subject]))[0]

    async def courses(self, *, limit: int, after: Position | None = None) -> Page[CourseUsage]:
        where: Document = {} if after is None else {"_id": {"$gt": text_of(after, "course")}}
        cursor = self._database.courses.find(
            where, {"owner": 1}, sort=[("_id", 1)], limit=limit + 1
        )
        found = await cursor.to_list()
        items = await self._of_courses(found[:limit])
        return Page(items, {"course": items[-1].course} if len(found) > limit else None)

    async def owners(self, *, limit: int, after: Position | None = None) -> Page[OwnerUsage]:
        where: Document = {} if after is None else {"owner": {"$gt": text_of(after, "owner")}}
        cursor = await self._database.courses.aggregate(
            [
                {"$match": where},
                {"$group": {"_id": "$owner"}},
                {"$sort": {"_id": 1}},
                {"$limit": limit + 1},
            ]
        )
        found = [document["_id"] async for document in cursor]
        items = await self._of_owners(found[:limit])
        return Page(items, {"owner": items[-1].owner} if len(found) > limit else None)

    async def _of_owners(self, subjects: Sequence[str]) -> list[OwnerUsage]:
        cursor = self._database.courses.find({"owner": {"$in": [*subjects]}}, {"owner": 1})
        courses = await self._of_courses(await cursor.to_list())
        return [
            OwnerUsage(
                owner=subject,
                courses=len(own),
                **{name: sum(getattr(each, name) for each in own) for name in _FIELDS},
            )
            for subject in subjects
            for own in [[each for each in courses if each.owner == subject]]
        ]

    async def _of_courses(self, courses: Sequence[Document]) -> list[CourseUsage]:
        of_lecture: dict[str, str] = {}
        counted: Sums = defaultdict(int)
        cursor = self._database.lectures.find(
            {"course": {"$in": [course["_id"] for course in courses]}}, {"course": 1}
        )
        async for lecture in cursor:
            of_lecture[lecture["_id"]] = lecture["course"]
            counted[lecture["course"]] += 1
        sums: dict[str, Sums] = defaultdict(lambda: defaultdict(int))
        lectures = list(of_lecture)
        for begin in range(0, len(lectures), _SOME):
            some = await self._sums(lectures[begin : begin + _SOME], of_lecture)
            for course, added in some.items():
                for name, value in added.items():
                    sums[course][name] += value
        return [
            CourseUsage(
                course=course["_id"],
                owner=course["owner"],
                **{**sums[course["_id"]], "lectures": counted[course["_id"]]},
            )
            for course in courses
        ]

    async def _sums(self, lectures: Sequence[str] | None, group: dict[str, str]) -> dict[str, Sums]:
        """By what `group` makes of a lecture's id. None: of all lectures there are."""
        database = self._database
        found: dict[str, Sums] = defaultdict(lambda: defaultdict(int))
        one, size = {"$sum": 1}, {"$sum": "$size"}
        asked: list[tuple[Collection, Document, dict[str, Any]]] = [
            (database.recordings, {}, {"recordings": one, "sources": size}),
            (database.media, {"publication": {"$ne": None}}, {"media": _MEDIA_BYTES}),
            (database.uploads, _PENDING, {"pending": size}),
        ]
        for collection, where, sums in asked:
            named = where if lectures is None else {**where, "lecture_id": {"$in": [*lectures]}}
            cursor = await collection.aggregate(
                [{"$match": named}, {"$group": {"_id": "$lecture_id", **sums}}]
            )
            async for document in cursor:
                into = found[group[document.pop("_id")]]
                for name, value in document.items():
                    into[name] += int(value)
        return found
