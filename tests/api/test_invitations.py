"""A visiting professor with a link: sends one recording to one lecture, and can do nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from academy.courses import now
from academy.invitations import Invitation, token_of
from academy.jobs import Failure, FailureKind
from academy.uploads import MIB
from api.guests import OPERATIONS
from tests.api.authorization_table import TABLE
from tests.documents import INSPECTION, a_slug
from tests.fixtures_api import client_of

FILE = {"filename": "cours.mp4", "size": 3}


@pytest.fixture
async def lecture(add_course, add_lecture) -> str:
    """A draft of a draft course: a guest needs no more."""
    slug = a_slug()
    await add_course(slug, title={"zh": "课程", "fr": "Le cours"})
    return str((await add_lecture(slug, title={"zh": "一讲", "fr": "La leçon"}))["id"])


@pytest.fixture
def guest_of(app):
    clients = []

    def made(invitation: dict[str, Any]) -> httpx.AsyncClient:
        clients.append(client_of(app, {"Authorization": f"Bearer {invitation['token']}"}))
        return clients[-1]

    return made


async def invite(teacher, lecture, **body: Any) -> dict[str, Any]:
    answer = await teacher.post(f"/v1/lectures/{lecture}/invitations", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def send(guest, backend, lecture) -> str:
    """Begins an upload and puts its one part; the upload's id."""
    begun = await guest.post(f"/v1/lectures/{lecture}/uploads", json=FILE)
    assert begun.status_code == 201, begun.text
    upload: str = begun.json()["id"]
    signed = await guest.post(f"/v1/uploads/{upload}/parts", json={"numbers": [1]})
    assert signed.status_code == 200, signed.text
    link = signed.json()["urls"][0]
    put = await guest.request(link["method"], link["url"], content=b"abc", headers=link["headers"])
    assert put.status_code == 200
    return upload


async def test_a_guest_sends_one_recording_and_sees_what_was_found(
    teacher, backend, lecture, guest_of
):
    made = await invite(teacher, lecture, note="Prof. Martin", expires_in=3600)
    assert made["url"] == f"http://academy.test/invite#{made['token']}"
    guest = guest_of(made)
    before = (await guest.get("/v1/invitation", params={"lang": "fr"})).json()
    assert (before["state"], before["lecture"], before["course"]) == (
        "open",
        "La leçon",
        "Le cours",
    )
    upload = await send(guest, backend, lecture)
    assert (await guest.get(f"/v1/uploads/{upload}")).json()["parts"][0]["size"] == 3
    done = await guest.post(f"/v1/uploads/{upload}/complete")
    assert done.status_code == 202
    assert (await guest.post(f"/v1/uploads/{upload}/complete")).json() == done.json()
    job = await backend.stores.jobs.claim_next("this test")
    await backend.stores.jobs.inspected(job, INSPECTION)
    after = (await guest.get("/v1/invitation")).json()
    assert (after["state"], after["upload_id"]) == ("used", upload)
    assert after["recording"]["inspection"]["container"] == "mp4"
    again = await guest.post(f"/v1/lectures/{lecture}/uploads", json=FILE)
    assert (again.status_code, again.json()["type"]) == (
        409,
        "urn:academy:problem:invitation_used",
    )
    await backend.stores.jobs.cancel(job.recording_id)


async def test_of_two_uploads_through_one_invitation_one_is_completed(
    teacher, backend, lecture, guest_of
):
    guest = guest_of(await invite(teacher, lecture))
    first, second = [await send(guest, backend, lecture) for _ in range(2)]
    assert (await guest.post(f"/v1/uploads/{first}/complete")).status_code == 202
    assert (await guest.post(f"/v1/uploads/{second}/complete")).status_code == 409
    await backend.stores.jobs.cancel((await backend.stores.uploads.get(first)).recording_id)


