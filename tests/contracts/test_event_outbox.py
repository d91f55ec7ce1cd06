"""Events are written with the change they tell of, or not at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from academy.certificates import Certificate
from academy.courses import now
from academy.errors import LeaseLost
from academy.events import EventKind
from academy.jobs import MOST_ATTEMPTS, Failure, FailureKind, Job
from academy.media import INIT
from academy.mongo.client import Document, in_transaction
from academy.mongo.journal import MongoJournal
from academy.mongo.stores import MongoStores
from tests.documents import (
    PLAN,
    PUBLICATION,
    a_claim_of,
    a_lecture_in,
    a_receipt,
    a_recording_of,
    media_for,
)

BAD_SOURCE = Failure(code="not_media", message="No video.", kind=FailureKind.SOURCE, detail="x")
PASSING = Failure(code="network", message="The network failed.", kind=FailureKind.TRANSIENT)


@pytest.fixture(autouse=True)
async def _nothing_yet(stores: MongoStores) -> None:
    await stores.database.jobs.delete_many({})
    await stores.database.events.delete_many({})


async def events(stores: MongoStores) -> list[Document]:
    return await stores.database.events.find({}, sort=[("occurred_at", 1)]).to_list()


async def kinds(stores: MongoStores) -> list[str]:
    return [event["kind"] for event in await events(stores)]


async def test_an_event_lives_and_dies_with_its_transaction(stores: MongoStores) -> None:
    async def fails(session):
        await stores.outbox.add(EventKind.CERTIFICATE_ISSUED, {"code": "lost"}, session)
        raise LeaseLost

    async def works(session):
        await stores.outbox.add(EventKind.CERTIFICATE_ISSUED, {"code": "kept"}, session)

    with pytest.raises(LeaseLost):
        await in_transaction(stores.database, fails)
    await in_transaction(stores.database, works)
    [event] = await events(stores)
    assert event["data"] == {"code": "kept"}
    assert event["pending"]


async def test_a_certificate_is_not_issued_without_its_event(
    stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = Certificate(
        subject="lea", name="Léa", course="course", title={"en": "T"}, language="en", lectures=1,
        duration=60.0, share=0.9,
    )  # fmt: skip

    async def fails(*_args: object) -> None:
        raise LeaseLost

    with monkeypatch.context() as patch:
        patch.setattr("academy.mongo.certificates.MongoEventOutbox.add", fails)
        with pytest.raises(LeaseLost):
            await stores.certificates.issue(certificate)
    assert await stores.certificates.find("lea", "course") is None
    assert await stores.certificates.issue(certificate) == (certificate, True)
    [event] = await events(stores)
    assert event["kind"] == "certificate.issued"
    assert event["data"]["code"] == certificate.code


async def test_what_is_published_is_ready_once(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    job = await a_claim_of(stores, lecture)
    await stores.jobs.freeze(job, media_for(job))
    await stores.jobs.succeed(job, PUBLICATION)
    with pytest.raises(LeaseLost):
        await stores.jobs.succeed(job, PUBLICATION)
    [event] = await events(stores)
    assert event["kind"] == "lecture.ready"
    assert event["data"] == {
        "lecture_id": lecture.id,
        "course": lecture.course,
        "published": False,
        "recording_id": job.recording_id,
        "number": 1,
        "duration": 10.0,
    }


async def test_a_recording_that_a_newer_one_overtook_is_not_told_of(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    older = await a_claim_of(stores, lecture)
    await a_recording_of(stores, lecture)
    newer = await stores.jobs.claim_next("dispatcher")
    assert newer is not None
    for job in (newer, older):
        await stores.jobs.freeze(job, media_for(job))
        await stores.jobs.succeed(job, PUBLICATION)
    assert [event["data"]["number"] for event in await events(stores)] == [2]


async def test_a_failure_is_told_of_when_it_is_final_and_without_details(
    stores: MongoStores,
) -> None:
    lecture = await a_lecture_in(stores)
    job = await a_claim_of(stores, lecture)
    await stores.jobs.fail(job, PASSING)
    assert await kinds(stores) == []
    await stores.database.jobs.update_one({"_id": job.id}, {"$set": {"not_before": now()}})
    again = await stores.jobs.claim_next("dispatcher")
    assert again is not None
    await stores.jobs.fail(again, BAD_SOURCE)
    [event] = await events(stores)
    assert event["kind"] == "lecture.failed"
    assert event["data"]["code"] == "not_media"
    assert "detail" not in event["data"]


async def test_cancelling_and_giving_up_are_failures(stores: MongoStores) -> None:
    first = await a_recording_of(stores, await a_lecture_in(stores))
    await stores.jobs.cancel(first.id)
    job = await a_claim_of(stores, await a_lecture_in(stores))
    await stores.database.jobs.update_one(
        {"_id": job.id},
        {"$set": {"attempts": MOST_ATTEMPTS, "lease.expires_at": now() - timedelta(seconds=1)}},
    )
    assert await stores.jobs.claim_next("dispatcher") is None
    assert await stores.jobs.claim_next("dispatcher") is None
    assert [event["data"]["code"] for event in await events(stores)] == ["cancelled", "abandoned"]


def journal(mongo_url: str, database_name: str, job: Job, media_id: str) -> MongoJournal:
    assert job.lease is not None
    return MongoJournal(
        mongo_url, database_name, media_id=media_id, job_id=job.id, token=job.lease.token
    )


async def test_a_first_recording_streams_once_every_track_has_its_first_segment(
    stores: MongoStores, mongo_url: str, database_name: str
) -> None:
    job = await a_claim_of(stores, await a_lecture_in(stores))
    media = await stores.jobs.freeze(job, media_for(job))
    worker = journal(mongo_url, database_name, job, media.id)
    for track in PLAN.tracks:
        assert await kinds(stores) == []
        for number in (INIT, 0):
            await asyncio.to_thread(worker.record, [a_receipt(number, track=track)])
    assert await kinds(stores) == ["lecture.streaming"]
    await asyncio.to_thread(worker.record, [a_receipt(INIT), a_receipt(0), a_receipt(1)])
    assert await kinds(stores) == ["lecture.streaming"]


async def test_a_replacement_does_not_stream(
    stores: MongoStores, mongo_url: str, database_name: str
) -> None:
    lecture = await a_lecture_in(stores)
    first = await a_claim_of(stores, lecture)
    await stores.jobs.freeze(first, media_for(first))
    await stores.jobs.succeed(first, PUBLICATION)
    job = await a_claim_of(stores, lecture)
    media = await stores.jobs.freeze(job, media_for(job))
    worker = journal(mongo_url, database_name, job, media.id)
    receipts = [a_receipt(n, track=track) for track in PLAN.tracks for n in (INIT, 0)]
    await asyncio.to_thread(worker.record, receipts)
    assert await kinds(stores) == ["lecture.ready"]


async def test_nothing_is_told_of_a_lecture_that_is_gone(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    recording = await a_recording_of(stores, lecture)
    await stores.courses.delete_lecture(lecture.id)
    assert (await stores.jobs.newest(recording.id)) is not None
    assert await kinds(stores) == []
