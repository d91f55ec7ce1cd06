"""How often a client may ask, and how it is told."""

from __future__ import annotations

import re

import httpx
import pytest

from academy.errors import SettingsError, Unavailable
from academy.people import Role
from academy.settings import Settings
from academy.tokens import issue
from api.app import create_app
from api.rate_limit_stores import SharedWindows, WindowMemory
from api.server import Server
from tests.fixtures_api import BASE

LIMITS = {"rate_limit_reads": "3/minute", "rate_limit_writes": "2/minute"}


def at(app, address="192.0.2.1", **headers):
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)


@pytest.fixture
async def limited(api_settings):
    """An application of its own with small limits, counting in memory."""
    made = create_app(api_settings.model_copy(update=LIMITS))
    async with made.router.lifespan_context(made):
        yield made


def token_of(app, subject, role=Role.ADMIN):
    backend = app.state.services.backend
    return {"Authorization": f"Bearer {issue(backend.keys, role, subject, 3600)}"}


async def statuses(client, count, path="/v1/nothing"):
    return [(await client.get(path)).status_code for _ in range(count)]


async def test_a_client_learns_its_limit_and_when_to_come_back(limited):
    async with at(limited, **token_of(limited, "a")) as client:
        first = await client.get("/v1/universities")
        assert first.headers["ratelimit-policy"] == '"reads";q=3;w=60'
        assert re.fullmatch(r'"reads";r=2;t=\d+', first.headers["ratelimit"])
        assert await statuses(client, 2, "/v1/universities") == [200, 200]
        refused = await client.get("/v1/universities")
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:academy:problem:too_many_requests"
    assert "More than 3 reads" in refused.json()["detail"]
    seconds = int(refused.headers["retry-after"])
    assert 1 <= seconds <= 60
    assert refused.headers["ratelimit"] == f'"reads";r=0;t={seconds}'


async def test_accounts_and_addresses_count_by_themselves(limited):
    async with at(limited, **token_of(limited, "one")) as client:
        assert await statuses(client, 4) == [404, 404, 404, 429]
    async with at(limited, **token_of(limited, "two")) as client:
        assert await statuses(client, 1) == [404]
    async with at(limited, "192.0.2.7") as client:
        assert await statuses(client, 4) == [404, 404, 404, 429]
    async with at(limited, "192.0.2.8") as client:
        assert await statuses(client, 1) == [404]


async def test_an_account_is_one_client_whatever_its_token_and_address(limited):
    async with at(limited, "192.0.2.20", **token_of(limited, "moving")) as client:
        assert await statuses(client, 3) == [404] * 3
    async with at(limited, "192.0.2.21", **token_of(limited, "moving", Role.LEARNER)) as client:
        assert await statuses(client, 1) == [429]


async def test_invented_tokens_are_no_way_around_an_addresss_limit(limited):
    for number in range(4):
        async with at(limited, "192.0.2.9", Authorization=f"Bearer invented{number}") as client:
            answer = await client.get("/v1/courses")
            assert answer.status_code == (429 if number == 3 else 401)


async def test_one_ipv6_network_is_one_client(limited):
    for number in range(4):
        async with at(limited, f"2001:db8:1:2::{number}") as client:
            assert await statuses(client, 1) == [429 if number == 3 else 404]


async def test_writes_have_their_own_limit(limited):
    async with at(limited, **token_of(limited, "writer")) as client:
        answers = [await client.post("/v1/universities", json={}) for _ in range(3)]
        assert [each.status_code for each in answers] == [422, 422, 429]
        assert answers[0].headers["ratelimit-policy"] == '"writes";q=2;w=60'
        assert await statuses(client, 1) == [404]


async def test_media_pages_and_health_are_not_counted(limited):
    async with at(limited, "192.0.2.30") as client:
        for path in ("/health/live", "/v1/media/none/main.m3u8", "/v1/storage/objects/x", "/"):
            answers = [await client.get(path) for _ in range(5)]
            assert {each.status_code for each in answers} <= {200, 403, 404}
            assert "ratelimit" not in answers[0].headers
        preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        for _ in range(5):
            assert (await client.options("/v1/courses", headers=preflight)).status_code != 429


async def test_several_processes_count_together_in_the_shared_store(api_settings):
    settings = api_settings.model_copy(update=LIMITS | {"rate_limit_store": "mongodb"})
    one, two = create_app(settings), create_app(settings)
    async with one.router.lifespan_context(one), two.router.lifespan_context(two):
        async with at(one, "192.0.2.40") as client:
            assert await statuses(client, 2) == [404, 404]
        async with at(two, "192.0.2.40") as client:
            assert await statuses(client, 2) == [404, 429]


async def test_a_window_of_the_shared_store_ends_by_the_databases_clock(stores):
    counter = stores.rate_limits
    assert (await counter.count("k", window=60))[0] == 1
    count, ends = await counter.count("k", window=60)
    assert count == 2
    await stores.database.rate_limits.update_one(
        {"_id": "k"}, [{"$set": {"ends_at": {"$subtract": ["$$NOW", 1]}}}]
    )
    again, later = await counter.count("k", window=60)
    assert again == 1
    assert later > ends


async def test_while_the_shared_store_is_away_each_process_counts_alone():
    class Away:
        async def count(self, key, *, window, amount=1):
            raise Unavailable

    windows = SharedWindows(Away())
    assert [await windows.incr("k", 60) for _ in range(2)] == [1, 2]


async def test_memory_is_bounded():
    windows = WindowMemory(most=2)
    for key in "abc":
        await windows.incr(key, 60)
    assert [await windows.get(key) for key in "abc"] == [0, 1, 1]
    assert await windows.reset() == 2


@pytest.mark.parametrize("limit", ["many", "10", "10/fortnight"])
def test_a_limit_that_cannot_be_read_is_a_wrong_setting(limit):
    with pytest.raises(SettingsError, match="ACADEMY_RATE_LIMIT_READS: must be like"):
        Settings.load(rate_limit_reads=limit)


@pytest.mark.parametrize(("trusted", "told"), [("127.0.0.1", True), ("10.0.0.1", False)])
async def test_an_address_behind_a_proxy_counts_if_the_proxy_is_trusted(
    api_settings, trusted, told
):
    """uvicorn reads `X-Forwarded-For`: asked here as the server configures it."""
    made = create_app(api_settings.model_copy(update=LIMITS | {"trusted_proxies": trusted}))
    server = Server(made, "127.0.0.1", 0)
    server.config.load()
    async with made.router.lifespan_context(made):
        for number in range(4):
            transport = httpx.ASGITransport(app=server.config.loaded_app, client=("127.0.0.1", 1))
            forwarded = {"X-Forwarded-For": f"198.51.100.{number}"}
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                answer = await client.get("/v1/nothing", headers=forwarded)
            assert answer.status_code == (404 if told or number < 3 else 429)
