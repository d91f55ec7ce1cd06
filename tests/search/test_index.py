"""What the index finds, and that it is never wrong, whoever dies when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from academy.commands.reindex import reindex
from academy.errors import Conflict
from academy.mongo.search.follower import LEASE_SECONDS
from academy.mongo.stores import MongoStores
from academy.people import Instructor
from academy.search import words
from academy.search.entries import Kind
from academy.search.hits import MomentHit
from academy.search.query import parse
from academy.store_values import Changes
from tests.documents import a_course
from tests.search.searching import add_course, add_lecture, build, found, hits, name_of, say

PATIENCE = 60
"""Seconds until something hangs for sure."""


@pytest.fixture(scope="module", autouse=True)
async def built(stores: MongoStores) -> None:
    await build(stores)


@pytest.fixture
async def another(mongo_url: str, database_name: str) -> AsyncIterator[MongoStores]:
    """A process of its own, as far as MongoDB can tell."""
    opened = await MongoStores.open(mongo_url, database_name)
    yield opened
    await opened.close()


async def test_terms_are_made_beside_the_event_loop(
    stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def words_of(*given: Any, **named: Any) -> Iterator[words.Word]:
        threads.append(threading.get_ident())
        return words.words_of(*given, **named)

    monkeypatch.setattr("academy.search.entries.words_of", words_of)
    course = await add_course(stores, title={"en": "Curlews"})
    lecture = await add_lecture(stores, course)
    await say(stores, lecture, "zh", "杓鹬")
    await build(stores)
    assert threads
    assert threading.get_ident() not in threads


async def test_simplified_and_traditional_find_each_other(stores: MongoStores) -> None:
    simplified = await add_course(stores, title={"zh": "量子纠缠"})
    traditional = await add_course(stores, title={"zh-Hant": "量子糾纏"}, views=5)
    for query in ("量子纠缠", "量子糾纏", "纠缠", "糾"):
        assert await found(stores, query) == [traditional.slug, simplified.slug], query


async def test_chinese_is_found_while_it_is_being_typed(stores: MongoStores) -> None:
    course = await add_course(stores, title={"zh": "操作系统原理"})
    for query in ("操", "操作", "操作系", "操作系统", "操作系统原"):
        assert course.slug in await found(stores, query), query


async def test_a_part_of_a_compound_is_found_within_a_longer_one(stores: MongoStores) -> None:
    course = await add_course(stores, title={"zh": "大数据处理平台"})
    assert course.slug in await found(stores, "数据处理")


async def test_all_words_must_be_there(stores: MongoStores) -> None:
    both = await add_course(stores, title={"zh": "Spark 實時計算"}, description={"en": "otters"})
    await add_course(stores, title={"en": "Spark and otters"})
    assert await found(stores, "Spark 实时计算 otters") == [both.slug]


async def test_a_language_may_be_asked_for(stores: MongoStores) -> None:
    french = await add_course(stores, title={"fr": "Narval"}, language="fr")
    await add_course(stores, title={"en": "Narval"}, language="en")
    assert await found(stores, "narval", language="fr") == [french.slug]


async def test_what_is_not_published_is_not_found_even_if_the_index_has_it(
    stores: MongoStores,
) -> None:
    course = await add_course(stores, title={"en": "Dodos"})
    lecture = await add_lecture(stores, course, title={"en": "The dodo"})
    await say(stores, lecture, "en", "No dodo is left")
    assert len(await found(stores, "dodo")) == 3
    # From here on nothing tells the index.
    await stores.courses.change_lecture(lecture.id, Changes(lecture.revision, {"published": False}))
    assert await found(stores, "dodo") == [course.slug]
    await stores.courses.delete_lecture(lecture.id)
    assert await found(stores, "dodo") == [course.slug]
    await stores.courses.change(course.slug, Changes(course.revision, {"published_at": None}))
    assert await found(stores, "dodo") == []


async def test_replaced_captions_are_gone_at_once(stores: MongoStores) -> None:
    course = await add_course(stores, title={"en": "Zoology"})
    lecture = await add_lecture(stores, course)
    await say(stores, lecture, "en", "an aardvark", "another aardvark")
    assert len(await found(stores, "aardvark")) == 2
    await stores.search.index_captions(lecture.id, "en", [])
    assert await found(stores, "aardvark") == []


async def test_a_moment_knows_when_it_is_said(stores: MongoStores) -> None:
    course = await add_course(stores, title={"zh": "信息论"})
    lecture = await add_lecture(stores, course, title={"zh": "第一讲"})
    await say(stores, lecture, "zh", "大家好", "今天讲熵的定义")
    (moment,) = await hits(stores, "熵", kinds=[Kind.MOMENT])
    assert isinstance(moment, MomentHit)
    assert (moment.start, moment.end) == (5.0, 10.0)
    assert moment.lecture.id == lecture.id


async def test_pages_go_on_where_the_last_one_stopped_even_past_hits_that_vanished(
    stores: MongoStores,
) -> None:
    course = await add_course(stores, title={"en": "Ibises"})
    lectures = [await add_lecture(stores, course, title={"en": "Ibis"}) for _ in range(6)]
    whole = await found(stores, "ibis")
    assert len(whole) == 7
    for gone in lectures[:3]:
        await stores.courses.delete_lecture(gone.id)
    left = [name for name in whole if name not in {gone.id for gone in lectures[:3]}]
    seen: list[str] = []
    after = None
    while True:
        page = await stores.search.find(parse("ibis"), kinds=tuple(Kind), limit=1, after=after)
        seen += [name_of(hit) for hit in page.items]
        if page.next is None:
            break
        after = page.next
    assert seen == left


async def test_a_refresh_that_read_before_an_unpublication_cannot_write_after_it(
    stores: MongoStores,
) -> None:
    """Many at once, in any order: the last state of the catalogue is what stays in the index."""
    course = await add_course(stores, title={"en": "Quolls"})
    refresher = stores.search.refresher
    for turn in range(4):
        published = turn % 2 == 1
        now = await stores.courses.get(course.slug)
        early = [asyncio.create_task(refresher.refresh(courses=[course.slug])) for _ in range(2)]
        fields = {"published_at": now.created_at if published else None}
        await stores.courses.change(course.slug, Changes(now.revision, fields))
        await asyncio.gather(*early, refresher.refresh(courses=[course.slug]))
        generation = await stores.search.generations.serving()
        assert generation is not None
        entries = await generation.entries.count_documents({"_id": f"course:{course.slug}"})
        assert entries == int(published)


async def test_a_new_generation_replaces_the_old_one_while_it_serves(stores: MongoStores) -> None:
    course = await add_course(stores, title={"en": "Kakapos"})
    lecture = await add_lecture(stores, course, title={"en": "One kakapo"})
    await say(stores, lecture, "en", "a kakapo")
    expected = await found(stores, "kakapo")
    rebuild = stores.search.new_build()
    running = asyncio.create_task(rebuild.run())
    while not running.done():
        assert await found(stores, "kakapo") == expected
    built = await running
    assert built.replaced is not None
    assert await found(stores, "kakapo") == expected
    await rebuild.generations.drop_others()
    names = await stores.database.list_collection_names()
    assert {name for name in names if name.startswith(f"search{built.replaced}_")} == set()
    assert await found(stores, "kakapo") == expected


async def test_the_command_builds_anew_and_leaves_nothing_of_the_old_index(
    stores: MongoStores,
    mongo_url: str,
    database_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course = await add_course(stores, title={"en": "Gharials"})
    generation = await stores.search.generations.serving()
    assert generation is not None
    await generation.entries.delete_many({})
    monkeypatch.setenv("ACADEMY_MONGODB_URL", mongo_url)
    monkeypatch.setenv("ACADEMY_MONGODB_DATABASE", database_name)
    # Readers look at every search which generation serves, so the old one need not be kept for them.
    monkeypatch.setattr("academy.mongo.search.generations.KEPT_SECONDS", 0.0)
    monkeypatch.setattr("academy.mongo.search.rebuild.DROP_AFTER", 0.0)
    await asyncio.to_thread(reindex, data_dir=tmp_path)
    assert f"Generation {generation.number + 1} serves now" in capsys.readouterr().out
    assert await found(stores, "gharial") == [course.slug]
    names = await stores.database.list_collection_names()
    assert not [name for name in names if name.startswith(f"search{generation.number}_")]


async def test_what_changes_during_a_build_is_in_the_new_generation(stores: MongoStores) -> None:
    new = await stores.search.generations.begin()
    course = await add_course(stores, title={"en": "Tarsiers"})
    assert await found(stores, "tarsier") == [course.slug]
    await stores.search.generations.switch(new)
    assert await found(stores, "tarsier") == [course.slug]
    await build(stores)


async def test_a_refresh_elsewhere_may_write_into_a_build_before_its_collections_are_made(
    stores: MongoStores, another: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes: one has just taken a number, the other writes into every generation it knows."""
    course = await add_course(stores, title={"en": "Quaggas"})
    generations = stores.search.generations
    make = generations._create

    async def overtaken(number: int) -> None:
        await another.search.refresher.refresh(courses=[course.slug])
        await make(number)

    monkeypatch.setattr(generations, "_create", overtaken)
    new = await generations.begin()
    assert await new.entries.count_documents({"_id": f"course:{course.slug}"}) == 1
    await generations.give_up(new)


