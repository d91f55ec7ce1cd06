"""A learner's own data: handed out, and erased, also where they still wait to be written."""

from __future__ import annotations

import pytest

from academy.courses import now
from academy.events import EventKind
from academy.heartbeats import HeartbeatBuffer
from academy.mongo.forgetting import Forgetting
from academy.mongo.progress import MongoProgressStore
from academy.progress import Heartbeat
from academy.webhooks import Endpoint
from tests.fixtures_learning import watch


@pytest.fixture(scope="module")
async def course(add_curriculum):
    return await add_curriculum(40.0)


@pytest.fixture(scope="module", autouse=True)
async def partner(backend):
    """Is told of certificates, or would be if it could be reached: what it is told is kept."""
    endpoint = Endpoint(
        url="https://partner.invalid/", events=[EventKind.CERTIFICATE_ISSUED], created_by="root"
    )
    await backend.stores.webhooks.add(endpoint)
    return endpoint


@pytest.fixture
async def learner(sign_in, course, request):
    """With an enrolment, progress and a certificate."""
    client = sign_in("learner", request.node.name)
    await client.put(f"/v1/courses/{course.slug}/enrolment")
    await watch(client, course.ids[0], (0, 40))
    claimed = await client.post(
        f"/v1/courses/{course.slug}/certificate",
        json={"name": "Zoë"},
        headers={"Idempotency-Key": "once"},
    )
    assert claimed.status_code == 201
    client.headers["x-code"] = claimed.json()["code"]
    return client


async def test_everything_is_handed_out(learner, course, request):
    await watch(learner, course.ids[0], (0, 40))
    mine = (await learner.get("/v1/me")).json()
    assert mine["subject"] == request.node.name
    assert [each["course"] for each in mine["enrolments"]] == [course.slug]
    assert [each["watched"] for each in mine["progress"]] == [[[0, 40]]]
    assert [each["code"] for each in mine["certificates"]] == [learner.headers["x-code"]]


async def test_nothing_is_left_after_erasing(learner, anyone, backend, request):
    while await backend.stores.webhooks.fan_out():
        pass
    deliveries = backend.stores.database.deliveries
    assert await deliveries.count_documents({"event.data.subject": request.node.name}) == 1
    for _ in range(2):
        assert (await learner.delete("/v1/me")).status_code == 204
    mine = (await learner.get("/v1/me")).json()
    assert mine["enrolments"] == mine["progress"] == mine["certificates"] == []
    path = f"/v1/certificates/{learner.headers['x-code']}"
    assert (await anyone.get(path)).status_code == 404
    database = backend.stores.database
    for name in await database.list_collection_names():
        if name == "erasures":
            continue  # a note to the other processes; gone after ten minutes
        left = await database[name].find({}).to_list()
        assert request.node.name not in str(left), name


async def test_a_certificate_stays_verifiable_if_the_learner_wants(learner, anyone):
    await learner.delete("/v1/me", params={"keep_certificates": True})
    found = await anyone.get(f"/v1/certificates/{learner.headers['x-code']}")
    assert (found.json()["status"], found.json()["name"]) == ("valid", "Zoë")
    assert (await learner.get("/v1/me")).json()["certificates"] == []
    assert (await learner.get("/v1/me/certificates")).json()["items"] == []


async def test_what_another_process_still_holds_does_not_come_back(
    learner, course, backend, request
):
    database = backend.stores.database
    other = HeartbeatBuffer(MongoProgressStore(database, Forgetting(database)))
    subject = request.node.name

    def beat(subject: str) -> Heartbeat:
        return Heartbeat(subject, course.ids[0], course.slug, 5.0, ((0.0, 5.0),), now())

    # The other process has written before, so it knows the notes of earlier erasures.
    await other.add(beat("somebody else"))
    await other.settle("somebody else")
    await other.add(beat(subject))
    await learner.delete("/v1/me")
    await other.close()
    assert (await learner.get("/v1/me")).json()["progress"] == []
    # Whoever watches on afterwards is kept again.
    await watch(learner, course.ids[0], (0, 3))
    assert len((await learner.get("/v1/me")).json()["progress"]) == 1
