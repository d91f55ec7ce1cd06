"""A worker's journal: receipts are recorded once, and only under the lease."""

from __future__ import annotations

import asyncio

import pytest

from academy.errors import LeaseLost
from academy.jobs import Job
from academy.media import INIT, available
from academy.mongo.journal import MongoJournal
from academy.mongo.stores import MongoStores
from tests.contracts.leases import expire
from tests.documents import (
    PLAN,
    a_claim_of,
    a_lecture_in,
    a_receipt,
    media_for,
)


@pytest.fixture(autouse=True)
async def _empty_queue(stores: MongoStores) -> None:
    await stores.database.jobs.delete_many({})


@pytest.fixture
async def running(stores: MongoStores) -> Job:
    """With a frozen plan."""
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await stores.jobs.freeze(job, media_for(job))
    return await stores.jobs.get(job.id)


def journal_of(mongo_url: str, stores: MongoStores, job: Job) -> MongoJournal:
    assert job.lease is not None
    assert job.media_id is not None
    return MongoJournal(
        mongo_url,
        stores.database.name,
        media_id=job.media_id,
        job_id=job.id,
        token=job.lease.token,
    )


async def test_receipts_are_recorded_once_and_the_first_stays(
    mongo_url: str, stores: MongoStores, running: Job
) -> None:
    journal = journal_of(mongo_url, stores, running)
    first = [a_receipt(INIT), a_receipt(0), a_receipt(1)]
    await asyncio.to_thread(journal.record, first)
    await asyncio.to_thread(journal.record, [a_receipt(1, attempt=2), a_receipt(2, attempt=2)])
    kept = await stores.media.receipts(running.media_id or "")
    assert kept == [*first, a_receipt(2, attempt=2)]
    assert await asyncio.to_thread(journal.receipts) == kept
    audio = [a_receipt(number, track="a96") for number in (INIT, 0, 1, 2)]
    await asyncio.to_thread(journal.record, audio)
    everything = await stores.media.receipts(running.media_id or "")
    assert available(PLAN, everything).duration == 10.0


async def test_what_was_new_and_what_was_encoded_again_is_counted(
    mongo_url: str, stores: MongoStores, running: Job
) -> None:
    journal = journal_of(mongo_url, stores, running)

    async def counts() -> tuple[int, int]:
        job = await stores.database.jobs.find_one({"_id": running.id})
        assert job is not None
        return job["recorded"], job.get("repeated", 0)

    await asyncio.to_thread(journal.record, [a_receipt(INIT), a_receipt(0), a_receipt(1)])
    assert await counts() == (3, 0)
    # Another chunk's init segment is no repeated work: whoever begins first makes one.
    await asyncio.to_thread(journal.record, [a_receipt(INIT), a_receipt(2)])
    assert await counts() == (4, 0)
    await asyncio.to_thread(journal.record, [a_receipt(1, attempt=2), a_receipt(3, attempt=2)])
    assert await counts() == (5, 1)


async def test_a_zombie_records_nothing(mongo_url: str, stores: MongoStores, running: Job) -> None:
    zombie = journal_of(mongo_url, stores, running)
    assert await asyncio.to_thread(zombie.held)
    await expire(stores, running)
    with pytest.raises(LeaseLost):
        await asyncio.to_thread(zombie.record, [a_receipt(0)])
    successor = await stores.jobs.claim_next("other")
    assert successor is not None
    with pytest.raises(LeaseLost):
        await asyncio.to_thread(zombie.record, [a_receipt(0)])
    assert not await asyncio.to_thread(zombie.held)
    assert await stores.media.receipts(running.media_id or "") == []
    journal = journal_of(mongo_url, stores, successor)
    assert await asyncio.to_thread(journal.held)
    await asyncio.to_thread(journal.record, [a_receipt(0)])
    await stores.jobs.cancel(running.recording_id)
    assert not await asyncio.to_thread(journal.held)


async def test_workers_record_side_by_side(
    mongo_url: str, stores: MongoStores, running: Job
) -> None:
    journals = [journal_of(mongo_url, stores, running) for _ in range(4)]

    def work(index: int) -> None:
        for number in range(5):
            journals[index].record([a_receipt(number * 4 + index)])

    await asyncio.gather(*(asyncio.to_thread(work, index) for index in range(4)))
    kept = await stores.media.receipts(running.media_id or "")
    assert [receipt.number for receipt in kept] == list(range(20))


async def test_a_takeover_and_a_record_never_both_happen(
    mongo_url: str, stores: MongoStores, running: Job
) -> None:
    """Receipts that a zombie recorded were recorded before the takeover, never after it."""
    zombie = journal_of(mongo_url, stores, running)

    def keep_recording() -> int:
        for number in range(200):
            try:
                zombie.record([a_receipt(number)])
            except LeaseLost:
                return number
        raise AssertionError("the lease was never lost")

    recording = asyncio.create_task(asyncio.to_thread(keep_recording))
    await asyncio.sleep(0.05)
    await stores.jobs.release(running)
    seen = len(await stores.media.receipts(running.media_id or ""))
    assert await recording == seen
    assert len(await stores.media.receipts(running.media_id or "")) == seen
