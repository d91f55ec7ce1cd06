"""What is read with a token is conditional, too: asked again it is 304, until something changes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from academy.courses import now
from academy.jobs import Progress
from academy.uploads import MIB
from tests.documents import a_claim_of, a_slug
from tests.fixtures_api import Client
from tests.fixtures_learning import watch


@dataclass(frozen=True)
class Read:
    """`change`: makes what is read something else."""

    client: Client
    path: str
    change: Callable[[], Awaitable[Any]]


@pytest.fixture
async def course(add_curriculum):
    return await add_curriculum(40.0)


@pytest.fixture
def learner(sign_in):
    return sign_in("learner", f"reader-{a_slug()}")


@pytest.fixture
def here(app, backend, anyone, admin, teacher, learner, course, monkeypatch):
    return SimpleNamespace(**locals())


async def recording(here):
    stores, (lecture,) = here.backend.stores, here.course.ids
    job = await a_claim_of(stores, await stores.courses.lecture(lecture))

    async def change():
        await stores.jobs.extend(job, Progress(stage="encoding", fraction=0.5))

    return Read(here.teacher, f"/v1/lectures/{lecture}/recording", change)


async def arriving(here):
    """An upload's state."""
    teacher = here.teacher
    body = {"filename": "a.mp4", "size": 9 * MIB}
    begun = await teacher.post(f"/v1/lectures/{here.course.ids[0]}/uploads", json=body)
    path = begun.headers["location"]

    async def change():
        signed = await teacher.post(f"{path}/parts", json={"numbers": [2]})
        (link,) = signed.json()["urls"]
        sent = await teacher.put(link["url"], content=bytes(MIB), headers=link["headers"])
        assert sent.status_code == 200

    return Read(teacher, path, change)


async def uppys(here):
    """The same as Uppy reads it, without a token."""
    anyone = here.anyone
    begun = await here.teacher.post(
        "/v1/uppy/s3/multipart",
        json={"filename": "a.mp4", "metadata": {"lecture": here.course.ids[0]}},
    )
    path, key = f"/v1/uppy/s3/multipart/{begun.json()['uploadId']}", begun.json()["key"]

    async def change():
        link = (await anyone.get(f"{path}/1", params={"key": key})).json()
        sent = await anyone.put(link["url"], content=bytes(MIB), headers=link["headers"])
        assert sent.status_code == 200

    return Read(anyone, f"{path}?key={key}", change)


def learned(path):
    async def read(here):
        learner, course = here.learner, here.course
        await learner.put(f"/v1/courses/{course.slug}/enrolment")
        await watch(learner, course.ids[0], (0, 10))

        async def change():
            await watch(learner, course.ids[0], (20, 30))

        return Read(learner, path, change)

    return read


async def certificates(here):
    learner, course = here.learner, here.course
    await learner.put(f"/v1/courses/{course.slug}/enrolment")
    await watch(learner, course.ids[0], (0, 40))

    async def change():
        claimed = await learner.post(f"/v1/courses/{course.slug}/certificate", json={"name": "Zoë"})
        assert claimed.status_code == 201

    return Read(learner, "/v1/me/certificates", change)


async def invitations(here):
    teacher, path = here.teacher, f"/v1/lectures/{here.course.ids[0]}/invitations"

    async def change():
        assert (await teacher.post(path, json={})).status_code == 201

    return Read(teacher, path, change)


async def captions(here):
    teacher, path = here.teacher, f"/v1/lectures/{here.course.ids[0]}/captions"

    async def change():
        text = "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
        sent = await teacher.put(f"{path}/en", content=text, headers={"Content-Type": "text/vtt"})
        assert sent.status_code == 200, sent.text

    return Read(teacher, path, change)


def stored(path):
    async def read(here):
        lecture = here.course.ids[0]

        async def change():
            body = {"filename": "a.mp4", "size": 9 * MIB}
            begun = await here.teacher.post(f"/v1/lectures/{lecture}/uploads", json=body)
            assert begun.status_code == 201

        return Read(here.admin, path.format(slug=here.course.slug), change)

    return read


async def statistics(here):
    course, audiences = here.course, here.app.state.services.learners.audiences

    async def change():
        await here.learner.put(f"/v1/courses/{course.slug}/enrolment")
        later = time.monotonic() + 3600  # counts are kept for a while
        here.monkeypatch.setattr(audiences, "clock", lambda: later)

    return Read(here.teacher, f"/v1/courses/{course.slug}/statistics", change)


async def takedowns(here):
    stores, (lecture,) = here.backend.stores, here.course.ids
    await a_claim_of(stores, await stores.courses.lecture(lecture))  # has a recording now

    async def change():
        path = f"/v1/lectures/{lecture}/takedown"
        taken = await here.admin.post(path, json={"reason": "By mistake."})
        assert taken.status_code == 200, taken.text

    return Read(here.admin, "/v1/takedowns", change)


READS = {
    "recording": recording,
    "upload": arriving,
    "upload for Uppy": uppys,
    "me": learned("/v1/me"),
    "progress": learned("/v1/me/progress"),
    "my courses": learned("/v1/me/courses"),
    "my certificates": certificates,
    "invitations": invitations,
    "captions": captions,
    "storage": stored("/v1/storage"),
    "storage of a course": stored("/v1/courses/{slug}/storage"),
    "statistics": statistics,
    "takedowns": takedowns,
}


@pytest.mark.parametrize("name", READS)
async def test_it_is_304_until_it_changes(name, here):
    read = await READS[name](here)
    first = await read.client.get(read.path)
    assert first.status_code == 200, first.text
    assert first.headers["cache-control"] == "private, no-store"
    tag = first.headers["etag"]
    assert not tag.startswith("W/")
    known = {"If-None-Match": f'"0.other", {tag}'}
    again = await read.client.get(read.path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    await read.change()
    changed = await read.client.get(read.path, headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert changed.json() != first.json()


async def test_an_export_that_is_still_current_keeps_the_instant_it_was_made(learner):
    first = await learner.get("/v1/me")
    tag = first.headers["etag"]
    later = await learner.get("/v1/me")
    assert later.json()["exported_at"] > first.json()["exported_at"]
    assert later.headers["etag"] != tag  # other bytes
    kept = await learner.get("/v1/me", headers={"If-None-Match": tag})
    assert (kept.status_code, kept.headers["etag"]) == (304, tag)


@pytest.mark.parametrize("instant", ["0", "9" * 18, "9" * 5000])
async def test_an_export_nobody_made_is_not_current(learner, instant):
    before = now().replace(microsecond=0)
    known = {"If-None-Match": f'"{instant}.0123456789abcdef01234567"'}
    answer = await learner.get("/v1/me", headers=known)
    assert answer.status_code == 200
    assert answer.json()["exported_at"] >= before.isoformat().removesuffix("+00:00")


async def test_a_webhooks_secret_has_the_webhooks_revision(admin):
    body = {"url": "https://portal.example.org/hooks", "events": ["lecture.ready"]}
    made = await admin.post("/v1/webhooks", json=body)
    path = made.headers["location"]
    secret = await admin.get(f"{path}/secret")
    rotated = await admin.post(f"{path}/rotate", headers={"If-Match": secret.headers["etag"]})
    assert rotated.status_code == 200, rotated.text
    read = await admin.get(f"{path}/secret", headers={"If-None-Match": rotated.headers["etag"]})
    assert read.status_code == 304
    stale = await admin.post(f"{path}/rotate", headers={"If-Match": secret.headers["etag"]})
    assert stale.status_code == 412