async def test_a_recording_that_was_none_may_be_sent_again(teacher, backend, lecture, guest_of):
    guest = guest_of(await invite(teacher, lecture))
    upload = await send(guest, backend, lecture)
    await guest.post(f"/v1/uploads/{upload}/complete")
    job = await backend.stores.jobs.claim_next("this test")
    sentence = Failure(code="not_media", message="No recording.", kind=FailureKind.SOURCE)
    await backend.stores.jobs.fail(job, sentence)
    seen = (await guest.get("/v1/invitation")).json()
    assert seen["recording"]["failure"]["code"] == "not_media"
    better = await send(guest, backend, lecture)
    assert (await guest.post(f"/v1/uploads/{better}/complete")).status_code == 202
    await backend.stores.jobs.cancel((await backend.stores.uploads.get(better)).recording_id)


async def test_revoking_works_at_once_and_ends_what_is_being_sent(
    teacher, backend, lecture, guest_of
):
    made = await invite(teacher, lecture)
    guest = guest_of(made)
    upload = await send(guest, backend, lecture)
    for _ in range(2):
        assert (await teacher.delete(f"/v1/invitations/{made['id']}")).status_code == 204
    for answer in (
        await guest.get("/v1/invitation"),
        await guest.post(f"/v1/uploads/{upload}/complete"),
        await guest.post(f"/v1/lectures/{lecture}/uploads", json=FILE),
    ):
        assert (answer.status_code, answer.json()["type"]) == (
            410,
            "urn:academy:problem:invitation_ended",
        )
    assert (await teacher.get(f"/v1/uploads/{upload}")).json()["state"] == "aborted"
    listed = (await teacher.get(f"/v1/lectures/{lecture}/invitations")).json()["items"]
    assert [(each["id"], each["state"]) for each in listed] == [(made["id"], "revoked")]


async def test_an_invitation_expires(backend, lecture, guest_of):
    old = Invitation(lecture_id=lecture, created_by="teacher", expires_at=now() - timedelta(1))
    await backend.stores.invitations.add(old)
    answer = await guest_of({"token": token_of(backend.keys, old.id)}).get("/v1/invitation")
    assert answer.json()["type"] == "urn:academy:problem:invitation_ended"


@pytest.mark.parametrize("token", ["inv.", "inv.x", f"inv.{'0' * 32}.{'0' * 40}"])
async def test_an_invitation_that_was_never_made_opens_nothing(guest_of, token):
    answer = await guest_of({"token": token}).get("/v1/invitation")
    assert answer.status_code == 401


async def test_a_guest_may_do_nothing_else(teacher, lecture, guest_of, app):
    """Every route there is, also about the very lecture."""
    guest = guest_of(await invite(teacher, lecture))
    named = {
        f"{method.upper()} {path}": found["operationId"]
        for path, methods in app.openapi()["paths"].items()
        for method, found in methods.items()
    }
    values = dict.fromkeys(
        ("slug", "code", "kid", "token", "name", "webhook_id", "delivery_id", "number"), "1"
    )
    judged = 0
    for route, row in TABLE.items():
        if named[route] in OPERATIONS or row.kind == "public":
            continue
        method, template = route.split(" ")
        path = template.format_map(_Values(values | {"lecture_id": lecture}))
        answer = await guest.request(method, path, json=row.body, headers=row.headers)
        assert answer.status_code in {401, 422}, (route, answer.text)
        judged += 1
    assert judged > 40


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "none"


