"""Answers being made: one at a time for each key, whoever waits for it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.api.response_cache.cached_origin import COURSE


async def test_one_fill_serves_all_who_wait(client, origin):
    origin.gate.clear()
    waiting = [asyncio.create_task(client.get(COURSE)) for _ in range(10)]
    await origin.reading.wait()
    origin.gate.set()
    answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {200}
    assert origin.fills == 1


@pytest.mark.parametrize(
    ("client", "fills"),
    [
        pytest.param("by our server", 1, id="it goes on"),
        pytest.param("as an application", 2, id="cancelled: those who wait begin anew"),
    ],
    indirect=["client"],
)
async def test_a_client_that_leaves_fails_nobody_who_waits(client, origin, fills):
    origin.gate.clear()
    leaving = asyncio.create_task(client.get(COURSE))
    await origin.reading.wait()
    staying = [asyncio.create_task(client.get(COURSE)) for _ in range(3)]
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    origin.gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*staying)] == [200] * 3
    assert (await client.get(COURSE)).status_code == 200
    assert origin.fills == fills


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
