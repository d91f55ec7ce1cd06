"""What the response cache keeps, under which keys and in which forms."""

from __future__ import annotations

import gzip
import threading

import httpx
import pytest

from api.etags import etag
from api.provenance import SCOPE_KEY
from api.response_cache import ResponseCache
from api.response_cache_keys import Address, Addresses
from tests.api.response_cache.cached_origin import BODY, COURSE, PARAMETERS


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


@pytest.mark.parametrize(("times", "here"), [(1, True), (50, False)])
async def test_a_large_answer_is_packed_beside_the_event_loop(
    client, origin, monkeypatch, times, here
):
    compress, threads = gzip.compress, []

    def noted(content, **options):
        threads.append(threading.get_ident())
        return compress(content, **options)

    monkeypatch.setattr(gzip, "compress", noted)
    origin.body = BODY * times
    answer = await client.get(COURSE, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == origin.body
    assert [each == threading.get_ident() for each in threads] == [here]


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