async def test_two_builds_at_once_are_refused_and_a_dead_one_is_taken_over(
    stores: MongoStores,
) -> None:
    dead = await stores.search.generations.begin()
    with pytest.raises(Conflict):
        await build(stores)
    state = stores.database.search_state
    await state.update_one({}, [{"$set": {"build_seen": {"$subtract": ["$$NOW", 3_600_000]}}}])
    await build(stores)
    with pytest.raises(Conflict):
        await stores.search.generations.switch(dead)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110 - the index tells nobody that it is current
            await asyncio.sleep(0.02)


async def test_what_changed_while_nobody_followed_is_caught_up_with(
    stores: MongoStores, another: MongoStores, mongo_url: str, database_name: str
) -> None:
    async def finds(query: str) -> bool:
        return await found(stores, query) != []

    first = await MongoStores.open(mongo_url, database_name)
    first.search.follow()
    await stores.courses.add(a_course(title={"en": "Okapis"}, published_at="2026-01-01T00:00:00Z"))
    await until(lambda: finds("okapi"))
    await first.close()
    await stores.courses.add(a_course(title={"en": "Fossas"}, published_at="2026-01-01T00:00:00Z"))
    assert not await finds("fossa")
    another.search.follow()
    await until(lambda: finds("fossa"))


async def test_who_follows_is_replaced_when_its_lease_runs_out(
    stores: MongoStores, another: MongoStores
) -> None:
    """Nobody hands over here, as after a kill; only the lease's end is made to come sooner."""
    state = stores.database.search_state
    ahead = int(LEASE_SECONDS * 1000)
    await state.update_one(
        {"_id": "follower"},
        [{"$set": {"owner": "dead", "until": {"$add": ["$$NOW", ahead]}}}],
    )
    another.search.follow()
    course = a_course(title={"en": "Numbats"}, published_at="2026-01-01T00:00:00Z")
    await stores.courses.add(course)
    assert await found(stores, "numbat") == []
    await state.update_one({"_id": "follower"}, [{"$set": {"until": "$$NOW"}}])

    async def finds() -> bool:
        return await found(stores, "numbat") == [course.slug]

    await until(finds)


