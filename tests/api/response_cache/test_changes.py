"""What is kept, and what is being made, when changes are told or nothing is heard of them."""

from __future__ import annotations

import asyncio
import itertools

import httpx
import pytest

from academy.mongo.changes import AWAIT_MILLISECONDS
from api import response_cache
from api.provenance import SCOPE_KEY
from api.response_cache import ResponseCache
from api.response_cache_keys import Address, Addresses
from tests.api.response_cache.cached_origin import BODY, COURSE, PARAMETERS


@pytest.mark.parametrize("marks", [["courses/a"], ["courses", "courses/a"]])
async def test_a_change_evicts_what_was_made_from_it(client, cache, origin, marks):
    await client.get(COURSE)
    cache.changed(["courses/b", "lectures"])
    await client.get(COURSE)
    assert origin.fills == 1
    origin.body = b'"new"'
    cache.changed(marks)
    assert (await client.get(COURSE)).content == b'"new"'


async def test_a_fill_that_a_change_overtook_is_not_kept(client, cache, origin):
    origin.gate.clear()
    before = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    cache.changed(["courses/a"])  # written after the fill had read
    origin.reading.clear()
    origin.body = b'"new"'
    after = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()  # it began a fill of its own: it does not join the one overtaken
    origin.gate.set()
    assert (await before).content == BODY
    assert (await after).content == b'"new"'
    assert (await client.get(COURSE)).content == b'"new"'
    assert origin.fills == 2


async def test_a_fill_that_others_overtook_is_kept(client, cache, origin):
    origin.gate.clear()
    asking = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    cache.changed(["courses/b"])
    origin.gate.set()
    await asking
    await client.get(COURSE)
    assert origin.fills == 1


@pytest.mark.parametrize("event", ["lost", "opened", "forget"])
async def test_a_stream_that_was_lost_or_is_new_has_everything_forgotten(
    client, cache, origin, event
):
    await client.get(COURSE)
    origin.gate.clear()
    origin.reading.clear()
    asking = asyncio.create_task(client.get("/v1/courses"))
    await origin.reading.wait()
    getattr(cache, event)()
    origin.gate.set()
    await asking
    assert len(cache.entries) == 0
    await client.get(COURSE)
    await client.get("/v1/courses")
    assert origin.fills == 4


def test_nothing_stale_is_believed_for_a_second():
    """And a stream that is well is heard of often enough to be believed all the time."""
    assert max(response_cache.TRUST, response_cache.UNWATCHED) < 1
    assert 3 * AWAIT_MILLISECONDS / 1000 < response_cache.TRUST


async def test_a_silent_stream_is_not_trusted(client, cache, origin, clock):
    await client.get(COURSE)
    clock.now += response_cache.TRUST - 0.01
    await client.get(COURSE)
    assert origin.fills == 1
    clock.now += 0.02  # now it may be that changes are not told
    await client.get(COURSE)
    assert origin.fills == 2
    clock.now += response_cache.UNWATCHED - 0.01
    await client.get(COURSE)
    assert origin.fills == 2
    clock.now += 0.02
    await client.get(COURSE)
    assert origin.fills == 3
    cache.heard()  # something was told at last, but what was missed may still be on its way
    await client.get(COURSE)
    assert origin.fills == 4


async def test_while_there_is_no_stream_answers_live_shortly(client, cache, origin, clock):
    cache.lost()
    for expected in (1, 1):
        await client.get(COURSE)
        assert origin.fills == expected
    clock.now += response_cache.UNWATCHED
    await client.get(COURSE)
    assert origin.fills == 2


async def test_a_fill_is_not_joined_for_long_while_there_is_no_stream(client, cache, origin, clock):
    cache.lost()
    origin.gate.clear()
    first = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    clock.now += response_cache.UNWATCHED
    origin.body = b'"new"'
    origin.reading.clear()
    second = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    origin.gate.set()
    assert [(await first).content, (await second).content] == [BODY, b'"new"']


async def test_nothing_lives_longer_than_its_life(client, cache, origin, clock):
    await client.get(COURSE)
    for _ in itertools.repeat(None, 200):
        clock.now += response_cache.LIFE / 100
        cache.heard()
    await client.get(COURSE)
    assert origin.fills == 2


async def test_an_answer_ends_when_its_route_said_it_does(
    client, cache, origin, clock, monkeypatch
):
    monkeypatch.setattr("time.time", lambda: 5000.0)
    origin.until = 5003.0
    await client.get(COURSE)
    for step, fills in ((2.9, 1), (0.2, 2)):
        clock.now += step
        cache._trusted_until = clock.now + 1
        await client.get(COURSE)
        assert origin.fills == fills


async def test_without_a_stream_ever_everything_is_passed_on(origin, clock):
    cache = ResponseCache(origin, Addresses((Address("/v1/courses/{slug}", PARAMETERS),)))
    transport = httpx.ASGITransport(app=cache)
    async with httpx.AsyncClient(transport=transport, base_url="http://academy.test") as client:
        await client.get(COURSE)
        await client.get(COURSE)
    assert origin.fills == 2
    assert SCOPE_KEY not in origin.asked[0]


async def test_closing_waits_for_the_fills_under_way(client, cache, origin):
    origin.gate.clear()
    asking = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    closing = asyncio.create_task(cache.close())
    await asyncio.sleep(0)
    assert not closing.done()
    origin.gate.set()
    await closing
    assert (await asking).status_code == 200
