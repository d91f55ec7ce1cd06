"""Filling the index and asking it, without the follower: every test says when the index learns something."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from academy.courses import Course, Lecture
from academy.mongo.search.learnt import remember
from academy.mongo.stores import MongoStores
from academy.search.entries import Cue, Kind
from academy.search.hits import CourseHit, Hit, LectureHit
from academy.search.query import parse
from tests.documents import a_course, a_lecture

EVERYTHING = tuple(Kind)
PUBLISHED = "2026-01-01T00:00:00Z"


async def build(stores: MongoStores) -> None:
    await stores.search.new_build().run()


async def add_course(stores: MongoStores, **members: Any) -> Course:
    course = a_course(**{"published_at": PUBLISHED, **members})
    await stores.courses.add(course)
    await remember(await stores.search.refresher.refresh(courses=[course.slug]))
    return course


async def add_lecture(stores: MongoStores, course: Course, **members: Any) -> Lecture:
    lecture = await stores.courses.add_lecture(
        a_lecture(course.slug, **{"published": True, **members})
    )
    await remember(await stores.search.refresher.refresh(lectures=[lecture.id]))
    return lecture


async def say(stores: MongoStores, lecture: Lecture, language: str, *texts: str) -> None:
    """Captions of five seconds each."""
    cues = [
        Cue(start=5.0 * number, end=5.0 * number + 5, text=text)
        for number, text in enumerate(texts)
    ]
    await stores.search.index_captions(lecture.id, language, cues)
    await remember(await stores.search.refresher.refresh(lectures=[lecture.id]))


async def hits(
    stores: MongoStores,
    query: str,
    *,
    kinds: Collection[Kind] = EVERYTHING,
    limit: int = 100,
    **others: Any,
) -> list[Hit]:
    page = await stores.search.find(parse(query), kinds=kinds, limit=limit, **others)
    return list(page.items)


async def found(stores: MongoStores, query: str, **others: Any) -> list[str]:
    """Course slugs, lecture ids, and the words of moments, best first."""
    return [name_of(hit) for hit in await hits(stores, query, **others)]


def name_of(hit: Hit) -> str:
    if isinstance(hit, CourseHit):
        return hit.course.slug
    return hit.lecture.id if isinstance(hit, LectureHit) else hit.text
