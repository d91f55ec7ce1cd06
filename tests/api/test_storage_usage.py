"""What courses and accounts take of the storage, and the quotas that stop an upload before it begins."""

from __future__ import annotations

import asyncio

import pytest

from academy.quotas import Quotas
from academy.uploads import MIB
from tests.documents import PUBLICATION, a_claim_of, media_for


async def begin(client, lecture, size):
    body = {"filename": "a.mp4", "size": size}
    return await client.post(f"/v1/lectures/{lecture['id']}/uploads", json=body)


async def test_sources_media_and_open_uploads_are_counted_by_course_and_account(
    backend, admin, teacher, sign_in, add_course, add_lecture
):
    await add_course("counted")
    await add_course("empty-one")
    lecture = await add_lecture("counted")
    document = await backend.stores.courses.lecture(lecture["id"])
    job = await a_claim_of(backend.stores, document)  # its source has 12 bytes
    await backend.stores.jobs.freeze(job, media_for(job))
    await backend.stores.jobs.succeed(job, PUBLICATION)  # 3 bytes
    begun = await begin(teacher, lecture, 1000)
    usage = (await teacher.get("/v1/courses/counted/storage")).json()
    assert usage == {
        "course": "counted", "owner": "teacher", "lectures": 1, "recordings": 1, "sources": 12,
        "media": 3, "pending": 1000, "total": 1015, "quota": None,
    }  # fmt: skip
    await teacher.delete(f"/v1/uploads/{begun.json()['id']}")
    assert (await teacher.get("/v1/courses/counted/storage")).json()["total"] == 15
    assert (
        await sign_in("instructor", "other").get("/v1/courses/counted/storage")
    ).status_code == 404
    listed = {each["course"]: each for each in await pages(admin, "/v1/storage/courses")}
    assert listed["counted"]["total"] == 15
    assert listed["empty-one"]["total"] == 0
    [own] = [
        each for each in await pages(admin, "/v1/storage/instructors") if each["owner"] == "teacher"
    ]
    assert (own["total"], own["courses"]) == (15, 2)
    assert (await admin.get("/v1/storage")).json()["total"] == 15
    # What deleted lectures left belongs to no course, but is there.
    await teacher.delete(f"/v1/lectures/{lecture['id']}")
    assert (await teacher.get("/v1/courses/counted/storage")).json()["total"] == 0
    assert (await admin.get("/v1/storage")).json()["total"] == 15


async def pages(client, url):
    items, cursor = [], None
    while True:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(url, params=query)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


@pytest.fixture
async def limited(app, monkeypatch):
    """The same API with quotas: `limited(course=…, instructor=…)`."""

    def limit(course=None, instructor=None):
        monkeypatch.setattr(
            "api.context.quotas_of",
            lambda backend: Quotas(backend.stores.accounting, course, instructor),
        )

    return limit


async def test_an_upload_over_a_quota_is_refused_before_it_begins(
    backend, limited, teacher, add_course, add_lecture
):
    await add_course("narrow")
    await add_course("beside")
    narrow, beside = await add_lecture("narrow"), await add_lecture("beside")
    limited(course=20 * MIB)
    assert (await begin(teacher, narrow, 15 * MIB)).status_code == 201
    before = len(list(backend.storage.under_way()))
    refused = await begin(teacher, narrow, 6 * MIB)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:academy:problem:quota_exceeded",
    )
    assert "20.0 MiB and has taken 15.0 MiB" in refused.json()["detail"]
    assert len(list(backend.storage.under_way())) == before
    assert (await begin(teacher, narrow, 5 * MIB)).status_code == 201
    assert (await begin(teacher, beside, 20 * MIB)).status_code == 201
    limited(instructor=41 * MIB)
    refused = await begin(teacher, beside, 2 * MIB)
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("The account that owns this course")


async def test_uploads_begun_together_never_exceed_a_quota(
    limited, teacher, add_course, add_lecture
):
    await add_course("crowded")
    lecture = await add_lecture("crowded")
    limited(course=10 * MIB)
    answers = await asyncio.gather(*(begin(teacher, lecture, 4 * MIB) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [answer.status_code for answer in answers].count(201) <= 2
    pending = (await teacher.get("/v1/courses/crowded/storage")).json()["pending"]
    assert pending <= 10 * MIB
