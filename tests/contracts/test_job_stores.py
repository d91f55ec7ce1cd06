"""Jobs, media and the journal against a real MongoDB. The state machine as a whole is in tests/properties."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from academy.courses import now
from academy.errors import Conflict, LeaseLost
from academy.ids import new_id
from academy.jobs import LEASE, MOST_ATTEMPTS, Failure, FailureKind, Job, JobState, Progress
from academy.mongo.stores import MongoStores
from academy.store_values import Changes
from tests.contracts.leases import expire
from tests.documents import (
    INSPECTION,
    PUBLICATION,
    a_claim_of,
    a_lecture_in,
    a_recording_of,
    media_for,
)

SOURCE = Failure(code="not_media", message="This is $no video.", kind=FailureKind.SOURCE)
PASSING = Failure(code="network", message="The network failed.", kind=FailureKind.TRANSIENT)


@pytest.fixture(autouse=True)
async def _empty_queue(stores: MongoStores) -> None:
    await stores.database.jobs.delete_many({})


async def database_clock(stores: MongoStores) -> datetime:
    hello = await stores.client.admin.command("hello")
    local: datetime = hello["localTime"]
    return local.replace(tzinfo=UTC)


async def make_due(stores: MongoStores, job: Job) -> None:
    await stores.database.jobs.update_one({"_id": job.id}, {"$set": {"not_before": now()}})


async def test_a_claim_takes_the_job_with_fewest_attempts_then_the_oldest(
    stores: MongoStores,
) -> None:
    lecture = await a_lecture_in(stores)
    recordings = [await a_recording_of(stores, lecture) for _ in range(3)]
    tried = await stores.jobs.newest(recordings[0].id)
    assert tried is not None
    await stores.database.jobs.update_one({"_id": tried.id}, {"$set": {"attempts": 1}})
    claimed = [await stores.jobs.claim_next("a") for _ in range(4)]
    assert [job and job.recording_id for job in claimed] == [
        recordings[1].id,
        recordings[2].id,
        recordings[0].id,
        None,
    ]


async def test_a_claim_gives_a_lease_by_the_databases_clock(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    assert (job.state, job.attempts) == (JobState.RUNNING, 1)
    assert job.lease is not None
    clock = await database_clock(stores)
    assert clock < job.lease.expires_at <= clock + LEASE
    assert await stores.jobs.get(job.id) == job


async def test_of_many_dispatchers_one_gets_the_job(stores: MongoStores) -> None:
    await a_recording_of(stores, await a_lecture_in(stores))
    claims = await asyncio.gather(*(stores.jobs.claim_next(f"d{n}") for n in range(8)))
    assert sum(claim is not None for claim in claims) == 1


async def test_a_job_waits_for_its_time(stores: MongoStores) -> None:
    recording = await a_recording_of(stores, await a_lecture_in(stores))
    await stores.database.jobs.update_one(
        {"recording_id": recording.id}, {"$set": {"not_before": now() + timedelta(hours=1)}}
    )
    assert await stores.jobs.claim_next("a") is None


async def test_an_expired_lease_goes_to_another_dispatcher(stores: MongoStores) -> None:
    old = await a_claim_of(stores, await a_lecture_in(stores))
    assert await stores.jobs.claim_next("other") is None
    await expire(stores, old)
    new = await stores.jobs.claim_next("other")
    assert new is not None
    assert (new.id, new.attempts) == (old.id, 2)
    with pytest.raises(LeaseLost):
        await stores.jobs.extend(old)
    await stores.jobs.extend(new)


async def test_an_expired_lease_that_nobody_took_is_extended(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await expire(stores, job)
    await stores.jobs.extend(job)
    assert await stores.jobs.claim_next("other") is None


async def test_a_job_abandoned_too_often_fails(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    for attempt in range(2, MOST_ATTEMPTS + 1):
        await expire(stores, job)
        again = await stores.jobs.claim_next("d")
        assert again is not None
        assert again.attempts == attempt
        job = again
    await expire(stores, job)
    assert await stores.jobs.claim_next("d") is None
    ended = await stores.jobs.get(job.id)
    assert ended.state is JobState.FAILED
    assert ended.failure is not None
    assert ended.failure.code == "abandoned"
    assert ended.finished_at is not None


async def test_attempts_that_recorded_something_do_not_count(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))

    async def next_claim(*, failing: bool) -> Job | None:
        if failing:
            await stores.jobs.fail(job, PASSING)
            await make_due(stores, job)
        else:
            await expire(stores, job)
        return await stores.jobs.claim_next("d")

    for turn in range(2 * MOST_ATTEMPTS):
        # What a worker's journal writes with its receipts.
        await stores.database.jobs.update_one({"_id": job.id}, {"$inc": {"recorded": 2}})
        again = await next_claim(failing=turn % 2 == 0)
        assert again is not None
        assert again.attempts == job.attempts + 1
        job = again
    for turn in range(2 * MOST_ATTEMPTS - 1):
        if turn == MOST_ATTEMPTS - 1:
            # Those that brought nothing have to come in a row.
            await stores.database.jobs.update_one({"_id": job.id}, {"$inc": {"recorded": 1}})
        again = await next_claim(failing=False)
        assert again is not None
        job = again
    assert await next_claim(failing=False) is None
    assert (await stores.jobs.get(job.id)).state is JobState.FAILED


async def test_the_attempt_that_froze_a_plan_does_not_count(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await stores.jobs.freeze(job, media_for(job))
    for _ in range(MOST_ATTEMPTS):
        await expire(stores, job)
        again = await stores.jobs.claim_next("d")
        assert again is not None
        job = again
    await expire(stores, job)
    assert await stores.jobs.claim_next("d") is None
    assert (await stores.jobs.get(job.id)).state is JobState.FAILED


async def test_progress_is_kept_as_it_was_reported(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    progress = Progress(stage="encoding", fraction=0.5, speed=3.0, eta=12.0)
    await stores.jobs.extend(job, progress)
    read = await stores.jobs.get(job.id)
    assert read.progress == progress
    await stores.jobs.extend(read)
    assert (await stores.jobs.get(job.id)).revision == read.revision


async def test_a_bad_source_fails_at_once(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    failed = await stores.jobs.fail(job, SOURCE)
    assert (failed.state, failed.failure, failed.lease) == (JobState.FAILED, SOURCE, None)


async def test_a_passing_failure_is_repeated_with_backoff_and_then_final(
    stores: MongoStores,
) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    for attempt in range(1, MOST_ATTEMPTS):
        queued = await stores.jobs.fail(job, PASSING)
        assert (queued.state, queued.failure, queued.finished_at) == (JobState.QUEUED, None, None)
        clock = await database_clock(stores)
        pause = timedelta(seconds=2**attempt)
        assert clock + pause / 2 < queued.not_before <= clock + pause
        assert await stores.jobs.claim_next("d") is None
        await make_due(stores, job)
        again = await stores.jobs.claim_next("d")
        assert again is not None
        job = again
    failed = await stores.jobs.fail(job, PASSING)
    assert (failed.state, failed.failure) == (JobState.FAILED, PASSING)


async def test_a_released_job_is_queued_at_once_and_may_be_released_for_ever(
    stores: MongoStores,
) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    for _ in range(2 * MOST_ATTEMPTS):
        await stores.jobs.release(job)
        again = await stores.jobs.claim_next("d")
        assert again is not None
        assert again.attempts == job.attempts + 1, "names of objects would repeat"
        job = again
    queued = await stores.jobs.fail(job, PASSING)
    assert queued.state is JobState.QUEUED


async def test_cancelling_ends_the_lease(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    cancelled = await stores.jobs.cancel(job.recording_id)
    assert (cancelled.state, cancelled.lease) == (JobState.CANCELLED, None)
    with pytest.raises(LeaseLost):
        await stores.jobs.extend(job)
    with pytest.raises(Conflict, match="ended"):
        await stores.jobs.cancel(job.recording_id)


async def test_a_retry_is_a_new_job_and_only_one(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    with pytest.raises(Conflict, match="already"):
        await stores.jobs.retry(job.recording_id)
    await stores.jobs.fail(job, SOURCE)
    outcomes = await asyncio.gather(
        *(stores.jobs.retry(job.recording_id) for _ in range(4)), return_exceptions=True
    )
    made = [outcome for outcome in outcomes if isinstance(outcome, Job)]
    assert len(made) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3
    assert await stores.jobs.newest(job.recording_id) == made[0]
    assert (await stores.jobs.get(job.id)).state is JobState.FAILED


async def test_what_succeeded_is_not_retried(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await stores.jobs.freeze(job, media_for(job))
    await stores.jobs.succeed(job, PUBLICATION)
    with pytest.raises(Conflict, match="nothing to try again"):
        await stores.jobs.retry(job.recording_id)


async def test_the_database_itself_refuses_a_second_active_job(stores: MongoStores) -> None:
    recording = await a_recording_of(stores, await a_lecture_in(stores))
    job = await stores.database.jobs.find_one({"recording_id": recording.id})
    assert job is not None
    with pytest.raises(Exception, match="one_active"):
        await stores.database.jobs.insert_one({**job, "_id": new_id(), "ordinal": 2})


async def test_an_inspection_is_kept_with_its_recording(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await stores.jobs.inspected(job, INSPECTION)
    assert (await stores.recordings.get(job.recording_id)).inspection == INSPECTION


async def test_a_plan_is_frozen_once(stores: MongoStores) -> None:
    first = await a_claim_of(stores, await a_lecture_in(stores))
    media = media_for(first)
    assert await stores.jobs.freeze(first, media) == media
    await expire(stores, first)
    second = await stores.jobs.claim_next("other")
    assert second is not None
    assert second.media_id == media.id
    assert await stores.jobs.freeze(second, media_for(second)) == media
    assert await stores.media.get(media.id) == media
    with pytest.raises(LeaseLost):
        await stores.jobs.freeze(first, media_for(first))


async def test_publication_flips_the_lecture_and_its_course(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores, published=True)
    job = await a_claim_of(stores, lecture)
    media = await stores.jobs.freeze(job, media_for(job))
    assert await stores.jobs.succeed(job, PUBLICATION)
    read = await stores.courses.lecture(lecture.id)
    assert read.media is not None
    assert (read.media.media_id, read.media.number) == (media.id, 1)
    assert (read.duration, read.revision) == (10.0, 1)
    assert (await stores.courses.get(lecture.course)).duration == 10.0
    assert (await stores.media.get(media.id)).publication == PUBLICATION
    ended = await stores.jobs.get(job.id)
    assert (ended.state, ended.lease, ended.progress.fraction) == (JobState.SUCCEEDED, None, 1.0)


async def test_an_older_recording_never_replaces_a_newer_one(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    older = await a_claim_of(stores, lecture)
    newer = await a_claim_of(stores, lecture)
    for job in (older, newer):
        await stores.jobs.freeze(job, media_for(job))
    assert await stores.jobs.succeed(newer, PUBLICATION)
    assert not await stores.jobs.succeed(older, PUBLICATION)
    read = await stores.courses.lecture(lecture.id)
    assert read.media is not None
    assert read.media.number == 2


async def test_nothing_is_published_without_a_plan(stores: MongoStores) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    with pytest.raises(Conflict, match="freeze"):
        await stores.jobs.succeed(job, PUBLICATION)
    assert (await stores.jobs.get(job.id)).state is JobState.RUNNING


async def test_deleting_a_lecture_ends_its_work(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    job = await a_claim_of(stores, lecture)
    await stores.courses.delete_lecture(lecture.id)
    assert (await stores.jobs.get(job.id)).state is JobState.CANCELLED
    with pytest.raises(LeaseLost):
        await stores.jobs.extend(job)


async def test_publishing_a_lecture_after_its_media_counts_its_duration(
    stores: MongoStores,
) -> None:
    lecture = await a_lecture_in(stores)
    job = await a_claim_of(stores, lecture)
    await stores.jobs.freeze(job, media_for(job))
    await stores.jobs.succeed(job, PUBLICATION)
    assert (await stores.courses.get(lecture.course)).duration == 0
    await stores.courses.change_lecture(lecture.id, Changes(1, {"published": True}))
    assert (await stores.courses.get(lecture.course)).duration == 10.0
