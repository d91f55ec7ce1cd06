"""Rate limits where several processes serve: real ones, over one database."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack

import pytest

from tests.api.serving import serving

pytestmark = pytest.mark.slow


LIMITS = {"ACADEMY_RATE_LIMIT_STORE": "mongodb", "ACADEMY_RATE_LIMIT_READS": "10/hour"}


async def test_one_client_of_two_processes_has_one_limit(api_settings, tmp_path):
    async with AsyncExitStack() as stack:
        clients = []
        for name in ("one", "two"):
            served = serving(api_settings, tmp_path / name, **LIMITS)
            clients.append((await stack.enter_async_context(served))[1])
        for number in range(6):
            answer = await clients[number % 2].get("/v1/nothing")
            assert answer.status_code == 404
            assert answer.headers["ratelimit-policy"] == '"reads";q=10;w=3600'
            assert re.fullmatch(rf'"reads";r={9 - number};t=\d+', answer.headers["ratelimit"])
        # And at the same time: what is left is given once, whoever asks where.
        asked = [each.get("/v1/nothing") for each in clients * 6]
        statuses = [answer.status_code for answer in await asyncio.gather(*asked)]
        assert (statuses.count(404), statuses.count(429)) == (4, 8)
        for each in clients:
            refused = await each.get("/v1/nothing")
            seconds = int(refused.headers["retry-after"])
            assert refused.status_code == 429
            assert refused.headers["ratelimit"] == f'"reads";r=0;t={seconds}'
            assert refused.headers["ratelimit-policy"] == '"reads";q=10;w=3600'
            assert 0 < seconds <= 3600