async def test_a_guest_reaches_no_other_lecture_and_no_other_upload(
    teacher, backend, lecture, guest_of, add_course, add_lecture
):
    slug = a_slug()
    await add_course(slug, published=True)
    other = (await add_lecture(slug, published=True))["id"]
    own = (await teacher.post(f"/v1/lectures/{lecture}/uploads", json=FILE)).json()["id"]
    guest = guest_of(await invite(teacher, lecture))
    assert (await guest.post(f"/v1/lectures/{other}/uploads", json=FILE)).status_code == 404
    assert (await guest.get(f"/v1/lectures/{other}/uploads")).status_code == 404
    mine = (await guest.post(f"/v1/lectures/{lecture}/uploads", json=FILE)).json()["id"]
    listed = (await guest.get(f"/v1/lectures/{lecture}/uploads")).json()["items"]
    assert [each["id"] for each in listed] == [mine]
    for method, path, body in (
        ("GET", f"/v1/uploads/{own}", None),
        ("POST", f"/v1/uploads/{own}/parts", {"numbers": [1]}),
        ("POST", f"/v1/uploads/{own}/complete", None),
        ("DELETE", f"/v1/uploads/{own}", None),
    ):
        answer = await guest.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)


async def test_uppy_sends_parts_of_its_own_size_with_the_token_in_its_metadata(
    app, anyone, teacher, backend, lecture
):
    token = teacher.headers["authorization"].removeprefix("Bearer ")
    meta = {"lecture": lecture, "token": token, "name": "a.mp4"}
    begun = await anyone.post(
        "/v1/uppy/s3/multipart", json={"filename": "a.mp4", "type": "video/mp4", "metadata": meta}
    )
    assert begun.status_code == 200, begun.text
    base = f"/v1/uppy/s3/multipart/{begun.json()['uploadId']}"
    key = {"key": begun.json()["key"]}
    sent = []
    for number, data in enumerate((b"x" * 5 * MIB, b"y" * 1000), 1):
        signed = (await anyone.get(f"{base}/{number}", params=key)).json()
        put = await anyone.request(
            signed["method"], signed["url"], content=data, headers=signed["headers"]
        )
        sent.append({"PartNumber": number, "ETag": put.headers["etag"]})
    listed = (await anyone.get(base, params=key)).json()
    assert [part["Size"] for part in listed] == [5 * MIB, 1000]
    wrong = await anyone.post(f"{base}/complete", params=key, json={"parts": sent[:1]})
    assert wrong.status_code == 409
    done = await anyone.post(f"{base}/complete", params=key, json={"parts": sent})
    assert done.status_code == 200, done.text
    assert json.loads(done.text)["location"].endswith(f"/v1/lectures/{lecture}")
    upload = await backend.stores.uploads.get(begun.json()["uploadId"])
    assert (upload.size, upload.part_count, upload.state) == (5 * MIB + 1000, 2, "completed")
    recording = await backend.stores.recordings.get(upload.recording_id)
    assert recording.size == upload.size
    await backend.stores.jobs.cancel(recording.id)


async def test_uppys_key_opens_one_upload_only(anyone, teacher, lecture):
    token = teacher.headers["authorization"].removeprefix("Bearer ")
    body = {"filename": "a.mp4", "metadata": {"lecture": lecture, "token": token}}
    one, two = [(await anyone.post("/v1/uppy/s3/multipart", json=body)).json() for _ in "12"]
    path = f"/v1/uppy/s3/multipart/{one['uploadId']}"
    for key in (two["key"], "", "0" * 40):
        assert (await anyone.get(path, params={"key": key})).status_code == 404
    assert (await anyone.delete(path, params={"key": one["key"]})).status_code == 200
    assert (await anyone.get(f"{path}/1", params={"key": one["key"]})).status_code == 409


async def test_uppy_is_told_what_is_missing(anyone, lecture):
    body: dict[str, Any] = {"filename": "a.mp4", "metadata": {}}
    answer = await anyone.post("/v1/uppy/s3/multipart", json=body)
    assert answer.json()["errors"][0]["pointer"] == "/metadata/lecture"
    body["metadata"] = {"lecture": lecture}
    assert (await anyone.post("/v1/uppy/s3/multipart", json=body)).status_code == 401
    answer = await anyone.get("/v1/uppy/s3/params", params={"filename": "a"})
    assert "shouldUseMultipart" in answer.json()["detail"]
