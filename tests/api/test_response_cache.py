"""The response cache in front of an application that can be held, counted and overtaken."""

from __future__ import annotations

import asyncio
import gzip
import itertools

import httpx
import pytest
from starlette.responses import Response

from api import response_cache
from api.etags import etag
from api.provenance import SCOPE_KEY
from api.response_cache import ResponseCache
from api.response_cache_keys import Address, Addresses

PARAMETERS = frozenset({"limit", "lang"})
BODY = b'{"title": "Cloud"}' * 100


class Origin:
    """An application of one route. `gate` holds its answers, `reading` tells that one has begun."""

    def __init__(self):
        self.fills = 0
        self.status = 200
        self.body = BODY
        self.marks = {"courses/a"}
        self.until = None
        self.asked = []
        self.headers = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.reading = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.fills += 1
        self.asked.append(scope)
        self.reading.set()
        status, body = self.status, self.body
        await self.gate.wait()
        if SCOPE_KEY in scope:
            scope[SCOPE_KEY].add(self.marks, self.until)
        headers = {"ETag": etag(1, body), "Vary": "Authorization", **self.headers}
        await Response(body, status, headers, "application/json")(scope, receive, send)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def origin():
    return Origin()


@pytest.fixture
def cache(origin, clock):
    addresses = Addresses(
        (Address("/v1/courses", PARAMETERS), Address("/v1/courses/{slug}", PARAMETERS)),
        frozenset({"https://front.test"}),
    )
    made = ResponseCache(origin, addresses, clock=clock)
    made.opened()
    return made


@pytest.fixture
async def client(cache):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=cache),
        base_url="http://academy.test",
        headers={"Accept-Encoding": "identity"},
    ) as made:
        yield made


COURSE = "/v1/courses/a"


async def test_the_second_reader_is_answered_without_the_application(client, origin):
    first, second = await client.get(COURSE), await client.get(COURSE)
    assert (first.content, first.headers) == (second.content, second.headers)
    assert (second.status_code, second.content, origin.fills) == (200, BODY, 1)


@pytest.mark.parametrize("header", [{"Authorization": "Bearer x"}, {"Cookie": "a=b"}])
async def test_credentials_never_touch_it(client, origin, header):
    await client.get(COURSE)
    for _ in range(2):
        assert (await client.get(COURSE, headers=header)).status_code == 200
    assert origin.fills == 3
    assert all(SCOPE_KEY not in scope for scope in origin.asked[1:])
    await client.get(COURSE)
    assert origin.fills == 3  # and what was kept is still there


async def test_an_answer_that_names_nothing_it_was_made_from_is_not_kept(client, origin):
    origin.marks = set()
    await client.get(COURSE)
    await client.get(COURSE)
    assert origin.fills == 2


@pytest.mark.parametrize("status", [404, 422, 500, 503])
async def test_problems_are_not_kept(client, origin, status):
    origin.status = status
    for _ in range(2):
        assert (await client.get(COURSE)).status_code == status
    assert origin.fills == 2


async def test_an_answer_that_sets_a_cookie_is_not_kept(client, origin):
    origin.headers = {"Set-Cookie": "a=b"}
    await client.get(COURSE)
    await client.get(COURSE)
    assert origin.fills == 2


async def test_limits_of_one_client_are_not_told_to_others(client, origin):
    origin.headers = {"RateLimit": '"reads";r=1;t=60'}
    assert "ratelimit" not in (await client.get(COURSE)).headers


async def test_spelling_makes_no_second_entry(client, origin):
    alike = ["?limit=5&lang=en", "?lang=en&limit=5", "?limit=9&limit=5&lang=en&utm_source=x"]
    for query in alike:
        assert (await client.get(f"/v1/courses{query}")).status_code == 200
    assert origin.fills == 1
    assert origin.asked[0]["query_string"] == b"lang=en&limit=5"
    for accept in ("zh-CN,zh;q=0.9,en;q=0.8", "zh-cn, en;q=0.5, en-GB;q=0.3", "en;q=0.1,ZH-CN"):
        await client.get("/v1/courses", headers={"Accept-Language": accept})
    assert origin.fills == 2
    await client.get("/v1/courses", headers={"Accept-Language": "en"})
    assert origin.fills == 3
    for accept in ("fr", "en"):
        await client.get("/v1/courses?lang=zh", headers={"Accept-Language": accept})
    assert origin.fills == 4


async def test_only_origins_that_are_let_in_have_entries_of_their_own(client, origin):
    for name in (None, "https://a.test", "https://b.test", "https://front.test"):
        answer = await client.get(COURSE, headers={"Origin": name} if name else {})
        assert "Origin" in answer.headers["vary"]
    assert origin.fills == 2
    assert (b"origin", b"https://front.test") in origin.asked[1]["headers"]


