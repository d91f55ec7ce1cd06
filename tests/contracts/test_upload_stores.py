"""Uploads, recordings and kept answers against a real MongoDB."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from academy.courses import now
from academy.errors import Conflict, Invalid, NotFound
from academy.jobs import JobState
from academy.mongo.stores import MongoStores
from academy.recordings import Recording
from academy.uploads import Upload, UploadState
from tests.documents import PARTS, a_lecture_in, a_recording_of, a_slug, an_upload


@pytest.fixture
async def upload(stores: MongoStores) -> Upload:
    lecture = await a_lecture_in(stores)
    added = an_upload(lecture.id, await stores.uploads.begin(lecture.id))
    await stores.uploads.add(added)
    return added


async def test_uploads_of_a_lecture_are_numbered(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    numbers = await asyncio.gather(*(stores.uploads.begin(lecture.id) for _ in range(5)))
    assert sorted(numbers) == [1, 2, 3, 4, 5]
    assert (await stores.courses.lecture(lecture.id)).revision == 1


async def test_an_upload_reads_back_as_it_was_written(stores: MongoStores, upload: Upload) -> None:
    assert await stores.uploads.get(upload.id) == upload


async def test_completing_saves_the_part_list_once(stores: MongoStores, upload: Upload) -> None:
    moved = await stores.uploads.completing(upload.id, PARTS)
    assert (moved.state, moved.parts) == (UploadState.COMPLETING, PARTS)
    assert await stores.uploads.completing(upload.id, PARTS[:1]) == moved


async def test_what_has_arrived_is_noted_of_open_uploads_without_a_plan_only(
    stores: MongoStores, upload: Upload
) -> None:
    assert await stores.uploads.arriving(upload.id, PARTS[:1]) == upload
    fields = {"part_size": 0, "part_count": 0, "size": 0}
    unplanned = an_upload(upload.lecture_id, 2).model_copy(update=fields)
    await stores.uploads.add(unplanned)
    seen = await stores.uploads.arriving(unplanned.id, PARTS[:1])
    assert (seen.size, seen.part_count, seen.parts) == (PARTS[0].size, 1, [])
    moved = await stores.uploads.completing(unplanned.id, PARTS)
    assert (moved.size, moved.part_count) == (sum(part.size for part in PARTS), len(PARTS))
    assert await stores.uploads.arriving(unplanned.id, PARTS[:1]) == moved


async def test_completed_makes_one_recording_and_one_queued_job(
    stores: MongoStores, upload: Upload
) -> None:
    moved = await stores.uploads.completing(upload.id, PARTS)
    outcomes = await asyncio.gather(*(stores.uploads.completed(moved) for _ in range(5)))
    assert {outcome.id for outcome in outcomes} == {upload.recording_id}
    recording = await stores.recordings.get(upload.recording_id)
    assert (recording.upload_id, recording.number, recording.key) == (
        upload.id,
        upload.number,
        upload.key,
    )
    assert await stores.database.jobs.count_documents({"recording_id": recording.id}) == 1
    job = await stores.jobs.newest(recording.id)
    assert job is not None
    assert job.state is JobState.QUEUED
    assert (await stores.uploads.get(upload.id)).state is UploadState.COMPLETED


async def test_an_open_upload_is_not_completed_behind_its_own_back(
    stores: MongoStores, upload: Upload
) -> None:
    with pytest.raises(Conflict, match="open"):
        await stores.uploads.completed(upload)
    assert await stores.recordings.newest(upload.lecture_id) is None


@pytest.mark.parametrize(
    ("expired", "state"), [(True, UploadState.EXPIRED), (False, UploadState.ABORTED)]
)
async def test_an_ended_upload_stays_ended(
    stores: MongoStores, upload: Upload, expired: bool, state: UploadState
) -> None:
    assert (await stores.uploads.end(upload.id, expired=expired)).state is state
    assert (await stores.uploads.end(upload.id, expired=not expired)).state is state
    with pytest.raises(Conflict, match="begin a new one"):
        await stores.uploads.completing(upload.id, PARTS)
    with pytest.raises(Conflict):
        await stores.uploads.completed(upload)
    assert upload.id in [left.id for left in await stores.uploads.leftovers()]
    await stores.uploads.cleaned(upload.id)
    assert upload.id not in [left.id for left in await stores.uploads.leftovers()]


async def test_an_upload_that_is_being_completed_cannot_be_aborted(
    stores: MongoStores, upload: Upload
) -> None:
    await stores.uploads.completing(upload.id, PARTS)
    with pytest.raises(Conflict, match="delete the lecture"):
        await stores.uploads.end(upload.id, expired=True)


async def test_an_abort_and_a_completion_at_once_have_one_winner(stores: MongoStores) -> None:
    for _ in range(10):
        lecture = await a_lecture_in(stores)
        upload = an_upload(lecture.id, await stores.uploads.begin(lecture.id))
        await stores.uploads.add(upload)
        outcomes = await asyncio.gather(
            stores.uploads.end(upload.id, expired=False),
            stores.uploads.completing(upload.id, PARTS),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1


async def test_a_reopened_upload_waits_for_its_parts_again(
    stores: MongoStores, upload: Upload
) -> None:
    await stores.uploads.completing(upload.id, PARTS)
    assert (await stores.uploads.reopen(upload.id)).state is UploadState.OPEN
    await stores.uploads.completed(await stores.uploads.completing(upload.id, PARTS))
    assert (await stores.uploads.reopen(upload.id)).state is UploadState.COMPLETED


async def test_the_reconciler_finds_what_hangs_and_what_is_overdue(
    stores: MongoStores, upload: Upload
) -> None:
    lecture = await a_lecture_in(stores)
    late = an_upload(
        lecture.id,
        await stores.uploads.begin(lecture.id),
        expires_at=now() - timedelta(seconds=1),
    )
    await stores.uploads.add(late)
    await stores.uploads.completing(upload.id, PARTS)
    assert [found.id for found in await stores.uploads.overdue()] == [late.id]
    assert upload.id not in [
        found.id for found in await stores.uploads.unfinished(older_than=timedelta(minutes=1))
    ]
    assert upload.id in [
        found.id for found in await stores.uploads.unfinished(older_than=timedelta())
    ]
    await stores.uploads.end(late.id, expired=True)
    assert await stores.uploads.overdue() == []


async def test_uploads_end_with_their_lecture(stores: MongoStores, upload: Upload) -> None:
    moved = await stores.uploads.completing(upload.id, PARTS)
    await stores.courses.delete_lecture(upload.lecture_id)
    with pytest.raises(Conflict, match="aborted"):
        await stores.uploads.completed(moved)
    assert upload.id in [left.id for left in await stores.uploads.leftovers()]


async def test_an_upload_added_after_its_lecture_went_makes_no_recording(
    stores: MongoStores,
) -> None:
    lecture = await a_lecture_in(stores)
    upload = an_upload(lecture.id, await stores.uploads.begin(lecture.id))
    await stores.courses.delete_lecture(lecture.id)
    await stores.uploads.add(upload)
    moved = await stores.uploads.completing(upload.id, PARTS)
    with pytest.raises(NotFound, match="deleted"):
        await stores.uploads.completed(moved)
    assert (await stores.uploads.get(upload.id)).state is UploadState.ABORTED


async def test_the_newest_recording_is_the_one_begun_last(stores: MongoStores) -> None:
    lecture = await a_lecture_in(stores)
    assert await stores.recordings.newest(lecture.id) is None
    first = an_upload(lecture.id, await stores.uploads.begin(lecture.id))
    await stores.uploads.add(first)
    second = await a_recording_of(stores, lecture)
    await stores.uploads.completed(await stores.uploads.completing(first.id, PARTS))
    newest = await stores.recordings.newest(lecture.id)
    assert isinstance(newest, Recording)
    assert newest.id == second.id


# Idempotency keys


async def test_an_answer_is_kept_under_its_key(stores: MongoStores) -> None:
    kept = stores.idempotency
    key = a_slug()
    assert await kept.begin("ada", key, "request one") is None
    with pytest.raises(Conflict, match="still runs"):
        await kept.begin("ada", key, "request one")
    answer = {"status": 201, "headers": {"ETag": '"1.x"'}, "body": {"$id": "1.2"}}
    await kept.finish("ada", key, answer)
    assert await kept.begin("ada", key, "request one") == answer
    with pytest.raises(Invalid, match="another request"):
        await kept.begin("ada", key, "request two")
    assert await kept.begin("bob", key, "request two") is None


async def test_a_failed_request_frees_its_key(stores: MongoStores) -> None:
    key = a_slug()
    await stores.idempotency.begin("ada", key, "one")
    await stores.idempotency.forget("ada", key)
    assert await stores.idempotency.begin("ada", key, "two") is None


async def test_a_key_whose_request_died_is_free_after_a_minute(stores: MongoStores) -> None:
    key = a_slug()
    await stores.idempotency.begin("ada", key, "one")
    await stores.database.idempotency.update_one(
        {"_id.key": key}, {"$set": {"begun_at": now() - timedelta(minutes=2)}}
    )
    outcomes = await asyncio.gather(
        *(stores.idempotency.begin("ada", key, "one") for _ in range(4)), return_exceptions=True
    )
    assert outcomes.count(None) == 1


async def test_kept_answers_expire(stores: MongoStores) -> None:
    indexes = await stores.database.idempotency.index_information()
    assert [index.get("expireAfterSeconds") for index in indexes.values()] == [None, 0]
