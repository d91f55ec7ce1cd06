"""Garbage collection on a real database and a real storage, disk and S3: what goes and what must stay."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from academy.errors import Conflict
from academy.garbage import Garbage
from academy.holdings import Reason
from academy.ids import new_id
from academy.jobs import Failure, FailureKind
from academy.mongo.journal import MongoJournal
from tests.documents import (
    PUBLICATION,
    a_claim_of,
    a_lecture_in,
    a_receipt,
    a_recording_of,
    an_upload,
    media_for,
)

AT_ONCE = timedelta(0)
"""Tests need not wait for a day to pass."""


@pytest.fixture
def garbage(stores, storage):
    return Garbage(stores.holdings, storage)


class Made:
    """A lecture whose newest recording was transcoded."""

    def __init__(self, stores, storage, url, name):
        self.stores, self.storage, self.url, self.name = stores, storage, url, name

    async def lecture_with_media(self, lecture=None, *, outcome="published"):
        lecture = lecture or await a_lecture_in(self.stores)
        job = await a_claim_of(self.stores, lecture)
        assert job.lease is not None
        media = await self.stores.jobs.freeze(job, media_for(job))
        journal = MongoJournal(
            self.url, self.name, media_id=media.id, job_id=job.id, token=job.lease.token
        )
        await asyncio.to_thread(journal.record, [a_receipt(0), a_receipt(1)])
        self.put(f"recordings/{job.recording_id}/source")
        for name in ("v360/0-1.m4s", "v360/1-1.m4s", PUBLICATION.hls, PUBLICATION.dash):
            self.put(f"media/{media.id}/{name}")
        if outcome == "published":
            await self.stores.jobs.succeed(job, PUBLICATION)
        elif outcome == "failed":
            await self.stores.jobs.fail(
                job, Failure(code="c", message="m", kind=FailureKind.SOURCE)
            )
        return lecture, job, media

    def put(self, key):
        self.storage.put(key, b"0123456789", content_type="video/mp4")

    def keys(self):
        return {
            each.key
            for folder in ("recordings/", "media/", "health/")
            for each in self.storage.list(folder)
        }


@pytest.fixture
async def made(stores, storage, mongo_url, database_name):
    yield Made(stores, storage, mongo_url, database_name)
    # The next test's storage is another one, so its database holds nothing of this one either.
    for collection in ("lectures", "recordings", "media", "receipts", "uploads", "jobs"):
        await stores.database[collection].delete_many({})


def reasons(survey):
    return {(each.prefix, each.reason) for each in survey.orphans}


async def test_what_is_in_use_is_neither_garbage_nor_missing(garbage, made, stores, storage):
    await made.lecture_with_media()
    await made.lecture_with_media(outcome="running")
    lecture = await a_lecture_in(stores)
    number = await stores.uploads.begin(lecture.id)
    upload = an_upload(lecture.id, number)
    started = await asyncio.to_thread(storage.start, upload.key, content_type="video/mp4")
    await stores.uploads.add(upload.model_copy(update={"storage_upload_id": started}))
    before = made.keys()
    survey = await garbage.survey(AT_ONCE)
    assert (survey.orphans, survey.abandoned, survey.missing) == ([], [], [])
    assert (survey.groups, survey.objects, survey.bytes) == (4, 10, 100)
    await garbage.sweep(survey)
    assert made.keys() == before
    assert await asyncio.to_thread(storage.parts, upload.key, started) == []


async def test_each_kind_of_garbage_is_found_for_its_reason_and_only_that_goes(
    garbage, made, stores, storage
):
    gone, gone_job, gone_media = await made.lecture_with_media()
    await stores.courses.delete_lecture(gone.id)
    kept, first_job, superseded = await made.lecture_with_media()
    _, _, current = await made.lecture_with_media(kept)
    _, failed_job, given_up = await made.lecture_with_media(outcome="failed")
    unknown_media, unknown_recording = new_id(), new_id()
    made.put(f"media/{unknown_media}/v360/0-1.m4s")
    made.put(f"recordings/{unknown_recording}/source")
    made.put(f"media/{current.id}/v360/1-2.m4s")  # a zombie's
    made.put(f"media/{current.id}/notes.txt")  # no segment: not ours to judge
    made.put("health/old/probe")
    lost = await asyncio.to_thread(
        storage.start, f"recordings/{new_id()}/source", content_type="video/mp4"
    )
    survey = await garbage.survey(AT_ONCE)
    assert reasons(survey) == {
        (f"recordings/{gone_job.recording_id}/", Reason.LECTURE_GONE),
        (f"media/{gone_media.id}/", Reason.LECTURE_GONE),
        (f"media/{superseded.id}/", Reason.SUPERSEDED),
        (f"media/{given_up.id}/", Reason.GIVEN_UP),
        (f"media/{unknown_media}/", Reason.UNKNOWN),
        (f"recordings/{unknown_recording}/", Reason.UNKNOWN),
        (f"media/{current.id}/v360/1-2.m4s", Reason.STRAY),
        ("health/old/probe", Reason.PROBE),
    }
    assert [each.upload_id for each in survey.abandoned] == [lost]
    before = made.keys()
    # A survey is a dry run.
    assert made.keys() == before
    swept = await garbage.sweep(survey)
    assert (swept.uploads, swept.needed_again) == (1, [])
    left = made.keys()
    assert len(before - left) == swept.objects == 17
    assert {key.split("/")[1] for key in left} == {
        current.id, first_job.recording_id, failed_job.recording_id,
        (await stores.recordings.newest(kept.id)).id,
    }  # fmt: skip
    assert f"media/{current.id}/notes.txt" in left
    again = await garbage.survey(AT_ONCE)
    assert (again.orphans, again.abandoned, again.missing) == ([], [], [])
    # Documents went with their objects.
    assert await stores.media.receipts(gone_media.id) == []
    assert await stores.recordings.newest(gone.id) is None


async def test_what_is_young_is_left_alone(garbage, made, stores, storage):
    gone, *_ = await made.lecture_with_media()
    await stores.courses.delete_lecture(gone.id)
    made.put(f"media/{new_id()}/v360/0-1.m4s")
    made.put("health/now/probe")
    await asyncio.to_thread(
        storage.start, f"recordings/{new_id()}/source", content_type="video/mp4"
    )
    survey = await garbage.survey(timedelta(hours=1))
    assert (survey.orphans, survey.abandoned) == ([], [])


async def test_replaced_media_stay_as_long_as_links_to_them_live(garbage, made, stores):
    lecture, *_ = await made.lecture_with_media()
    await made.lecture_with_media(lecture)
    assert (await garbage.survey(timedelta(hours=1))).orphans == []
    assert len((await garbage.survey(AT_ONCE)).orphans) == 1


async def test_what_is_needed_though_it_is_not_there_is_named(garbage, made, storage, stores):
    lecture, job, media = await made.lecture_with_media()
    other, _, bare = await made.lecture_with_media()
    storage.delete(f"media/{media.id}/v360/1-1.m4s")
    storage.delete(f"media/{media.id}/{PUBLICATION.dash}")
    storage.delete(f"recordings/{job.recording_id}/source")
    storage.delete_prefix(f"media/{bare.id}/")
    survey = await garbage.survey(AT_ONCE)
    found = {(each.kind, each.lecture_id): each.names for each in survey.missing}
    assert found == {
        ("recording", lecture.id): (f"recordings/{job.recording_id}/source",),
        ("media", lecture.id): (PUBLICATION.dash, "v360/1-1.m4s"),
        ("media", other.id): (PUBLICATION.hls, PUBLICATION.dash),
    }
    assert survey.orphans == []


async def test_a_bucket_of_another_database_is_not_emptied(garbage, made, stores):
    for _ in range(2):
        made.put(f"media/{new_id()}/v360/0-1.m4s")
    survey = await garbage.survey(AT_ONCE)
    with pytest.raises(Conflict, match="same installation"):
        await garbage.sweep(survey)
    await a_recording_of(stores, await a_lecture_in(stores))
    for _ in range(20):
        made.put(f"media/{new_id()}/v360/0-1.m4s")
    survey = await garbage.survey(AT_ONCE)
    with pytest.raises(Conflict, match="22 of 22"):
        await garbage.sweep(survey)
    assert len(made.keys()) == 22
    await garbage.sweep(survey, though_most=True)
    assert made.keys() == set()


async def test_what_came_to_be_needed_after_the_survey_stays(garbage, made, stores):
    """As nothing returns from being garbage, this takes a restored document."""
    lecture, job, _ = await made.lecture_with_media()
    kept = await stores.database.lectures.find_one({"_id": lecture.id})
    await stores.courses.delete_lecture(lecture.id)
    survey = await garbage.survey(AT_ONCE)
    await stores.database.lectures.insert_one(kept)
    swept = await garbage.sweep(survey)
    assert swept.objects == 0
    assert f"recordings/{job.recording_id}/" in swept.needed_again
    assert (await garbage.survey(AT_ONCE)).missing == []
