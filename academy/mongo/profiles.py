"""Universities, programmes and instructors: small documents under a slug, listed by slug."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from academy.courses import Programme, University
from academy.errors import Conflict, NotFound, PreconditionFailed
from academy.mongo.client import (
    Database,
    Document,
    from_document,
    plain,
    to_document,
    unavailable_when_down,
)
from academy.mongo.indexes import PUBLISHED
from academy.mongo.paging import fetch_page, text_of
from academy.people import Instructor
from academy.store_values import Changes, Page, Position

ProfileT = TypeVar("ProfileT", bound=BaseModel)
KEPT = frozenset({"slug", "revision", "course_count"})
"""Members that no change sets: the key, and what the stores count."""


@unavailable_when_down
class _SlugStore(Generic[ProfileT]):
    kind: ClassVar[type[BaseModel]]
    collection_name: ClassVar[str]
    noun: ClassVar[str]
    named_by: ClassVar[str]
    """The member of a course that holds these slugs."""

    def __init__(self, database: Database) -> None:
        self._collection = database[self.collection_name]
        self._courses = database.courses

    def _build(self, document: Document) -> ProfileT:
        built: Any = from_document(self.kind, document, key="slug")
        return built  # type: ignore[no-any-return]

    async def get(self, slug: str) -> ProfileT:
        document = await self._collection.find_one({"_id": slug})
        if document is None:
            raise NotFound(f"There is no {self.noun} “{slug}”.")
        return self._build(document)

    async def get_many(self, slugs: Sequence[str]) -> Sequence[ProfileT]:
        """In the order asked for; unknown ones are left out."""
        cursor = self._collection.find({"_id": {"$in": list(dict.fromkeys(slugs))}})
        found = {document["_id"]: self._build(document) async for document in cursor}
        return [found[slug] for slug in dict.fromkeys(slugs) if slug in found]

    async def list(self, *, limit: int, after: Position | None = None) -> Page[ProfileT]:
        where = {} if after is None else {"_id": {"$gt": text_of(after, "slug")}}
        return await fetch_page(
            self._collection,
            where,
            [("_id", 1)],
            limit=limit,
            build=self._build,
            position=lambda last: {"slug": last["_id"]},
        )

    async def _insert(self, document: Document) -> None:
        try:
            await self._collection.insert_one(document)
        except DuplicateKeyError as error:
            raise Conflict(
                f"The slug “{document['_id']}” is taken by another {self.noun}: choose another."
            ) from error

    async def change(self, slug: str, changes: Changes) -> ProfileT:
        unknown = set(changes.fields) - (set(self.kind.model_fields) - KEPT)
        if unknown:
            raise ValueError(f"a change may not set {sorted(unknown)}")
        document = await self._collection.find_one_and_update(
            {"_id": slug, "revision": changes.revision},
            {"$set": plain(changes.fields), "$inc": {"revision": 1}}
            if changes.fields
            else {"$inc": {"revision": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            await self.get(slug)  # NotFound says more
            raise PreconditionFailed
        return self._build(document)

    async def delete(self, slug: str) -> None:
        """NotFound when there is none; Conflict while courses name it."""
        if await self._courses.find_one({self.named_by: slug}, {"_id": 1}):
            raise Conflict(f"Courses name this {self.noun}: take it out of them first.")
        if not (await self._collection.delete_one({"_id": slug})).deleted_count:
            raise NotFound(f"There is no {self.noun} “{slug}”.")


@unavailable_when_down
class _CountedStore(_SlugStore[ProfileT]):
    """Those that count their published courses; `academy/mongo/courses.py` keeps the counts."""

    async def _counted(self, document: Document) -> Document:
        count = await self._courses.count_documents({self.named_by: document["_id"], **PUBLISHED})
        return {**document, "course_count": count}


@unavailable_when_down
class MongoUniversityStore(_CountedStore[University]):
    kind = University
    collection_name = "universities"
    noun = "university"
    named_by = "universities"

    async def add(self, university: University) -> None:
        await self._insert(await self._counted(to_document(university, key="slug")))


@unavailable_when_down
class MongoProgrammeStore(_CountedStore[Programme]):
    kind = Programme
    collection_name = "programmes"
    noun = "programme"
    named_by = "programme"

    async def add(self, programme: Programme) -> None:
        await self._insert(await self._counted(to_document(programme, key="slug")))


@unavailable_when_down
class MongoInstructorStore(_SlugStore[Instructor]):
    kind = Instructor
    collection_name = "instructors"
    noun = "instructor"
    named_by = "instructors"

    async def add(self, instructor: Instructor) -> None:
        await self._insert(to_document(instructor, key="slug"))

    async def profiles_of(self, subject: str) -> Sequence[str]:
        cursor = self._collection.find({"subject": subject}, {"_id": 1}, sort=[("_id", 1)])
        return [document["_id"] async for document in cursor]