async def test_long_questions_are_answered_and_not_kept(client, cache, origin):
    for _ in range(2):
        assert (await client.get("/v1/courses", params={"lang": "x" * 1200})).status_code == 200
    assert origin.fills == 2
    assert len(cache.entries) == 0
    await client.get("/v1/courses", params={"unknown": "x" * 1200})
    assert len(cache.entries) == 1  # what the route does not know is not in the key


async def test_what_is_kept_stays_within_its_bytes(origin, clock):
    addresses = Addresses((Address("/v1/courses/{slug}", PARAMETERS),))
    cache = ResponseCache(origin, addresses, most=60_000, clock=clock)
    cache.opened()
    transport = httpx.ASGITransport(app=cache)
    async with httpx.AsyncClient(transport=transport, base_url="http://academy.test") as client:
        for number in range(100):
            await client.get(f"/v1/courses/{number}")
            await client.get("/v1/courses/0")  # asked for again and again: stays
            assert cache.entries.bytes <= 60_000
        fills = origin.fills
        await client.get("/v1/courses/0")
        assert origin.fills == fills
        await client.get("/v1/courses/1")
        assert origin.fills == fills + 1
    cache.forget()
    assert cache.entries.bytes == 0


async def test_forms_have_tags_of_their_own(client, origin):
    plain = await client.get(COURSE)
    packed = await client.get(COURSE, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert origin.fills == 1
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content == BODY  # the client unpacks
    assert int(packed.headers["content-length"]) < len(BODY) / 5
    assert "Accept-Encoding" in plain.headers["vary"]
    assert packed.headers["etag"] == plain.headers["etag"].removesuffix('"') + '-gzip"'
    refused = await client.get(COURSE, headers={"Accept-Encoding": "gzip;q=0, *;q=1"})
    assert "content-encoding" not in refused.headers


async def test_a_small_answer_is_not_packed(client, origin):
    origin.body = b"{}"
    answer = await client.get(COURSE, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.headers["etag"] == etag(1, b"{}")


async def test_a_large_answer_is_packed_elsewhere(client, origin):
    origin.body = BODY * 50
    answer = await client.get(COURSE, headers={"Accept-Encoding": "gzip"})
    assert answer.content == origin.body
    assert gzip.compress(origin.body, mtime=0)[:10] == gzip.compress(BODY, mtime=0)[:10]


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_what_a_reader_has_is_not_sent_again(client, origin, coding):
    accept = {"Accept-Encoding": coding}
    answer = await client.get(COURSE, headers=accept)
    tag = answer.headers["etag"]
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await client.get(COURSE, headers={**accept, "If-None-Match": header})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["vary"] == answer.headers["vary"]
        assert not {"content-length", "content-type"} & set(again.headers)
    other = await client.get(COURSE, headers={**accept, "If-None-Match": '"1.other", nonsense'})
    assert other.status_code == 200
    assert origin.fills == 1


async def test_a_first_reader_may_have_it_already(client, origin):
    answer = await client.get(COURSE, headers={"If-None-Match": etag(1, BODY)})
    assert (answer.status_code, origin.fills) == (304, 1)


async def test_head_says_what_get_says(client, origin):
    head, answer = await client.head(COURSE), await client.get(COURSE)
    assert head.content == b""
    assert head.headers == answer.headers
    assert origin.fills == 1


async def test_one_fill_serves_all_who_wait(client, origin):
    origin.gate.clear()
    waiting = [asyncio.create_task(client.get(COURSE)) for _ in range(10)]
    await origin.reading.wait()
    origin.gate.set()
    answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {200}
    assert origin.fills == 1


async def test_a_client_that_leaves_does_not_end_the_fill(client, origin):
    origin.gate.clear()
    leaving = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    staying = asyncio.create_task(client.get(COURSE))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    origin.gate.set()
    assert (await staying).status_code == 200
    assert (await client.get(COURSE)).status_code == 200
    assert origin.fills == 1


async def test_a_refusal_of_one_client_is_not_given_to_another(client, origin):
    origin.gate.clear()
    origin.status = 429
    first = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    second = asyncio.create_task(client.get(COURSE))
    await asyncio.sleep(0)
    origin.status = 200
    origin.gate.set()
    assert [(await first).status_code, (await second).status_code] == [429, 200]


async def test_a_failing_application_fails_for_all_who_wait_and_is_asked_again(cache, origin):
    async def broken(scope, receive, send):
        await origin.gate.wait()
        raise RuntimeError("broken")

    cache._app = broken
    origin.gate.clear()
    transport = httpx.ASGITransport(app=cache, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://academy.test") as client:
        asking = [asyncio.create_task(client.get(COURSE)) for _ in range(2)]
        await asyncio.sleep(0)
        origin.gate.set()
        for each in asking:
            with pytest.raises(RuntimeError):
                await each
        cache._app = origin
        assert (await client.get(COURSE)).status_code == 200


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
