from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import timedelta

import pytest

from academy.courses import now
from academy.intake import display_name
from academy.people import Role
from academy.tokens import issue
from academy.uploads import MIB, UploadState
from api.app import create_app
from tests.documents import an_upload
from tests.fixtures_api import client_of

SIZE = 8 * MIB + 5


@pytest.fixture(scope="module")
async def lecture(add_course, add_lecture):
    await add_course("uploads")
    return (await add_lecture("uploads"))["id"]


async def begin(client, lecture, **members):
    body = {"filename": "a.mp4", "size": SIZE, "content_type": "video/mp4", **members}
    return await client.post(f"/v1/lectures/{lecture}/uploads", json=body)


async def send(client, upload, number, data, **asked):
    body = asked or {"numbers": [number]}
    links = await client.post(f"/v1/uploads/{upload}/parts", json=body)
    assert links.status_code == 200, links.text
    link = links.json()["urls"][0]
    assert (link["number"], link["method"]) == (number, "PUT")
    return await client.put(link["url"], content=data, headers=link["headers"])


async def test_a_recording_arrives_in_parts_and_completes_repeatably(teacher, lecture):
    begun = await begin(teacher, lecture)
    assert begun.status_code == 201
    plan = begun.json()
    assert (plan["part_size"], plan["part_count"], plan["state"]) == (8 * MIB, 2, "open")
    path = begun.headers["location"]
    assert path == f"/v1/uploads/{plan['id']}"

    last = await send(teacher, plan["id"], 2, b"12345")
    assert last.status_code == 200
    status = (await teacher.get(path)).json()
    tag = last.headers["etag"].strip('"')
    assert status["parts"] == [{"number": 2, "size": 5, "etag": tag}]

    early = await teacher.post(f"{path}/complete")
    assert early.status_code == 409
    assert "1 did not arrive" in early.json()["detail"]
    assert (await teacher.get(path)).json()["state"] == "open"

    digest = base64.b64encode(hashlib.md5(bytes(8 * MIB), usedforsecurity=False).digest()).decode()
    wrong = await send(teacher, plan["id"], 1, b"x" * 8 * MIB, parts=[{"number": 1, "md5": digest}])
    assert wrong.status_code >= 400
    right = await send(teacher, plan["id"], 1, bytes(8 * MIB), parts=[{"number": 1, "md5": digest}])
    assert right.status_code == 200

    done = await teacher.post(f"{path}/complete")
    again = await teacher.post(f"{path}/complete")
    assert (done.status_code, again.status_code) == (202, 202)
    assert done.json() == again.json()
    status = (await teacher.get(path)).json()
    assert (status["state"], status["recording_id"]) == ("completed", done.json()["recording_id"])
    assert [part["number"] for part in status["parts"]] == [1, 2]

    late = await teacher.post(f"{path}/parts", json={"numbers": [1]})
    assert late.status_code == 409
    assert (await teacher.delete(path)).status_code == 409
    recording = (await teacher.get(f"/v1/lectures/{lecture}/recording")).json()
    assert recording["state"] == "queued"
    assert recording["id"] == done.json()["recording_id"]


async def test_neighbours_sent_together_arrive_as_one_part_that_stands_for_all(teacher, lecture):
    plan = (await begin(teacher, lecture, size=3 * 8 * MIB + 5)).json()
    path = f"/v1/uploads/{plan['id']}"
    data = bytes(range(256)) * 4096 * 16
    digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    together = {"number": 2, "count": 2, "md5": digest}
    short = await send(teacher, plan["id"], 2, data[:-1], parts=[together])
    assert short.status_code == 422
    assert (await send(teacher, plan["id"], 2, data, parts=[together])).status_code == 200
    status = (await teacher.get(path)).json()
    assert [(part["number"], part["size"]) for part in status["parts"]] == [(2, 16 * MIB)]
    assert status["missing"] == [1, 4]
    early = await teacher.post(f"{path}/complete")
    assert "Of 4 parts, 1, 4 did not arrive" in early.json()["detail"]

    assert (await send(teacher, plan["id"], 2, data[: 8 * MIB])).status_code == 200
    assert (await teacher.get(path)).json()["missing"] == [1, 3, 4], "alone it stands for itself"
    rest = data[8 * MIB :] + b"12345"
    last = {"number": 3, "count": 2}
    assert (await send(teacher, plan["id"], 3, rest, parts=[last])).status_code == 200
    assert (await send(teacher, plan["id"], 1, data[: 8 * MIB])).status_code == 200
    assert (await teacher.get(path)).json()["missing"] == []
    assert (await teacher.post(f"{path}/complete")).status_code == 202
    done = (await teacher.get(path)).json()
    assert ([part["number"] for part in done["parts"]], done["missing"]) == ([1, 2, 3], [])


async def test_an_upload_outlives_the_token_that_began_it(app, backend, teacher, sign_in, lecture):
    """Gigabytes over a slow line take longer than a token lives, and may go on from another machine."""
    plan = (await begin(teacher, lecture)).json()
    path = f"/v1/uploads/{plan['id']}"
    assert (await send(teacher, plan["id"], 2, b"12345")).status_code == 200
    expired = issue(backend.keys, Role.INSTRUCTOR, "teacher", -60)
    async with client_of(app, {"Authorization": f"Bearer {expired}"}) as late:
        assert (await late.get(path)).status_code == 401
        assert (await late.post(f"{path}/parts", json={"numbers": [1]})).status_code == 401
    renewed = sign_in("instructor", "teacher")
    there = (await renewed.get(path)).json()["parts"]
    assert [part["number"] for part in there] == [2]
    assert (await send(renewed, plan["id"], 1, bytes(8 * MIB))).status_code == 200
    assert (await renewed.post(f"{path}/complete")).status_code == 202


