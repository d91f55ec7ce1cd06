"""A cache in front of an application that is at hand, and somebody who asks it."""

from __future__ import annotations

import httpx
import pytest

from tests.api.response_cache.cached_origin import Clock, Origin, cache_of
from tests.api.response_cache.listening import listening


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def origin():
    return Origin()


@pytest.fixture
def cache(origin, clock):
    return cache_of(origin, clock)


@pytest.fixture(params=["as an application", "by our server"])
async def client(request, cache):
    """Both ways to what is kept: ASGI messages, and whole answers."""
    plain = {"Accept-Encoding": "identity"}
    if request.param == "as an application":
        transport = httpx.ASGITransport(app=cache)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://academy.test", headers=plain
        ) as made:
            yield made
        return
    async with (
        listening(cache) as (host, port),
        httpx.AsyncClient(
            base_url=f"http://{host}:{port}", headers=plain, trust_env=False, timeout=60
        ) as made,
    ):
        yield made
