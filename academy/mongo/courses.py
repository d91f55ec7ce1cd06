"""Courses: reading, writing, publishing. Their lectures are in `lectures.py`, of which this store is made.

Counters change in the transaction that changes what they count: a course's `lecture_count` and
`duration` (its published lectures), a university's and a programme's `course_count` (their
published courses). Counters add nothing to `revision`, which counts the writes of people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from academy.courses import Course, CourseOrder
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
from academy.mongo.indexes import EPOCH, PUBLISHED, TITLE_LANGUAGES, title_collation
from academy.mongo.lectures import LectureDocuments
from academy.mongo.paging import after_key, fetch_page, instant_of, number_of, text_of
from academy.stores import Changes, CourseFilter, Page, Position

CHANGEABLE: Final = frozenset(Course.model_fields) - {
    "slug",
    "revision",
    "created_at",
    "lecture_count",
    "duration",
}


def _build(document: Document) -> Course:
    return from_document(Course, document, key="slug")


def title_keys(title: Mapping[str, str], language: str) -> dict[str, str]:
    """What `order=title` sorts by for readers of each interface language."""
    return {wanted: choose(title, [wanted], language)[1] for wanted in TITLE_LANGUAGES}


def _filter(where: CourseFilter) -> Document:
    wanted = {
        "universities": where.university,
        "programme": where.programme,
        "instructors": where.instructor,
        "level": where.level,
        "language": where.language,
    }
    return {name: value for name, value in wanted.items() if value is not None}


@unavailable_when_down
class MongoCourseStore(LectureDocuments):
    """Implements `academy.stores.CourseStore`."""

    async def get(self, slug: str) -> Course:
        document = await self._courses.find_one({"_id": slug})
        if document is None:
            raise NotFound(f"There is no course “{slug}”.")
        return _build(document)

    async def list_published(
        self,
        where: CourseFilter,
        *,
        order: CourseOrder,
        limit: int,
        after: Position | None = None,
        language: str = "zh",
    ) -> Page[Course]:
        """Titles sort by the collation of `language` where it is one of TITLE_LANGUAGES, else by English's."""
        selected = {**_filter(where), **PUBLISHED}
        if order is CourseOrder.NEWEST:
            if after is not None:
                end = instant_of(after, "published_at")
                selected |= after_key("published_at", -1, end, text_of(after, "slug"))
                selected["published_at"]["$gt"] = EPOCH
            return await fetch_page(
                self._courses,
                selected,
                [("published_at", -1), ("_id", 1)],
                limit=limit,
                build=_build,
                position=lambda last: {
                    "published_at": last["published_at"].isoformat(),
                    "slug": last["_id"],
                },
            )
        if order is CourseOrder.POPULAR:
            if after is not None:
                selected |= after_key(
                    "views", -1, number_of(after, "views"), text_of(after, "slug")
                )
            return await fetch_page(
                self._courses,
                selected,
                [("views", -1), ("_id", 1)],
                limit=limit,
                build=_build,
                position=lambda last: {"views": last["views"], "slug": last["_id"]},
            )
        tongue = language.split("-", maxsplit=1)[0].lower()
        tongue = tongue if tongue in TITLE_LANGUAGES else "en"
        key = f"title_keys.{tongue}"
        if after is not None:
            selected |= after_key(key, 1, text_of(after, "title"), text_of(after, "slug"))
        return await fetch_page(
            self._courses,
            selected,
            [(key, 1), ("_id", 1)],
            limit=limit,
            build=_build,
            position=lambda last: {"title": last["title_keys"][tongue], "slug": last["_id"]},
            collation=title_collation(tongue),
        )

    async def list_taught(
        self,
        *,
        subject: str,
        profiles: Sequence[str],
        limit: int,
        after: Position | None = None,
    ) -> Page[Course]:
        mine: Document = {"$or": [{"owner": subject}, {"instructors": {"$in": [*profiles]}}]}
        if after is not None:
            mine = {
                "$and": [
                    mine,
                    after_key(
                        "created_at", -1, instant_of(after, "created_at"), text_of(after, "slug")
                    ),
                ]
            }
        return await fetch_page(
            self._courses,
            mine,
            [("created_at", -1), ("_id", 1)],
            limit=limit,
            build=_build,
            position=lambda last: {
                "created_at": last["created_at"].isoformat(),
                "slug": last["_id"],
            },
        )

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
        async def work(session: Session) -> None:
            if await self._database.enrolments.find_one({"course": slug}, session=session):
                raise Conflict("Learners are enrolled in this course: unpublish it instead.")
            before = await self._courses.find_one_and_delete({"_id": slug}, session=session)
            if before is None:
                raise NotFound(f"There is no course “{slug}”.")
            await self._count_courses(session, before, None)
            lectures = self._lectures.find({"course": slug}, {"_id": 1}, session=session)
            ids = [document["_id"] async for document in lectures]
            await self._lectures.delete_many({"course": slug}, session=session)
            await self._end_work_of(ids, session)

        await in_transaction(self._database, work)
        await self._database.progress.delete_many({"course": slug})

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