async def test_another_machine_finds_what_can_go_on(teacher, sign_in, lecture):
    first = (await begin(teacher, lecture)).json()
    over = (await begin(teacher, lecture)).json()
    await teacher.delete(f"/v1/uploads/{over['id']}")
    second = (await begin(teacher, lecture)).json()
    elsewhere = sign_in("instructor", "teacher")
    listed = (await elsewhere.get(f"/v1/lectures/{lecture}/uploads")).json()["items"]
    found = [each["id"] for each in listed]
    assert over["id"] not in found
    assert found.index(second["id"]) < found.index(first["id"])
    assert (listed[0]["filename"], listed[0]["size"], listed[0]["state"]) == ("a.mp4", SIZE, "open")


async def test_an_aborted_upload_takes_nothing_more(teacher, lecture):
    plan = (await begin(teacher, lecture)).json()
    path = f"/v1/uploads/{plan['id']}"
    await send(teacher, plan["id"], 2, b"12345")
    assert (await teacher.delete(path)).status_code == 204
    assert (await teacher.delete(path)).status_code == 204
    status = (await teacher.get(path)).json()
    assert (status["state"], status["parts"]) == ("aborted", [])
    assert (await teacher.post(f"{path}/parts", json={"numbers": [1]})).status_code == 409
    assert (await teacher.post(f"{path}/complete")).status_code == 409


async def test_a_repeated_begin_with_the_same_key_is_the_same_upload(teacher, lecture):
    key = {"Idempotency-Key": "begin"}
    body = {"filename": "a.mp4", "size": 5}
    path = f"/v1/lectures/{lecture}/uploads"
    first = await teacher.post(path, json=body, headers=key)
    again = await teacher.post(path, json=body, headers=key)
    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("members", "status", "pointer"),
    [
        ({"size": 0}, 422, "/size"),
        ({"size": -1}, 422, "/size"),
        ({"size": "many"}, 422, "/size"),
        ({"filename": ""}, 422, "/filename"),
        ({"content_type": "video"}, 422, "/content_type"),
        ({"content_type": "video/mp4\r\nX: y"}, 422, "/content_type"),
        ({"size": 64 * MIB + 1}, 413, None),
    ],
)
async def test_what_cannot_be_uploaded_is_refused_at_the_beginning(
    teacher, lecture, members, status, pointer
):
    answer = await begin(teacher, lecture, **members)
    assert answer.status_code == status
    if pointer is None:
        assert answer.json()["type"] == "urn:academy:problem:too_large"
        assert str(64 * MIB) in answer.json()["detail"]
    else:
        assert [wrong["pointer"] for wrong in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"numbers": [1], "parts": [{"number": 1}]}, ""),
        ({"numbers": []}, "/numbers"),
        ({"numbers": [0]}, "/numbers/0"),
        ({"numbers": [3]}, "/parts/0/number"),
        ({"parts": [{"number": 1, "md5": "short"}]}, "/parts/0/md5"),
        ({"parts": [{"number": 1, "count": 0}]}, "/parts/0/count"),
        ({"parts": [{"number": 2, "count": 2}]}, "/parts/0/count"),
        ({"parts": [{"number": 1, "count": 10**30}]}, "/parts/0/count"),
    ],
)
async def test_wrong_lists_of_parts_are_refused(teacher, lecture, body, pointer):
    plan = (await begin(teacher, lecture)).json()
    answer = await teacher.post(f"/v1/uploads/{plan['id']}/parts", json=body)
    assert answer.status_code == 422
    assert [wrong["pointer"] for wrong in answer.json()["errors"]] == [pointer]


async def test_an_unknown_upload_is_not_found(teacher):
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/complete")]:
        answer = await teacher.request(method, f"/v1/uploads/nothing{path}")
        assert answer.status_code == 404


async def test_uploads_are_shown_to_their_owner_only_and_never_kept(teacher, lecture):
    answer = await begin(teacher, lecture)
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("lecture.mp4", "lecture.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\第一讲.mov", "第一讲.mov"),
        ("a\u202egpj.exe\x00\n.mp4", "agpj.exe.mp4"),
        ("  .. ", "recording"),
        ("/", "recording"),
        ("x" * 300 + ".mkv", "x" * 196 + ".mkv"),
        ("x" * 300, "x" * 200),
    ],
)
def test_file_names_are_made_safe_to_show(sent, shown):
    assert display_name(sent) == shown


async def test_a_server_that_starts_clears_up_what_was_left(lecture, stores, api_settings, teacher):
    upload = an_upload(lecture, 99, expires_at=now() - timedelta(hours=1))
    await stores.uploads.add(upload)
    other = create_app(api_settings)
    async with other.router.lifespan_context(other):
        while (await stores.uploads.get(upload.id)).state is UploadState.OPEN:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    answer = await teacher.get(f"/v1/uploads/{upload.id}")
    assert answer.json()["state"] == "expired"
    assert (await teacher.post(f"/v1/uploads/{upload.id}/complete")).status_code == 409
