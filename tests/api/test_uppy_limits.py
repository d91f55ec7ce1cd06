"""Uppy never says how long a file is: what stops it are the parts that have arrived."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from academy.courses import now
from academy.intake import UNCOUNTED
from academy.quotas import Quotas
from academy.uploads import MIB, UploadState
from tests.documents import a_slug

PART = bytes(5 * MIB)


@dataclass
class Uppy:
    """One file under way."""

    client: httpx.AsyncClient
    id: str
    key: str
    lecture: str
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def sign(self, number: int) -> httpx.Response:
        return await self._ask("GET", f"/{number}")

    async def send(self, parts: int) -> None:
        for number in range(len(self.sent) + 1, len(self.sent) + parts + 1):
            signed = await self.sign(number)
            assert signed.status_code == 200, signed.text
            link = signed.json()
            put = await self.client.request(
                link["method"], link["url"], content=PART, headers=link["headers"]
            )
            assert put.status_code == 200, put.text
            self.sent.append({"PartNumber": number, "ETag": put.headers["etag"]})

    async def complete(self) -> httpx.Response:
        return await self._ask("POST", "/complete", json={"parts": self.sent})

    async def parts(self) -> httpx.Response:
        return await self._ask("GET", "")

    async def abort(self) -> httpx.Response:
        return await self._ask("DELETE", "")

    async def _ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        return await self.client.request(
            method, f"/v1/uppy/s3/multipart/{self.id}{path}", params={"key": self.key}, **body
        )


@pytest.fixture
async def course(add_course) -> str:
    slug = a_slug()
    await add_course(slug)
    return slug


@pytest.fixture
async def begin(anyone, teacher, course, add_lecture):
    lecture = (await add_lecture(course))["id"]

    async def begun(token: str | None = None) -> Uppy:
        own = teacher.headers["authorization"].removeprefix("Bearer ")
        meta = {"lecture": lecture, "token": token or own}
        answer = await anyone.post(
            "/v1/uppy/s3/multipart", json={"filename": "a.mp4", "metadata": meta}
        )
        assert answer.status_code == 200, answer.text
        return Uppy(anyone, answer.json()["uploadId"], answer.json()["key"], lecture)

    return begun


@pytest.fixture
def room(monkeypatch):
    """The course's quota."""

    def limit(course_bytes: int) -> None:
        monkeypatch.setattr(
            "api.context.quotas_of",
            lambda backend: Quotas(backend.stores.accounting, course_bytes, None),
        )

    return limit


async def pending(teacher, course) -> int:
    taken: int = (await teacher.get(f"/v1/courses/{course}/storage")).json()["pending"]
    return taken


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:academy:problem:")


async def test_no_more_parts_are_taken_once_more_has_arrived_than_this_server_takes(begin):
    upload = await begin()
    await upload.send(13)  # 65 MiB of 64
    refused = await upload.sign(UNCOUNTED + 1)
    assert problem(refused) == (413, "too_large")
    assert refused.json()["detail"] == (
        f"The file has {65 * MIB} bytes; this server takes {64 * MIB} at most."
    )
    assert problem(await upload.sign(1)) == (413, "too_large")
    assert problem(await upload.complete()) == (413, "too_large")
    assert (await upload.abort()).status_code == 200


async def test_what_has_arrived_counts_and_stops_at_the_quota(begin, room, teacher, course):
    room(12 * MIB)
    upload = await begin()
    await upload.send(2)
    assert (await upload.sign(UNCOUNTED + 1)).status_code == 200
    assert await pending(teacher, course) == 10 * MIB
    await upload.send(1)
    # One that is sent again may be larger than it was.
    for answer in (await upload.sign(2), await upload.sign(UNCOUNTED + 9), await upload.complete()):
        assert problem(answer) == (409, "quota_exceeded")
    assert "may store 12.0 MiB" in answer.json()["detail"]
    room(15 * MIB)
    assert (await upload.complete()).status_code == 200


