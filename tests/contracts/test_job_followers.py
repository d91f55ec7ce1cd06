"""What waits for jobs hears of them: dispatchers, followers, streams that were lost."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from academy.errors import NotFound
from academy.jobs import Failure, FailureKind, JobState, Progress
from academy.mongo.indexes import create_indexes
from academy.mongo.stores import MongoStores
from tests.documents import (
    a_lecture_in,
    a_recording_of,
)

SOURCE = Failure(code="not_media", message="This is $no video.", kind=FailureKind.SOURCE)


@pytest.fixture(autouse=True)
async def _empty_queue(stores: MongoStores) -> None:
    await stores.database.jobs.delete_many({})


async def test_waiters_hear_of_queued_cancelled_and_ended_jobs(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    async with aclosing(stores.jobs.changes()) as changes:
        await anext(changes)
        recording = await a_recording_of(stores, lecture)
        await anext(changes)
        job = await stores.jobs.claim_next("d")
        assert job is not None
        await stores.jobs.cancel(recording.id)
        await anext(changes)


async def test_a_follower_sees_each_state_until_the_end(stores: MongoStores) -> None:
    recording = await a_recording_of(stores, await a_lecture_in(stores))
    seen: list[JobState] = []
    async with aclosing(stores.jobs.follow(recording.id)) as followed:
        async for job in followed:
            seen.append(job.state)
            if job.state is JobState.QUEUED:
                await stores.jobs.claim_next("d")
            elif job.progress.fraction == 0:
                await stores.jobs.extend(job, Progress(stage="encoding", fraction=0.5))
            elif job.active:
                await stores.jobs.fail(job, SOURCE)
    assert seen == [JobState.QUEUED, JobState.RUNNING, JobState.RUNNING, JobState.FAILED]
    with pytest.raises(NotFound):
        await anext(stores.jobs.follow("none"))


async def test_followers_share_one_stream_and_leave_none_behind(stores: MongoStores) -> None:
    recording = await a_recording_of(stores, await a_lecture_in(stores))

    async def streams() -> int:
        cursor = await stores.client.admin.aggregate(
            [
                {"$currentOp": {"allUsers": True, "idleCursors": True, "localOps": True}},
                {"$match": {"ns": f"{stores.database.name}.jobs"}},
                {"$match": {"cursor.originatingCommand.pipeline.0.$changeStream": {"$exists": 1}}},
            ]
        )
        return len(await cursor.to_list())

    async def follow() -> None:
        async for _ in stores.jobs.follow(recording.id):
            pass

    followers = [asyncio.create_task(follow()) for _ in range(120)]
    async with aclosing(stores.jobs.changes()) as changes:
        await anext(changes)
        assert await streams() == 1
        for follower in followers[:60]:
            follower.cancel()
        await asyncio.gather(*followers[:60], return_exceptions=True)
        await stores.jobs.cancel(recording.id)
        await asyncio.gather(*followers[60:])
        await anext(changes)
    while await streams():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def test_a_lost_stream_is_opened_again_and_nothing_is_missed(stores: MongoStores) -> None:
    recording = await a_recording_of(stores, await a_lecture_in(stores))

    async with aclosing(stores.jobs.follow(recording.id)) as followed:
        assert (await anext(followed)).state is JobState.QUEUED
        # Dropping a collection invalidates its streams, which no driver can resume.
        kept = await stores.database.jobs.find().to_list()
        await stores.database.jobs.drop()
        await stores.database.jobs.insert_many(
            [{**document, "state": "cancelled", "revision": 9} for document in kept]
        )
        assert (await anext(followed)).state is JobState.CANCELLED
    await create_indexes(stores.database)
