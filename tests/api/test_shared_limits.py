"""Rate limits where several processes serve: real ones, over one database."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from tests.api.test_server import free_port, start

pytestmark = pytest.mark.slow


@asynccontextmanager
async def serving(settings, folder):
    port = free_port()
    process = await start(
        port,
        ACADEMY_MONGODB_URL=settings.mongodb_url,
        ACADEMY_MONGODB_DATABASE=settings.mongodb_database,
        ACADEMY_STORAGE_URL=settings.storage_url,
        ACADEMY_SECRET_KEY=settings.secret_key,
        ACADEMY_DATA_DIR=str(folder),
        ACADEMY_RATE_LIMIT_STORE="mongodb",
        ACADEMY_RATE_LIMIT_READS="10/hour",
    )
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        try:
            while process.returncode is None:
                try:
                    await client.get("/health/live")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
            yield client
        finally:
            process.kill()
            await process.communicate()


async def test_one_client_of_two_processes_has_one_limit(api_settings, tmp_path):
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(serving(api_settings, tmp_path / name))
            for name in ("one", "two")
        ]
        clients = [one, two]
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
