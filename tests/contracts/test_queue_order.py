"""Whose recording is next: fair between instructors, short before long, nobody for ever last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from academy.courses import now
from academy.jobs import due
from academy.mongo.stores import MongoStores
from tests.documents import PARTS, a_lecture_in, an_upload

MINUTE = 15_000_000
"""Bytes of one at 2 Mb/s."""


@pytest.fixture(autouse=True)
async def _empty_queue(stores: MongoStores) -> None:
    await stores.database.jobs.delete_many({})


async def queued(stores: MongoStores, instructor: str, *, minutes: int = 10, ago: int = 0) -> str:
    """The id of a recording that was uploaded `ago` minutes ago."""
    lecture = await a_lecture_in(stores)
    upload = an_upload(
        lecture.id,
        await stores.uploads.begin(lecture.id),
        created_by=instructor,
        size=minutes * MINUTE,
    )
    await stores.uploads.add(upload)
    recording = await stores.uploads.completed(await stores.uploads.completing(upload.id, PARTS))
    came = now() - timedelta(minutes=ago)
    await stores.database.jobs.update_one(
        {"recording_id": recording.id},
        {"$set": {"created_at": came, "due": due(came, upload.size)}},
    )
    return recording.id


async def claimed(stores: MongoStores, count: int) -> list[str]:
    jobs = [await stores.jobs.claim_next("dispatcher") for _ in range(count)]
    return [job.recording_id for job in jobs if job]


async def test_an_instructor_with_many_recordings_waits_for_those_with_one(
    stores: MongoStores,
) -> None:
    many = [await queued(stores, "busy", ago=30 - n) for n in range(3)]
    one = await queued(stores, "quiet")
    other = await queued(stores, "third")
    assert await claimed(stores, 6) == [many[0], one, other, many[1], many[2]]


async def test_a_short_recording_overtakes_a_long_one(stores: MongoStores) -> None:
    long = await queued(stores, "a", minutes=120, ago=2)
    short = await queued(stores, "a", minutes=5)
    assert await claimed(stores, 2) == [short, long]


async def test_a_long_recording_is_not_overtaken_for_ever(stores: MongoStores) -> None:
    long = await queued(stores, "a", minutes=120, ago=40)
    short = await queued(stores, "a", minutes=5)
    assert await claimed(stores, 2) == [long, short]


async def test_a_retry_waits_like_any_other_of_its_instructor(stores: MongoStores) -> None:
    again = await queued(stores, "busy", ago=10)
    await claimed(stores, 1)
    await stores.jobs.cancel(again)
    retried = await stores.jobs.retry(again)
    assert retried.instructor == "busy"
    running = await queued(stores, "busy", ago=20)
    assert await claimed(stores, 1) == [running]
    other = await queued(stores, "other")
    assert await claimed(stores, 2) == [other, again]
