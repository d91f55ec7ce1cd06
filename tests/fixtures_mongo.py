"""A real MongoDB for the whole session, and a fresh database for each test module.

`ACADEMY_MONGODB_URL` points the tests at another server (a replica set).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from academy.embedded import EmbeddedMongo
from academy.mongo.client import close_worker_clients
from academy.mongo.stores import MongoStores


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    elsewhere = os.environ.get("ACADEMY_MONGODB_URL")
    if elsewhere:
        yield elsewhere
        close_worker_clients()
        return
    with (
        tempfile.TemporaryDirectory(prefix="academy-mongo-", ignore_cleanup_errors=True) as folder,
        EmbeddedMongo(Path(folder)) as mongo,
    ):
        yield mongo.url
        close_worker_clients()


@pytest.fixture(scope="module")
def database_name(mongo_url: str) -> Iterator[str]:
    """Dropped afterwards."""
    name = f"academy_test_{secrets.token_hex(6)}"
    yield name
    with MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture(scope="module")
async def stores(mongo_url: str, database_name: str) -> AsyncIterator[MongoStores]:
    opened = await MongoStores.open(mongo_url, database_name)
    yield opened
    await opened.close()


@dataclass(frozen=True, slots=True)
class Synchronous:
    """Stores for tests that Hypothesis drives, which are synchronous: `run` awaits one coroutine."""

    stores: MongoStores
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    url: str


@pytest.fixture(scope="module")
def synchronous(mongo_url: str, database_name: str) -> Iterator[Synchronous]:
    # With a loop factory the runner leaves the session's own event loop in place.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        opened = runner.run(MongoStores.open(mongo_url, database_name))
        yield Synchronous(opened, runner.run, mongo_url)
        runner.run(opened.close())
