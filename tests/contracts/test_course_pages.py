"""Pages of courses in every order, against a real MongoDB."""

from __future__ import annotations

from datetime import timedelta

import pytest

from academy.catalogue_stores import CourseFilter
from academy.courses import CourseOrder, University, now
from academy.errors import BadCursor
from academy.mongo.stores import MongoStores
from academy.store_values import Position
from tests.documents import a_course, a_slug


async def all_pages(stores: MongoStores, where: CourseFilter, **options) -> list[str]:
    slugs: list[str] = []
    after: Position | None = None
    while True:
        page = await stores.catalogue.courses(where, limit=2, after=after, **options)
        slugs += [course["slug"] for course in page.courses]
        after = page.next
        if after is None:
            return slugs
        assert len(page.courses) == 2


async def test_pages_give_every_published_course_once_in_each_order(stores: MongoStores) -> None:
    programme = a_slug()
    titles = ["数据库", "Éclair", "apple", "Zebra", "操作系统", "apple", "banana"]
    instant = now()
    slugs = []
    for number, title in enumerate(titles):
        course = a_course(
            slug=f"{number}-{a_slug()}",
            title={"zh": title},
            language="zh",
            programme=programme,
            level="beginner" if number % 2 else "advanced",
            published_at=instant - timedelta(minutes=number // 2),  # pairs published at once
            views=number // 3,
        )
        slugs.append(course.slug)
        await stores.courses.add(course)
    await stores.courses.add(a_course(programme=programme))
    where = CourseFilter(programme=programme)

    assert await all_pages(stores, where, order=CourseOrder.NEWEST) == slugs
    popular = sorted(range(7), key=lambda n: (-(n // 3), slugs[n]))
    assert await all_pages(stores, where, order=CourseOrder.POPULAR) == [slugs[n] for n in popular]
    # English collation; then Chinese, where 操 (cao) comes before 数 (shu).
    by_title = await all_pages(stores, where, order=CourseOrder.TITLE, language="en-GB")
    assert by_title[:5] == [slugs[n] for n in (2, 5, 6, 1, 3)]
    chinese = await all_pages(stores, where, order=CourseOrder.TITLE, language="zh")
    assert chinese.index(slugs[4]) < chinese.index(slugs[0])
    assert sorted(chinese) == sorted(slugs)
    assert await all_pages(
        stores, CourseFilter(programme=programme, level="beginner"), order=CourseOrder.NEWEST
    ) == [slugs[n] for n in (1, 3, 5)]


async def test_every_order_reads_an_index(stores: MongoStores) -> None:
    """No page may sort in memory: that is what makes deep pages as cheap as the first."""
    for order in CourseOrder:
        await stores.database.command("profile", 2)
        try:
            await stores.catalogue.courses(CourseFilter(), order=order, limit=2)
        finally:
            await stores.database.command("profile", 0)
        profile = stores.database["system.profile"]
        entries = await profile.find(
            {"op": {"$in": ["query", "command"]}, "ns": f"{stores.database.name}.courses"}
        ).to_list()
        await profile.drop()
        assert len(entries) == 1, f"a page by {order} is one command"
        for entry in entries:
            assert entry["planSummary"].startswith("IXSCAN"), (order, entry["planSummary"])
            assert not entry.get("hasSortStage"), order


@pytest.mark.parametrize("language", ["zh", "en", "fr"])
async def test_a_page_by_title_joins_by_an_index(stores: MongoStores, language: str) -> None:
    """The collation of the titles holds for the joins, too: they need indexes that have it."""

    async def used(collection: str) -> int:
        stats = await stores.database[collection].aggregate([{"$indexStats": {}}])
        ops = {each["name"]: each["accesses"]["ops"] async for each in stats}
        return int(ops[f"slug_{language}"])

    slug = a_slug()
    await stores.universities.add(University(slug=slug, name={"en": "Named"}))
    await stores.courses.add(a_course(universities=[slug], published_at="2026-01-01T00:00:00Z"))
    where = CourseFilter(university=slug)
    before = await used("universities")
    page = await stores.catalogue.courses(
        where, order=CourseOrder.TITLE, limit=2, language=language
    )
    assert page.named.universities[slug]["name"] == {"en": "Named"}
    assert await used("universities") > before


async def test_a_broken_position_is_a_bad_cursor(stores: MongoStores) -> None:
    for order in CourseOrder:
        for position in ({}, {"published_at": "soon", "title": 1, "views": "x", "slug": "a"}):
            with pytest.raises(BadCursor):
                await stores.catalogue.courses(CourseFilter(), order=order, limit=2, after=position)


async def test_teachers_list_what_they_own_or_teach(stores: MongoStores) -> None:
    owner, profile = a_slug(), a_slug()
    instant = now()
    mine = a_course(owner=owner, created_at=instant)
    taught = a_course(instructors=[profile], created_at=instant - timedelta(minutes=1))
    await stores.courses.add(mine)
    await stores.courses.add(taught)
    await stores.courses.add(a_course())
    first = await stores.catalogue.taught(subject=owner, profiles=[profile], limit=1)
    assert [course["slug"] for course in first.courses] == [mine.slug]
    rest = await stores.catalogue.taught(
        subject=owner, profiles=[profile], limit=1, after=first.next
    )
    assert [course["slug"] for course in rest.courses] == [taught.slug]
    assert rest.next is None
