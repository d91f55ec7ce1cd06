"""The catalogue as readers see it: each method is one command, whatever it brings together.

A round trip through the driver costs the API more CPU than all the rest of a read; joining by `_id`
in the server costs it little. What courses name is fetched once per page, not once per course.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from academy.catalogue import CoursePage, CourseView, LectureView, Named, PosterView
from academy.catalogue_stores import CourseFilter
from academy.courses import CourseOrder
from academy.errors import NotFound
from academy.mongo.client import Database, Document, unavailable_when_down
from academy.mongo.course_orders import Slice, published, taught
from academy.store_values import Position

_CARD: Final[Document] = {
    "_id": 0,
    "slug": "$_id",
    **dict.fromkeys(
        (
            "title",
            "summary",
            "language",
            "level",
            "programme",
            "universities",
            "instructors",
            "lecture_count",
            "duration",
            "poster",
            "published_at",
            "demo",
        ),
        1,
    ),
}
_TEACHER: Final = ("name", "headline", "organisation", "visiting", "portrait_url")
_LINE: Final = ("title", "language", "duration", "media", "published", "position", "section")


def _joined(collection: str, local: str, *members: str) -> Document:
    return {
        "$lookup": {
            "from": collection,
            "localField": local,
            "foreignField": "_id",
            "pipeline": [{"$project": dict.fromkeys(members, 1)}],
            "as": f"named_{collection}",
        }
    }


def _named(prefix: str) -> list[Document]:
    return [
        _joined("universities", f"{prefix}universities", "name"),
        _joined("programmes", f"{prefix}programme", "name"),
        _joined("instructors", f"{prefix}instructors", *_TEACHER),
    ]


def _taken(document: Document) -> Named:
    """Takes what was joined out of `document`."""

    def by_slug(collection: str) -> dict[str, Any]:
        return {each["_id"]: each for each in document.pop(f"named_{collection}", ())}

    return Named(by_slug("universities"), by_slug("programmes"), by_slug("instructors"))


def _course(*lectures: Document) -> list[Document]:
    """Of one course, with its `lectures`."""
    return [
        {"$project": _CARD | dict.fromkeys(("description", "sections", "owner", "revision"), 1)},
        {
            "$lookup": {
                "from": "lectures",
                "localField": "slug",
                "foreignField": "course",
                "pipeline": [
                    *lectures,
                    {"$sort": {"position": 1, "created_at": 1, "_id": 1}},
                    {
                        "$project": {"_id": 0, "id": "$_id", "uploads_begun": 1}
                        | dict.fromkeys(_LINE, 1)
                    },
                ],
                "as": "lectures",
            }
        },
        *_named(""),
    ]


_COURSE: Final = _course({"$match": {"published": True}})
_COURSE_WITH_DRAFTS: Final = _course()
"""Made once: they are the same for all."""


@unavailable_when_down
class MongoCatalogue:
    """Implements `academy.catalogue_stores.CatalogueStore`."""

    def __init__(self, database: Database) -> None:
        self._courses = database.courses
        self._lectures = database.lectures

    async def courses(
        self,
        where: CourseFilter,
        *,
        order: CourseOrder,
        limit: int,
        after: Position | None = None,
        language: str = "zh",
    ) -> CoursePage:
        """Titles sort by the collation of `language` where it is one of TITLE_LANGUAGES, else by English's."""
        return await self._page(published(where, order, after, language), limit)

    async def taught(
        self,
        *,
        subject: str,
        profiles: Sequence[str],
        limit: int,
        after: Position | None = None,
    ) -> CoursePage:
        return await self._page(taught(subject, profiles, after), limit)

    async def _page(self, piece: Slice, limit: int) -> CoursePage:
        """Reads one course more than asked, to know whether there is another page."""
        members = _CARD | {name.partition(".")[0]: 1 for name, _ in piece.sort if name != "_id"}
        found = await self._one(
            self._courses.aggregate(
                [
                    {"$match": piece.where},
                    {"$sort": dict(piece.sort)},
                    {"$limit": limit + 1},
                    {"$project": members},
                    {"$group": {"_id": None, "courses": {"$push": "$$ROOT"}}},
                    *_named("courses."),
                ],
                collation=piece.collation,
            )
        )
        if found is None:
            return CoursePage([], Named(), None)
        shown = found["courses"][:limit]
        more = len(found["courses"]) > limit
        return CoursePage(shown, _taken(found), piece.position(shown[-1]) if more else None)

    async def course(self, slug: str, *, drafts: bool) -> CourseView:
        brought = _COURSE_WITH_DRAFTS if drafts else _COURSE
        document = await self._one(self._courses.aggregate([{"$match": {"_id": slug}}, *brought]))
        if document is None:
            raise NotFound(f"There is no course “{slug}”.")
        lectures = document.pop("lectures")
        named = _taken(document)
        return CourseView(document, lectures, named)

    async def lecture(self, lecture_id: str) -> LectureView:
        document = await self._one(
            self._lectures.aggregate(
                [
                    {"$match": {"_id": lecture_id}},
                    {
                        "$lookup": {
                            "from": "courses",
                            "localField": "course",
                            "foreignField": "_id",
                            "pipeline": [
                                {
                                    "$project": {"_id": 0, "slug": "$_id"}
                                    | dict.fromkeys(("published_at", "owner", "instructors"), 1)
                                }
                            ],
                            "as": "of_course",
                        }
                    },
                    {"$unwind": "$of_course"},
                    {
                        "$set": {
                            "teachers": {
                                "$cond": [
                                    {"$eq": ["$instructors", []]},
                                    "$of_course.instructors",
                                    "$instructors",
                                ]
                            }
                        }
                    },
                    _joined("instructors", "teachers", *_TEACHER),
                    {
                        "$lookup": {
                            "from": "media",
                            "localField": "media.media_id",
                            "foreignField": "_id",
                            "pipeline": [{"$project": {"publication": 1}}],
                            "as": "playing",
                        }
                    },
                ]
            )
        )
        if document is None:
            raise NotFound("There is no such lecture.")
        course, playing = document.pop("of_course"), document.pop("playing")
        named = _taken(document)
        document["id"] = document.pop("_id")
        return LectureView(
            lecture=document,
            course=course,
            publication=playing[0]["publication"] if playing else None,
            named=named,
        )

    async def poster(self, slug: str) -> PosterView:
        document = await self._one(
            self._courses.aggregate(
                [
                    {"$match": {"_id": slug}},
                    {
                        "$project": {
                            "_id": 0,
                            "slug": "$_id",
                            **dict.fromkeys(("published_at", "owner", "instructors", "poster"), 1),
                        }
                    },
                    {
                        "$lookup": {
                            "from": "media",
                            "localField": "poster",
                            "foreignField": "_id",
                            "pipeline": [{"$project": {"name": "$publication.poster"}}],
                            "as": "stills",
                        }
                    },
                ]
            )
        )
        if document is None:
            raise NotFound(f"There is no course “{slug}”.")
        stills = document.pop("stills")
        return PosterView(document, stills[0].get("name") if stills else None)

    @staticmethod
    async def _one(found: Any) -> Document | None:
        documents = await (await found).to_list()
        return documents[0] if documents else None
