"""`academy retranscode` stopped in the middle, by Ctrl-C and by a kill, and given again: real processes, a slow database."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from academy.jobs import Failure, Job, JobState
from academy.mongo.stores import MongoStores
from tests.documents import PUBLICATION, a_claim_of, a_lecture_in, media_for
from tests.soak.proxy import Proxy

pytestmark = pytest.mark.timeout(180)

LECTURES = 18
CAMPAIGN = "again"
COMMAND = [
    *(sys.executable, "-m", "academy.cli", "retranscode", "--all", "--profile", "fast"),
    *("--campaign", CAMPAIGN),
]


@pytest.fixture
def slow_line(mongo_url: str) -> Iterator[tuple[Proxy, str]]:
    """Between the command and the database, so that it can be met half-way; and the address behind it."""
    found = re.search(r"@?([\w.-]+):(\d+)/", mongo_url)
    assert found is not None
    port = int(found[2])
    with Proxy(lambda: port) as proxy:
        address = mongo_url.replace(f"{found[1]}:{found[2]}/", f"127.0.0.1:{proxy.port}/")
        yield proxy, address


@pytest.fixture
async def catalogue(stores: MongoStores) -> list[Job]:
    """The jobs whose media are played."""
    return [await worked_off(stores, None) for _ in range(LECTURES)]


async def worked_off(stores: MongoStores, job: Job | None) -> Job:
    job = job or await a_claim_of(stores, await a_lecture_in(stores))
    await stores.jobs.freeze(job, media_for(job))
    assert await stores.jobs.succeed(job, PUBLICATION)
    return job


async def until(condition: Callable[[int], bool], stores: MongoStores) -> None:
    """Of how many jobs the campaign has."""
    async with asyncio.timeout(60):
        while True:
            if condition(await queued_in(stores)):
                return
            await asyncio.sleep(0.01)


async def queued_in(stores: MongoStores) -> int:
    """Jobs of the campaign, whatever became of them."""
    return sum((await stores.operating.campaign(CAMPAIGN)).values())


class Command:
    """One run of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ended(self) -> tuple[int, str, str]:
        out, complaints = await asyncio.wait_for(self.process.communicate(), 120)
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), complaints.decode()

    async def stopped_by(self, number: signal.Signals) -> tuple[int, str, str]:
        self.process.send_signal(number)
        return await self.ended()


@asynccontextmanager
async def running(url: str, database: str, folder: Path, *more: str) -> AsyncIterator[Command]:
    usual = {name: value for name, value in os.environ.items() if not name.startswith("ACADEMY_")}
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *more,
        env={
            **usual,
            "ACADEMY_MONGODB_URL": url,
            "ACADEMY_MONGODB_DATABASE": database,
            "ACADEMY_DATA_DIR": str(folder / "none"),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Command(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_every_lecture_is_transcoded_again_once_however_often_the_command_is_stopped(
    stores: MongoStores,
    catalogue: list[Job],
    slow_line: tuple[Proxy, str],
    mongo_url: str,
    database_name: str,
    tmp_path: Path,
) -> None:
    proxy, slow_url = slow_line
    proxy.delay = 0.01

    async with running(slow_url, database_name, tmp_path) as command:
        await until(lambda queued: queued >= 5, stores)
        code, _, complaints = await command.stopped_by(signal.SIGINT)
    assert code == 130
    assert "the same command again" in complaints
    assert "Traceback" not in complaints
    first = await queued_in(stores)
    assert 5 <= first < LECTURES

    # What is queued is worked on meanwhile: one succeeds, one fails.
    done = await stores.jobs.claim_next("transcoder")
    assert done is not None
    await worked_off(stores, done)
    failing = await stores.jobs.claim_next("transcoder")
    assert failing is not None
    await stores.jobs.fail(failing, Failure(code="broken", message="No."))

    async with running(slow_url, database_name, tmp_path) as command:
        await until(lambda queued: queued >= first + 4, stores)
        code, _, _ = await command.stopped_by(signal.SIGKILL)
    assert code == -signal.SIGKILL
    second = await queued_in(stores)
    assert first + 4 <= second < LECTURES

    async with running(mongo_url, database_name, tmp_path, "--wait") as command:
        await until(lambda queued: queued == LECTURES, stores)
        while (job := await stores.jobs.claim_next("transcoder")) is not None:
            await worked_off(stores, job)
        code, told, _ = await command.ended()
    assert code == 0
    assert f"{LECTURES} lectures, {LECTURES - second} of them not in it yet" in told
    assert f"{LECTURES - 1} succeeded, 1 failed" in told
    assert await stores.operating.campaign(CAMPAIGN) == {
        JobState.SUCCEEDED: LECTURES - 1,
        JobState.FAILED: 1,
    }
    for before in catalogue:
        newest = await stores.jobs.newest(before.recording_id)
        assert newest is not None
        assert (newest.campaign, newest.profile) == (CAMPAIGN, "fast")
        played = (await stores.courses.lecture(before.lecture_id)).media
        assert played is not None
        again = newest.state is JobState.SUCCEEDED
        assert (newest.replaces != played.media_id) == again
