"""What administrators see of the queue, and how they steer it."""

from __future__ import annotations

import pytest

from academy.jobs import Failure, FailureKind, JobState
from tests.documents import a_claim_of, a_recording_of


@pytest.fixture
async def lecture(request, backend, add_course, add_lecture):
    slug = f"adm-{abs(hash(request.node.name))}"
    await add_course(slug)
    made = await add_lecture(slug)
    return await backend.stores.courses.lecture(made["id"])


@pytest.fixture
async def claimed(backend, lecture):
    job = await a_claim_of(backend.stores, lecture)
    yield job
    newest = await backend.stores.jobs.newest(job.recording_id)
    if newest.active:
        await backend.stores.jobs.cancel(job.recording_id)


async def test_a_failure_is_shown_with_the_last_lines_of_ffmpeg(backend, admin, claimed, lecture):
    detail = "[h264 @ 0x1] error while decoding MB 3 4"
    failure = Failure(code="no_video", message="No.", kind=FailureKind.SOURCE, detail=detail)
    await backend.stores.jobs.fail(claimed, failure)
    answer = await admin.get("/v1/admin/jobs", params={"state": "failed"})
    [shown] = [each for each in answer.json()["items"] if each["id"] == claimed.id]
    assert shown["failure"]["detail"] == detail
    assert (shown["course"], shown["filename"], shown["size"]) == (
        lecture.course,
        "lecture.mp4",
        12,
    )
    assert (await admin.get("/v1/admin/queue")).json()["failures"]["no_video"] == 1


async def test_a_failure_that_is_repeated_is_shown_while_the_job_waits(backend, admin, claimed):
    failure = Failure(code="engine_lost", message="Away.", kind=FailureKind.TRANSIENT)
    await backend.stores.jobs.fail(claimed, failure)
    queue = (await admin.get("/v1/admin/queue")).json()
    assert (queue["states"]["queued"], queue["waiting"], queue["ready"]) == (1, 1, 0)
    [shown] = (await admin.get("/v1/admin/jobs", params={"state": "queued"})).json()["items"]
    assert shown["failure"]["code"] == "engine_lost"
    moved = await admin.post(f"/v1/admin/jobs/{claimed.id}/requeue")
    assert moved.json() == {"id": claimed.id, "changed": True}
    queue = (await admin.get("/v1/admin/queue")).json()
    assert (queue["waiting"], queue["ready"]) == (0, 1)
    assert queue["oldest"] >= 0
    again = await admin.post(f"/v1/admin/jobs/{claimed.id}/requeue")
    assert again.json()["changed"] is False


async def test_a_running_job_is_taken_from_its_transcoder_and_not_counted(backend, admin, claimed):
    moved = await admin.post(f"/v1/admin/jobs/{claimed.id}/requeue")
    assert moved.json()["changed"] is True
    taken = await backend.stores.jobs.claim_next("another")
    assert taken.id == claimed.id
    assert taken.lease.token != claimed.lease.token
    document = await backend.stores.database.jobs.find_one({"_id": claimed.id})
    assert (document["attempts"], document["handed_back"]) == (2, 1)


async def test_a_job_is_cancelled_and_tried_again_by_id(backend, admin, claimed):
    assert (await admin.post(f"/v1/admin/jobs/{claimed.id}/retry")).status_code == 409
    assert (await admin.post(f"/v1/admin/jobs/{claimed.id}/cancel")).json()["id"] == claimed.id
    assert (await admin.post(f"/v1/admin/jobs/{claimed.id}/cancel")).status_code == 409
    made = (await admin.post(f"/v1/admin/jobs/{claimed.id}/retry")).json()
    assert made["id"] != claimed.id
    newest = await backend.stores.jobs.newest(claimed.recording_id)
    assert (newest.id, newest.state) == (made["id"], JobState.QUEUED)


async def test_jobs_are_listed_in_pages_newest_first(backend, admin, lecture):
    made = [(await a_recording_of(backend.stores, lecture)).id for _ in range(3)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        body = (await admin.get("/v1/admin/jobs", params=query)).json()
        seen += [(each["id"], each["recording_id"]) for each in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert [each for _, each in seen if each in made] == made[::-1]
    assert len(seen) == len(set(seen))
    for each in made:
        await backend.stores.jobs.cancel(each)


async def test_transcoders_that_fall_silent_are_shown_as_away(backend, admin):
    store = backend.stores.operating
    await store.report("host:1", leases=2, encoders=8, encoder="9.0", profile="default")
    await store.report("host:2", leases=0, encoders=None, encoder="9.0", profile="$x")
    long_ago = {"$dateSubtract": {"startDate": "$$NOW", "unit": "minute", "amount": 1}}
    await backend.stores.database.transcoders.update_one(
        {"_id": "host:2"}, [{"$set": {"seen_at": long_ago}}]
    )
    items = (await admin.get("/v1/admin/transcoders")).json()["items"]
    assert [(each["id"], each["away"], each["encoders"]) for each in items] == [
        ("host:1", False, 8),
        ("host:2", True, None),
    ]
    assert items[1]["profile"] == "$x"
    await store.leave("host:1")
    assert len((await admin.get("/v1/admin/transcoders")).json()["items"]) == 1