async def test_a_lost_place_in_the_stream_means_a_new_build(
    stores: MongoStores, another: MongoStores
) -> None:
    course = a_course(title={"en": "Axolotls"}, published_at="2026-01-01T00:00:00Z")
    await stores.courses.add(course)
    # A token from a time that the oplog does not reach.
    token = {"_data": "8200000001000000012B0229296E04"}
    await stores.database.search_state.update_one({"_id": "follower"}, {"$set": {"token": token}})
    another.search.follow()

    async def finds() -> bool:
        return await found(stores, "axolotl") == [course.slug]

    await until(finds)


async def test_a_lecture_is_found_by_who_teaches_its_course_also_after_they_were_renamed(
    stores: MongoStores, another: MongoStores
) -> None:
    person = Instructor(slug="tanaka", name={"en": "Ms Tanaka"})
    await stores.instructors.add(person)
    course = await add_course(stores, title={"en": "Tides"}, instructors=["tanaka"])
    lecture = await add_lecture(stores, course, title={"en": "The moon"})
    own = await add_lecture(stores, course, title={"en": "The sun"}, instructors=["other"])
    assert await found(stores, "tanaka") == [course.slug, lecture.id]
    another.search.follow()
    changes = Changes(person.revision, {"name": {"en": "Ms Okonkwo"}})
    await stores.instructors.change("tanaka", changes)

    async def finds() -> bool:
        return await found(stores, "okonkwo") == [course.slug, lecture.id]

    await until(finds)
    assert own.id not in await found(stores, "okonkwo")
    assert await found(stores, "tanaka") == []


async def test_popularity_follows_the_views(stores: MongoStores, another: MongoStores) -> None:
    one = await add_course(stores, title={"en": "Cassowary one"}, views=5)
    two = await add_course(stores, title={"en": "Cassowary two"}, views=1)
    another.search.follow()
    assert await found(stores, "cassowary") == [one.slug, two.slug]
    await stores.database.courses.update_one({"_id": two.slug}, {"$inc": {"views": 10}})

    async def turned() -> bool:
        return await found(stores, "cassowary") == [two.slug, one.slug]

    await until(turned)
