"""In which order the index finds."""

from __future__ import annotations

import pytest

from academy.mongo.stores import MongoStores
from academy.search.entries import Kind
from tests.search.searching import add_course, add_lecture, build, found, say


@pytest.fixture(scope="module", autouse=True)
async def built(stores: MongoStores) -> None:
    await build(stores)


async def test_titles_come_before_descriptions_and_popular_before_unpopular(
    stores: MongoStores,
) -> None:
    told = {"en": "About pelicans"}
    described = await add_course(stores, title={"en": "Birds"}, description=told, views=900)
    rare = await add_course(stores, title={"en": "Pelicans"}, views=1)
    usual = await add_course(stores, title={"en": "The pelican"}, views=50)
    assert await found(stores, "pelican") == [usual.slug, rare.slug, described.slug]


async def test_titles_and_popular_courses_come_first_among_lectures_and_moments_too(
    stores: MongoStores,
) -> None:
    seldom = await add_course(stores, title={"en": "Marshes"}, views=3)
    often = await add_course(stores, title={"en": "Lakes"}, views=400)
    told = {"en": "Also of bitterns"}
    named, loved = [
        await add_lecture(stores, course, title={"en": "The bittern"}) for course in (seldom, often)
    ]
    described = await add_lecture(stores, often, title={"en": "Reeds"}, description=told)
    for lecture in (named, loved):
        await say(stores, lecture, "en", f"A bittern of {lecture.course}")
    assert await found(stores, "bittern") == [
        loved.id,
        named.id,
        described.id,
        f"A bittern of {often.slug}",
        f"A bittern of {seldom.slug}",
    ]


async def test_courses_come_before_lectures_before_moments(stores: MongoStores) -> None:
    course = await add_course(stores, title={"en": "Walruses"})
    lecture = await add_lecture(stores, course, title={"en": "The walrus"})
    await say(stores, lecture, "en", "A walrus, at last")
    assert await found(stores, "walrus") == [course.slug, lecture.id, "A walrus, at last"]
    assert await found(stores, "walrus", kinds=[Kind.LECTURE]) == [lecture.id]


async def test_whole_words_come_before_words_that_begin_so(stores: MongoStores) -> None:
    longer = await add_course(stores, title={"en": "Javanese"}, views=99)
    exact = await add_course(stores, title={"en": "Java"})
    assert await found(stores, "java") == [exact.slug, longer.slug]
    assert await found(stores, "java ") == [exact.slug]
    assert await found(stores, "javan") == [longer.slug]
