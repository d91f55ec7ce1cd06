"""The catalogue's stores against a real MongoDB."""

from __future__ import annotations

from academy.courses import Course, now
from academy.ids import new_id
from academy.mongo.stores import MongoStores


def a_course(**members) -> Course:
    return Course(
        **{"slug": f"c-{new_id()}", "title": {"en": "A course"}, "language": "en", "owner": "o"}
        | members
    )


async def test_a_course_reads_back_as_it_was_written(stores: MongoStores) -> None:
    course = a_course(published_at=now())
    await stores.courses.add(course)
    assert await stores.courses.get(course.slug) == course