async def test_uploads_of_uppy_completed_together_never_exceed_a_quota(
    begin, room, teacher, course
):
    room(12 * MIB)
    several = [await begin() for _ in range(4)]
    await asyncio.gather(*(upload.send(2) for upload in several))
    answers = await asyncio.gather(*(upload.complete() for upload in several))
    assert {answer.status_code for answer in answers} <= {200, 409}
    taken = [answer.status_code for answer in answers].count(200)
    assert taken <= 1
    usage = (await teacher.get(f"/v1/courses/{course}/storage")).json()
    assert usage["sources"] == taken * 10 * MIB
    # The others' parts are there until they are ended, and are told of as long.
    assert usage["pending"] == (4 - taken) * 10 * MIB
    left = [up for up, answer in zip(several, answers, strict=True) if answer.status_code == 409]
    while len(left) > 1 - taken:
        assert (await left.pop().abort()).status_code == 200
    for upload in left:
        assert (await upload.complete()).status_code == 200


@pytest.mark.parametrize("look", [1, 2])
async def test_a_part_that_arrives_while_an_upload_is_completed_is_judged_or_left_out(
    begin, room, teacher, backend, monkeypatch, look
):
    room(12 * MIB)
    upload = await begin()
    await upload.send(2)
    late = (await upload.sign(3)).json()
    looks: list[str] = []
    parts = type(backend.storage).parts
    loop = asyncio.get_running_loop()

    def then_another_arrives(self, key, upload_id):
        found = parts(self, key, upload_id)
        looks.append(upload_id)
        if len(looks) == look:
            sending = upload.client.request(
                late["method"], late["url"], content=PART, headers=late["headers"]
            )
            put = asyncio.run_coroutine_threadsafe(sending, loop).result(30)
            assert put.status_code == 200, put.text
        return found

    monkeypatch.setattr(type(backend.storage), "parts", then_another_arrives)
    answer = await upload.complete()
    assert len(looks) >= look
    if look == 1:
        assert problem(answer) == (409, "quota_exceeded")
        assert (await backend.stores.uploads.get(upload.id)).state is UploadState.OPEN
    else:
        assert answer.status_code == 200
        recording = await backend.stores.recordings.newest(upload.lecture)
        assert recording.size == 10 * MIB


async def test_what_was_joined_before_its_upload_was_opened_again_is_completed(begin, backend):
    upload = await begin()
    await upload.send(2)
    stored = await backend.stores.uploads.get(upload.id)
    parts = backend.storage.parts(stored.key, stored.storage_upload_id)
    await backend.stores.uploads.completing(upload.id, parts)
    backend.storage.complete(stored.key, stored.storage_upload_id, parts)
    await backend.stores.uploads.reopen(upload.id)
    answer = await upload.complete()
    assert answer.status_code == 200, answer.text
    assert (await backend.stores.recordings.newest(upload.lecture)).size == 10 * MIB


async def test_the_store_is_asked_once_in_sixteen_parts(begin, backend, monkeypatch):
    asked: list[str] = []
    parts = type(backend.storage).parts

    def counted(self, key, upload_id):
        asked.append(upload_id)
        return parts(self, key, upload_id)

    monkeypatch.setattr(type(backend.storage), "parts", counted)
    upload = await begin()
    monkeypatch.setattr("tests.api.test_uppy_limits.PART", b"x")
    await upload.send(2 * UNCOUNTED + 1)
    assert len(asked) == 2
    await upload.abort()


async def test_uppys_key_opens_nothing_once_the_invitation_has_expired(begin, teacher, backend):
    """As with the invitation's token itself; what it completed before stays its own."""
    late, ended = await _invited(begin, teacher), await _invited(begin, teacher)
    for upload, _ in (late, ended):
        await upload.send(1)
    assert (await late[0].complete()).status_code == 200
    for _, invitation in (late, ended):
        await backend.stores.database.invitations.update_one(
            {"_id": invitation}, {"$set": {"expires_at": now() - timedelta(seconds=1)}}
        )
    upload, _ = ended
    for answer in (
        await upload.sign(2),
        await upload.parts(),
        await upload.complete(),
        await upload.abort(),
    ):
        assert problem(answer) == (410, "invitation_ended")
    assert (await backend.stores.uploads.get(upload.id)).state is UploadState.OPEN
    assert (await late[0].complete()).status_code == 200


async def _invited(begin, teacher) -> tuple[Uppy, str]:
    lecture = (await begin()).lecture
    made = await teacher.post(f"/v1/lectures/{lecture}/invitations", json={})
    return await begin(made.json()["token"]), made.json()["id"]
