"""Opening the stores, and what they say and do while MongoDB is wrong, away, or killed."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from academy.embedded import EmbeddedMongo, find_mongod
from academy.errors import SettingsError, Unavailable
from academy.jobs import JobState
from academy.mongo.journal import MongoJournal
from academy.mongo.stores import MongoStores
from tests.documents import a_lecture_in, a_receipt, a_recording_of

pytestmark = pytest.mark.real

NOBODY = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"


async def test_opening_twice_is_the_same_database(
    mongo_url: str, database_name: str, stores: MongoStores
) -> None:
    lecture = await a_lecture_in(stores)
    again = await MongoStores.open(mongo_url, database_name)
    assert await again.courses.lecture(lecture.id) == lecture
    await again.ping()
    await again.close()


# PyMongo leaves a socket to the garbage collector when its client is closed while it connects.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"start it, or correct ACADEMY_MONGODB_URL"):
        await MongoStores.open(NOBODY, "x")
    gc.collect()
    journal = MongoJournal(NOBODY, "x", media_id="m", job_id="j", token="t")
    for ask in (journal.held, journal.receipts, lambda: journal.record([a_receipt(0)])):
        with pytest.raises(Unavailable, match="does not answer"):
            await asyncio.to_thread(ask)


@pytest.mark.parametrize("url", ["mongodb://host:port", "mongodb://", "mongodb://a:b:c@h"])
async def test_a_malformed_url_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="ACADEMY_MONGODB_URL"):
        await MongoStores.open(url, "x")
    with pytest.raises(SettingsError, match="ACADEMY_MONGODB_URL"):
        MongoJournal(url, "x", media_id="m", job_id="j", token="t")


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[str]:
    """A mongod that is no replica set."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(find_mongod()), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    command += ["--dbpath", str(tmp_path), "--logpath", str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=30000"
        process.kill()


@pytest.mark.slow
async def test_a_server_without_replica_set_is_a_wrong_setting(standalone: str) -> None:
    with pytest.raises(SettingsError, match=r"not a replica set.*rs\.initiate"):
        await MongoStores.open(standalone, "x")


@pytest.fixture(scope="module")
def own_mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One that tests may kill."""
    data_dir = tmp_path_factory.mktemp("own")
    with EmbeddedMongo(data_dir) as mongo:
        yield mongo.url, data_dir


async def test_wrong_credentials_are_a_wrong_setting(own_mongo: tuple[str, Path]) -> None:
    url = own_mongo[0]
    password = url.partition("@")[0].rpartition(":")[2]
    with pytest.raises(SettingsError, match="refuses the user or password"):
        await MongoStores.open(url.replace(password, "wrong"), "x")


async def test_waiters_outlive_a_killed_mongod(own_mongo: tuple[str, Path]) -> None:
    url, data_dir = own_mongo
    stores = await MongoStores.open(url, "outlive")
    recording = await a_recording_of(stores, await a_lecture_in(stores))
    async with (
        aclosing(stores.jobs.follow(recording.id)) as followed,
        aclosing(stores.jobs.changes()) as changes,
    ):
        assert (await anext(followed)).state is JobState.QUEUED
        await anext(changes)
        mongod = int((data_dir / "mongodb" / "lock").read_text().split()[1])
        os.kill(mongod, signal.SIGKILL)
        while True:  # the guardian starts it again
            try:
                await stores.jobs.cancel(recording.id)
            except Unavailable:
                continue
            break
        assert (await anext(followed)).state is JobState.CANCELLED
        await anext(changes)
    await stores.close()
