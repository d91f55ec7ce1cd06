"""Courses: reading, writing, publishing. Their lectures are in `lectures.py`, of which this store is made.

Counters change in the transaction that changes what they count: a course's `lecture_count` and
`duration` (its published lectures), a university's and a programme's `course_count` (their
published courses). Counters add nothing to `revision`, which counts the writes of people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from academy.courses import Course
from academy.errors import Conflict, NotFound, PreconditionFailed
from academy.localised import choose
from academy.mongo.client import (
    Document,
    Session,
    from_document,
    in_transaction,
    plain,
    to_document,
    unavailable_when_down,
)
from academy.mongo.indexes import TITLE_LANGUAGES
from academy.mongo.lectures import LectureDocuments
from academy.store_values import Changes

CHANGEABLE: Final = frozenset(Course.model_fields) - {
    "slug",
    "revision",
    "created_at",
    "lecture_count",
    "duration",
    "poster",
}


def _build(document: Document) -> Course:
    return from_document(Course, document, key="slug")


def title_keys(title: Mapping[str, str], language: str) -> dict[str, str]:
    """What `order=title` sorts by for readers of each interface language."""
    return {wanted: choose(title, [wanted], language)[1] for wanted in TITLE_LANGUAGES}


@unavailable_when_down
class MongoCourseStore(LectureDocuments):
    """Implements `academy.catalogue_stores.CourseStore`."""

    async def get(self, slug: str) -> Course:
        document = await self._courses.find_one({"_id": slug})
        if document is None:
            raise NotFound(f"There is no course “{slug}”.")
        return _build(document)

    async def add(self, course: Course) -> None:
        document = to_document(course, key="slug") | {
            "title_keys": title_keys(course.title, course.language),
            "lecture_count": 0,
            "duration": 0.0,
        }

        async def work(session: Session) -> None:
            await self._courses.insert_one(document, session=session)
            await self._count_courses(session, None, document)

        try:
            await in_transaction(self._database, work)
        except DuplicateKeyError as error:
            raise Conflict(
                f"The slug “{course.slug}” is taken by another course: choose another."
            ) from error

    async def change(self, slug: str, changes: Changes) -> Course:
        unknown = set(changes.fields) - CHANGEABLE
        if unknown:
            raise ValueError(f"a change of a course may not set {sorted(unknown)}")

        async def work(session: Session) -> Course:
            before = await self._courses.find_one({"_id": slug}, session=session)
            if before is None:
                raise NotFound(f"There is no course “{slug}”.")
            if before["revision"] != changes.revision:
                raise PreconditionFailed
            fields: dict[str, Any] = plain(changes.fields)
            after = {**before, **fields, "revision": changes.revision + 1}
            course = _build(after)
            fields["title_keys"] = title_keys(course.title, course.language)
            await self._courses.update_one(
                {"_id": slug}, {"$set": fields, "$inc": {"revision": 1}}, session=session
            )
            await self._count_courses(session, before, after)
            return course

        return await in_transaction(self._database, work)

    async def delete(self, slug: str) -> None:
        async def work(session: Session) -> list[str]:
            if await self._database.enrolments.find_one({"course": slug}, session=session):
                raise Conflict("Learners are enrolled in this course: unpublish it instead.")
            before = await self._courses.find_one_and_delete({"_id": slug}, session=session)
            if before is None:
                raise NotFound(f"There is no course “{slug}”.")
            await self._count_courses(session, before, None)
            lectures = self._lectures.find({"course": slug}, {"_id": 1}, session=session)
            ids = [document["_id"] async for document in lectures]
            await self._lectures.delete_many({"course": slug}, session=session)
            await self.end_work_of(ids, session)
            return ids

        gone = await in_transaction(self._database, work)
        await self._database.progress.delete_many({"course": slug})
        await self._database.captions.delete_many({"lecture_id": {"$in": gone}})

    async def _count_courses(
        self, session: Session, before: Document | None, after: Document | None
    ) -> None:
        """Adds what `after` counts for and takes away what `before` did."""
        changed: Counter[tuple[str, str]] = Counter()
        for document, sign in ((before, -1), (after, 1)):
            if document is None or document["published_at"] is None:
                continue
            for slug in set(document["universities"]):
                changed["universities", slug] += sign
            if document["programme"] is not None:
                changed["programmes", document["programme"]] += sign
        for (collection, slug), by in sorted(changed.items()):
            if by:
                await self._database[collection].update_one(
                    {"_id": slug}, {"$inc": {"course_count": by}}, session=session
                )
