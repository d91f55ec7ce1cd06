"""Media while they grow: revisions published under the lease, and receipts that are read once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from academy.errors import Conflict, LeaseLost
from academy.growing import GrowingMedia
from academy.jobs import Job, JobState
from academy.media import INIT, Publication, Receipt
from academy.mongo.journal import MongoJournal
from academy.mongo.stores import MongoStores
from tests.documents import PUBLICATION, a_claim_of, a_lecture_in, a_receipt, media_for

SECOND = PUBLICATION.model_copy(update={"revision": 2, "hls": "r2/main.m3u8"})


@pytest.fixture
async def running(stores: MongoStores) -> Job:
    """With a frozen plan."""
    await stores.database.jobs.delete_many({})
    job = await a_claim_of(stores, await a_lecture_in(stores, published=True))
    await stores.jobs.freeze(job, media_for(job))
    return await stores.jobs.get(job.id)


async def published(stores: MongoStores, job: Job) -> Publication | None:
    return (await stores.media.get(job.media_id or "")).publication


async def test_the_first_revision_plays_while_the_job_runs_on(
    stores: MongoStores, running: Job
) -> None:
    assert await stores.jobs.publish(running, PUBLICATION)
    lecture = await stores.courses.lecture(running.lecture_id)
    assert lecture.media is not None
    assert (lecture.media.media_id, lecture.duration) == (running.media_id, 10.0)
    assert (await stores.jobs.get(running.id)).state is JobState.RUNNING
    assert not await stores.jobs.publish(running, SECOND)
    assert await published(stores, running) == SECOND
    assert not await stores.jobs.succeed(running, SECOND)
    assert (await stores.jobs.get(running.id)).state is JobState.SUCCEEDED


async def test_revisions_follow_one_another(stores: MongoStores, running: Job) -> None:
    with pytest.raises(Conflict, match="another revision"):
        await stores.jobs.publish(running, SECOND)
    await stores.jobs.publish(running, PUBLICATION)
    with pytest.raises(Conflict):
        await stores.jobs.publish(running, PUBLICATION)
    assert await published(stores, running) == PUBLICATION


async def test_ending_the_job_takes_no_newer_revision_back(
    stores: MongoStores, running: Job
) -> None:
    await stores.jobs.publish(running, PUBLICATION)
    await stores.jobs.publish(running, SECOND)
    await stores.jobs.succeed(running, PUBLICATION)
    assert await published(stores, running) == SECOND


async def test_who_lost_the_lease_publishes_nothing(stores: MongoStores, running: Job) -> None:
    await stores.jobs.cancel(running.recording_id)
    with pytest.raises(LeaseLost):
        await stores.jobs.publish(running, PUBLICATION)
    assert await published(stores, running) is None


async def test_viewers_cost_the_database_only_what_is_new(
    mongo_url: str, stores: MongoStores, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = 0.0
    read: list[int] = []
    whole = stores.media.receipts

    async def counting(media_id: str, *, since: Mapping[str, int] | None = None) -> Sequence[Any]:
        found = await whole(media_id, since=since)
        read.append(len(found))
        return found

    monkeypatch.setattr(stores.media, "receipts", counting)
    growing = GrowingMedia(stores, clock=lambda: time)
    assert running.lease is not None
    journal = MongoJournal(
        mongo_url,
        stores.database.name,
        media_id=running.media_id or "",
        job_id=running.id,
        token=running.lease.token,
    )

    async def shows(*receipts: Receipt) -> tuple[int, list[Receipt], float]:
        """What is read after these are recorded; what is then known; what can be played."""
        nonlocal time
        await asyncio.to_thread(journal.record, receipts)
        time += 2
        snapshot = await growing.snapshot(running.media_id or "")
        known = sorted(snapshot.receipts, key=lambda receipt: (receipt.track, receipt.number))
        return read[-1], known, snapshot.available.duration

    # Segment 1 before segment 0, as chunks end: nothing counts as known before the gap is filled.
    assert (await shows(a_receipt(INIT), a_receipt(1)))[0] == 2
    assert (await shows(a_receipt(0)))[0] == 3
    fresh, known, playable = await shows(
        *(a_receipt(number, track="a96") for number in (INIT, 0, 1))
    )
    assert (fresh, playable) == (3, 8.0)
    fresh, known, playable = await shows(a_receipt(2), a_receipt(2, track="a96"))
    assert (fresh, playable) == (2, 10.0)
    assert known == await whole(running.media_id or "")
    # Forgotten when nobody watches any more.
    time += 1000
    await growing.snapshot(running.media_id or "")
    assert read[-1] == len(known)
