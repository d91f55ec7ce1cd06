"""Taking a lecture down: what is deleted, who is told, and what a crash leaves is finished."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from academy.errors import Unavailable
from academy.mongo.journal import MongoJournal
from academy.purge_hook import PurgeHook
from academy.taking_down import Erasing
from academy.uploads import UploadState
from tests.documents import PUBLICATION, a_claim_of, a_receipt, media_for

REASON = {"reason": "Complaint 17: shows a patient"}


class Lecture:
    """Published media with their objects, a recording's source, and an upload under way."""

    def __init__(self, backend, settings, body):
        self.backend, self.settings, self.id = backend, settings, body["id"]

    async def fill(self):
        stores, storage = self.backend.stores, self.backend.storage
        lecture = await stores.courses.lecture(self.id)
        self.job = await a_claim_of(stores, lecture)
        self.media = await stores.jobs.freeze(self.job, media_for(self.job))
        await asyncio.to_thread(self.record, 0)
        await stores.jobs.succeed(self.job, PUBLICATION)
        self.keys = [
            f"recordings/{self.job.recording_id}/source",
            *(
                f"media/{self.media.id}/{name}"
                for name in ("v360/0-1.m4s", PUBLICATION.hls, "captions/zh-1.vtt", "poster-1.jpg")
            ),
        ]
        for key in self.keys:
            storage.put(key, b"bytes", content_type="video/mp4")

    def record(self, number):
        assert self.job.lease is not None
        MongoJournal(
            self.settings.mongodb_url,
            self.settings.mongodb_database,
            media_id=self.media.id,
            job_id=self.job.id,
            token=self.job.lease.token,
        ).record([a_receipt(number)])

    def stored(self):
        storage = self.backend.storage
        return {
            each.key
            for prefix in (f"recordings/{self.job.recording_id}/", f"media/{self.media.id}/")
            for each in storage.list(prefix)
        }


@pytest.fixture
async def lecture(backend, api_settings, add_course, add_lecture, request):
    slug = f"down-{abs(hash(request.node.name))}"
    await add_course(slug, published=True)
    made = Lecture(backend, api_settings, await add_lecture(slug, published=True))
    await made.fill()
    return made


async def test_everything_of_a_lecture_is_deleted_and_who_and_why_is_kept(
    lecture, anyone, teacher, admin, backend
):
    begun = await teacher.post(
        f"/v1/lectures/{lecture.id}/uploads", json={"filename": "again.mp4", "size": 9}
    )
    address = (await anyone.get(f"/v1/lectures/{lecture.id}")).json()["playback"]["hls"]
    assert (await anyone.get(address)).status_code == 200
    done = await admin.post(f"/v1/lectures/{lecture.id}/takedown", json=REASON)
    assert done.status_code == 200, done.text
    assert lecture.stored() == set()
    assert (await anyone.get(address)).status_code == 404
    gone = await anyone.get(f"/v1/lectures/{lecture.id}")
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:academy:problem:taken_down")
    assert REASON["reason"] not in gone.text
    stores = backend.stores
    assert await stores.recordings.newest(lecture.id) is None
    assert await stores.media.receipts(lecture.media.id) == []
    assert (await stores.uploads.get(begun.json()["id"])).state is UploadState.ABORTED
    kept = (await admin.get("/v1/takedowns")).json()["items"][0]
    assert kept["lecture_id"] == lecture.id
    assert (kept["reason"], kept["taken_down_by"]) == (REASON["reason"], "root")
    assert kept["trouble"] is None
    # Its owner finds an empty draft.
    left = (await teacher.get(f"/v1/lectures/{lecture.id}")).json()
    assert (left["published"], left["playback"]["state"]) == (False, "none")
    again = await admin.post(f"/v1/lectures/{lecture.id}/takedown", json={"reason": "again"})
    assert again.status_code == 200  # the upload's record is still there to be deleted


async def test_a_lecture_without_a_recording_has_nothing_to_take_down(
    admin, add_course, add_lecture
):
    await add_course("nothing-yet")
    body = await add_lecture("nothing-yet")
    answer = await admin.post(f"/v1/lectures/{body['id']}/takedown", json=REASON)
    assert (answer.status_code, answer.json()["detail"][:12]) == (409, "This lecture")


async def test_a_takedown_is_refused_without_a_reason_and_to_others(lecture, admin, teacher):
    url = f"/v1/lectures/{lecture.id}/takedown"
    assert (await admin.post(url, json={"reason": "  "})).status_code == 422
    assert (await teacher.post(url, json=REASON)).status_code == 403
    assert lecture.stored() == set(lecture.keys)


async def test_a_running_job_loses_its_lease_and_writes_no_receipt(lecture, admin, backend):
    lecture.job = await a_claim_of(backend.stores, await backend.stores.courses.lecture(lecture.id))
    lecture.media = await backend.stores.jobs.freeze(lecture.job, media_for(lecture.job))
    done = await admin.post(f"/v1/lectures/{lecture.id}/takedown", json=REASON)
    assert done.status_code == 200, done.text
    with pytest.raises(Exception, match="lease"):
        await asyncio.to_thread(lecture.record, 0)
    # What its worker was just writing is deleted by the second look, which also ends the takedown.
    backend.storage.put(f"media/{lecture.media.id}/v360/9-1.m4s", b"late", content_type="video/mp4")
    erasing = Erasing(backend.stores.takedowns, backend.storage, PurgeHook(None, "http://media"))
    assert [each.id for each in await backend.stores.takedowns.unfinished()]
    await erasing.settle(settling=timedelta(0))
    assert lecture.stored() == set()
    assert await backend.stores.takedowns.unfinished() == []


class Cdn(BaseHTTPRequestHandler):
    """Fails once, then takes what it is told."""

    told: ClassVar[list[tuple[str | None, bytes]]]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.told.append((self.headers["authorization"], body))
        self.send_response(500 if len(self.told) == 1 else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def cdn():
    class Handler(Cdn):
        told: ClassVar[list[tuple[str | None, bytes]]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/purge", Handler.told
        server.shutdown()
        thread.join()


async def test_the_cdn_is_told_until_it_has_heard_and_then_no_more(lecture, backend, cdn):
    url, told = cdn
    store = backend.stores.takedowns
    erasing = Erasing(store, backend.storage, PurgeHook(url, "https://cdn.example", "s3cret"))
    takedown = await store.begin(lecture.id, reason="R", by="root")
    with pytest.raises(Unavailable, match="500"):
        await erasing.erase(takedown)
    assert lecture.stored() == set()  # deleted all the same
    [left] = [each for each in await store.unfinished() if each.id == takedown.id]
    assert "500" in (left.trouble or "")
    for _ in range(2):
        await erasing.settle(settling=timedelta(hours=1))
    assert len(told) == 2
    assert told[1][0] == "Bearer s3cret"
    assert f"https://cdn.example/media/{lecture.media.id}/".encode() in told[1][1]
    assert b"recordings" not in told[1][1]
    await erasing.settle(settling=timedelta(0))
    assert takedown.id not in [each.id for each in await store.unfinished()]
