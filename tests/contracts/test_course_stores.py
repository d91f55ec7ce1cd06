"""The catalogue's stores against a real MongoDB."""

from __future__ import annotations

import asyncio

import pytest

from academy.courses import MediaReference, Programme, Section, University, now
from academy.errors import Conflict, NotFound, PreconditionFailed
from academy.mongo.stores import MongoStores
from academy.people import Instructor
from academy.store_values import Changes, Position
from academy.stores import Stores
from tests.documents import a_course, a_lecture, a_slug


def test_the_stores_are_what_the_protocols_ask_for(stores: MongoStores) -> None:
    asked: Stores = stores  # mypy compares every signature
    assert asked.courses is stores.courses


async def test_a_course_reads_back_as_it_was_written(stores: MongoStores) -> None:
    course = a_course(
        title={"zh": "云计算", "en": "Cloud"},
        level="advanced",
        sections=[Section(title={"en": "First"})],
        published_at=now(),
        universities=["fudan"],
    )
    await stores.courses.add(course)
    assert await stores.courses.get(course.slug) == course


async def test_a_slug_is_taken_once(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    with pytest.raises(Conflict, match="taken"):
        await stores.courses.add(a_course(slug=course.slug))


async def test_unknown_things_are_not_found(stores: MongoStores) -> None:
    for missing in (
        stores.courses.get("none"),
        stores.courses.lecture("none"),
        stores.courses.change("none", Changes(1)),
        stores.courses.change_lecture("none", Changes(1)),
        stores.courses.delete("none"),
        stores.courses.delete_lecture("none"),
        stores.courses.add_lecture(a_lecture("none")),
        stores.universities.get("none"),
        stores.programmes.change("none", Changes(1)),
        stores.instructors.delete("none"),
        stores.uploads.get("none"),
        stores.uploads.begin("none"),
        stores.recordings.get("none"),
        stores.jobs.get("none"),
        stores.jobs.retry("none"),
        stores.jobs.cancel("none"),
        stores.media.get("none"),
    ):
        with pytest.raises(NotFound):
            await missing


async def test_a_change_needs_the_revision_that_was_read(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    changed = await stores.courses.change(course.slug, Changes(1, {"title": {"en": "Better"}}))
    assert (changed.title, changed.revision) == ({"en": "Better"}, 2)
    assert await stores.courses.get(course.slug) == changed
    with pytest.raises(PreconditionFailed):
        await stores.courses.change(course.slug, Changes(1, {"title": {"en": "Late"}}))


async def test_of_two_changes_at_once_one_wins(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    outcomes = await asyncio.gather(
        *(
            stores.courses.change(course.slug, Changes(1, {"title": {"en": f"Version {n}"}}))
            for n in range(4)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, PreconditionFailed) for outcome in outcomes) == 3
    assert (await stores.courses.get(course.slug)).revision == 2


async def test_what_the_stores_count_cannot_be_set(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    with pytest.raises(ValueError, match="lecture_count"):
        await stores.courses.change(course.slug, Changes(1, {"lecture_count": 9}))


async def test_counters_follow_publication_of_courses(stores: MongoStores) -> None:
    fudan, wuhan = a_slug(), a_slug()
    major = a_slug()
    for slug in (fudan, wuhan):
        await stores.universities.add(University(slug=slug, name={"en": slug}))
    await stores.programmes.add(Programme(slug=major, name={"en": major}))

    async def counts() -> list[int]:
        return [
            (await stores.universities.get(fudan)).course_count,
            (await stores.universities.get(wuhan)).course_count,
            (await stores.programmes.get(major)).course_count,
        ]

    course = a_course(universities=[fudan], programme=major)
    await stores.courses.add(course)
    assert await counts() == [0, 0, 0]
    await stores.courses.change(course.slug, Changes(1, {"published_at": now()}))
    assert await counts() == [1, 0, 1]
    await stores.courses.change(course.slug, Changes(2, {"universities": [fudan, wuhan]}))
    assert await counts() == [1, 1, 1]
    await stores.courses.change(course.slug, Changes(3, {"published_at": None}))
    assert await counts() == [0, 0, 0]
    await stores.courses.change(course.slug, Changes(4, {"published_at": now()}))
    await stores.courses.delete(course.slug)
    assert await counts() == [0, 0, 0]


async def test_counters_add_no_revision(stores: MongoStores) -> None:
    slug = a_slug()
    await stores.universities.add(University(slug=slug, name={"en": slug}))
    await stores.courses.add(a_course(universities=[slug], published_at=now()))
    university = await stores.universities.get(slug)
    assert (university.course_count, university.revision) == (1, 1)


async def test_what_courses_name_cannot_be_deleted(stores: MongoStores) -> None:
    slug = a_slug()
    await stores.instructors.add(Instructor(slug=slug, name={"en": "Ada"}))
    await stores.courses.add(a_course(instructors=[slug]))
    with pytest.raises(Conflict, match="take it out"):
        await stores.instructors.delete(slug)


async def test_a_course_with_learners_stays(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    await stores.database.enrolments.insert_one({"course": course.slug})
    with pytest.raises(Conflict, match="enrolled"):
        await stores.courses.delete(course.slug)
    await stores.database.enrolments.delete_many({})
    await stores.courses.delete(course.slug)


async def test_lectures_are_appended_and_counted_once_published(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    first = await stores.courses.add_lecture(a_lecture(course.slug, duration=0.1))
    second = await stores.courses.add_lecture(a_lecture(course.slug, duration=0.2, published=True))
    assert (first.position, second.position) == (1, 2)

    async def counted() -> tuple[int, float, int]:
        read = await stores.courses.get(course.slug)
        return read.lecture_count, read.duration, read.revision

    assert await counted() == (1, 0.2, 1)
    await stores.courses.change_lecture(first.id, Changes(1, {"published": True}))
    count, duration, revision = await counted()
    assert (count, revision) == (2, 1)
    assert duration == pytest.approx(0.3)
    await stores.courses.change_lecture(second.id, Changes(1, {"published": False}))
    assert await counted() == (1, 0.1, 1)
    await stores.courses.delete_lecture(first.id)
    assert await counted() == (0, 0.0, 1)


async def test_many_lectures_published_at_once_are_all_counted(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    lectures = await asyncio.gather(
        *(stores.courses.add_lecture(a_lecture(course.slug, duration=1.0)) for _ in range(6))
    )
    assert sorted(lecture.position for lecture in lectures) == [1, 2, 3, 4, 5, 6]
    await asyncio.gather(
        *(
            stores.courses.change_lecture(lecture.id, Changes(1, {"published": True}))
            for lecture in lectures
        )
    )
    read = await stores.courses.get(course.slug)
    assert (read.lecture_count, read.duration) == (6, 6.0)


async def test_moving_a_lecture_makes_room_for_it(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    a, b, c, d = [(await stores.courses.add_lecture(a_lecture(course.slug))).id for _ in range(4)]

    async def order() -> list[tuple[str, int]]:
        listed = await stores.courses.lectures(course.slug, drafts=True)
        return [(lecture.id, lecture.position) for lecture in listed]

    moved = await stores.courses.change_lecture(d, Changes(1, {"position": 2}))
    assert moved.position == 2
    assert await order() == [(a, 1), (d, 2), (b, 3), (c, 4)]
    await stores.courses.change_lecture(a, Changes(1, {"position": 99}))
    assert await order() == [(d, 1), (b, 2), (c, 3), (a, 4)]
    assert (await stores.courses.lecture(b)).revision == 1
    last = await stores.courses.add_lecture(a_lecture(course.slug))
    assert last.position > 4


async def test_readers_see_published_lectures_only(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    await stores.courses.add_lecture(a_lecture(course.slug))
    shown = await stores.courses.add_lecture(a_lecture(course.slug, published=True))
    assert await stores.courses.lectures(course.slug, drafts=False) == [shown]
    assert len(await stores.courses.lectures(course.slug, drafts=True)) == 2


async def test_a_media_reference_is_not_changed_by_hand(stores: MongoStores) -> None:
    course = a_course()
    await stores.courses.add(course)
    lecture = await stores.courses.add_lecture(a_lecture(course.slug))
    reference = MediaReference(media_id="m", number=1)
    with pytest.raises(ValueError, match="media"):
        await stores.courses.change_lecture(lecture.id, Changes(1, {"media": reference}))


async def test_profiles_are_changed_listed_and_found(stores: MongoStores) -> None:
    subject = a_slug()
    slugs = sorted(a_slug() for _ in range(3))
    for slug in slugs:
        await stores.instructors.add(Instructor(slug=slug, name={"en": slug}, subject=subject))
    assert await stores.instructors.profiles_of(subject) == slugs
    found = await stores.instructors.get_many([slugs[2], "none", slugs[0]])
    assert [person.slug for person in found] == [slugs[2], slugs[0]]
    changed = await stores.instructors.change(slugs[0], Changes(1, {"bio": {"zh": "教授"}}))
    assert (changed.bio, changed.revision) == ({"zh": "教授"}, 2)
    with pytest.raises(PreconditionFailed):
        await stores.instructors.change(slugs[0], Changes(1, {"visiting": True}))
    with pytest.raises(Conflict):
        await stores.instructors.add(Instructor(slug=slugs[0], name={"en": "Again"}))
    everybody: list[str] = []
    after: Position | None = None
    while True:
        page = await stores.instructors.list(limit=1, after=after)
        everybody += [person.slug for person in page.items]
        if (after := page.next) is None:
            break
    assert set(slugs) <= set(everybody)
    assert everybody == sorted(set(everybody))
    await stores.instructors.delete(slugs[1])
    with pytest.raises(NotFound):
        await stores.instructors.get(slugs[1])


async def test_a_university_added_late_counts_what_names_it(stores: MongoStores) -> None:
    slug = a_slug()
    await stores.courses.add(a_course(universities=[slug], published_at=now()))
    await stores.universities.add(University(slug=slug, name={"en": "Late"}))
    assert (await stores.universities.get(slug)).course_count == 1
