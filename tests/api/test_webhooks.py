"""Webhooks from the event to the receiver, which is a server of its own."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from academy.events import EventKind
from academy.mongo.client import in_transaction
from academy.mongo.outbox import MongoEventOutbox
from tests.fixtures_learning import watch
from tests.receiver import Receiver

LOCAL = "127.0.0.0/8,::1/128"


@pytest.fixture(scope="module")
def api_settings(api_settings):
    return api_settings.model_copy(
        update={"webhook_networks": type(api_settings)(webhook_networks=LOCAL).webhook_networks}
    )


@pytest.fixture(scope="module", autouse=True)
def _look_often():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("academy.webhook_delivery.LOOK_EVERY", 0.05)
        yield


@pytest.fixture
async def receiver():
    async with Receiver() as started:
        yield started


@pytest.fixture
async def webhook(admin, receiver):
    """An endpoint at the receiver, and its secret."""
    made = await admin.post(
        "/v1/webhooks", json={"url": receiver.url, "events": ["certificate.issued"]}
    )
    assert made.status_code == 201, made.text
    address = made.headers["location"]
    secret = (await admin.get(f"{address}/secret")).json()["secret"]
    yield address, secret
    await admin.delete(address)


async def tell(backend, code="C-1", kind=EventKind.CERTIFICATE_ISSUED):
    outbox = MongoEventOutbox(backend.stores.database)

    async def work(session):
        await outbox.add(kind, {"code": code}, session)

    await in_transaction(backend.stores.database, work)


async def newest(admin, address, *, until):
    """The newest delivery, once `until` holds of it."""
    while True:
        items = (await admin.get(f"{address}/deliveries")).json()["items"]
        if items and until(items[0]):
            return items[0]
        await asyncio.sleep(0.05)


async def hurry(backend):
    """As if the pause before the next attempt had passed."""
    unclaimed = {"state": "pending", "claim": None}
    past = [{"$set": {"due_at": {"$subtract": ["$$NOW", 1]}}}]
    deliveries = backend.stores.database.deliveries
    for _ in range(1000):
        if (await deliveries.update_many(unclaimed, past)).matched_count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no delivery waits for another attempt")


def settled(delivery):
    return delivery["state"] != "pending"


async def test_a_message_is_signed_so_that_standard_libraries_verify_it(
    admin, backend, receiver, webhook
):
    address, secret = webhook
    await tell(backend)
    request = await receiver.next()
    assert Webhook(secret).verify(request.body, request.headers)["data"] == {"code": "C-1"}
    message = json.loads(request.body)
    assert message["type"] == "certificate.issued"
    assert message["timestamp"].endswith("Z")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body.replace(b"C-1", b"C-2"), request.headers)
    delivery = await newest(admin, address, until=settled)
    assert (delivery["state"], delivery["status"], delivery["attempts"]) == ("delivered", 204, 1)
    assert delivery["event_id"] == request.headers["webhook-id"]


async def test_who_meets_the_rules_gets_a_certificate_and_the_partner_hears_of_it(
    admin, sign_in, anyone, receiver, webhook, add_curriculum
):
    """The whole chain over HTTP: rules, watching, claiming, the outbox, delivery, verification."""
    address, secret = webhook
    course = await add_curriculum(100.0, 200.0)
    learner = sign_in("learner", "chained")
    rules = {"share": 0.9, "lectures": [course.lectures[100.0]]}
    path = f"/v1/courses/{course.slug}/completion-rules"
    assert (await admin.put(path, json=rules)).status_code == 200
    assert (await learner.put(f"/v1/courses/{course.slug}/enrolment")).status_code < 300
    claim = f"/v1/courses/{course.slug}/certificate"
    await watch(learner, course.lectures[100.0], (0.0, 60.0))
    assert (await learner.post(claim)).status_code == 409
    await watch(learner, course.lectures[100.0], (55.0, 95.0))
    issued = await learner.post(claim, json={"name": "Zhang San"})
    assert issued.status_code == 201, issued.text
    request = await receiver.next()
    event = Webhook(secret).verify(request.body, request.headers)
    assert event["type"] == "certificate.issued"
    assert event["data"]["course"] == course.slug
    assert event["data"]["code"] == issued.json()["code"]
    found = await anyone.get(f"/v1/certificates/{event['data']['code']}")
    assert (found.status_code, found.json()["name"]) == (200, "Zhang San")
    assert (await learner.post(claim)).status_code == 200, "claimed again, it is the same one"
    delivery = await newest(admin, address, until=settled)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    assert receiver.waiting == 0, "and nobody hears of it twice"


async def test_only_the_events_asked_for_arrive(admin, backend, receiver, webhook):
    await tell(backend, kind=EventKind.LECTURE_READY)
    await tell(backend, code="wanted")
    request = await receiver.next()
    assert json.loads(request.body)["data"] == {"code": "wanted"}
    assert receiver.waiting == 0


async def test_what_fails_is_sent_again_with_the_same_id_and_a_new_timestamp(
    admin, backend, receiver, webhook
):
    address, secret = webhook
    receiver.answers = [500, 204]
    await tell(backend)
    first = await receiver.next()
    failed = await newest(admin, address, until=lambda each: each["status"] == 500)
    assert failed["state"] == "pending"
    assert "500" in failed["error"]
    await hurry(backend)
    second = await receiver.next()
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.body == first.body
    Webhook(secret).verify(second.body, second.headers)
    delivery = await newest(admin, address, until=settled)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
    assert delivery["error"] is None


async def test_after_the_last_attempt_it_is_failed_until_somebody_replays_it(
    admin, backend, receiver, webhook
):
    address, _ = webhook
    receiver.answers = [503] * 10 + [200]
    await tell(backend)
    for attempt in range(10):
        if attempt:
            await hurry(backend)
        await receiver.next()
    delivery = await newest(admin, address, until=settled)
    assert (delivery["state"], delivery["attempts"], delivery["due_at"]) == ("failed", 10, None)
    one = f"{address}/deliveries/{delivery['id']}"
    assert (await admin.post(f"{one}/replay")).status_code == 202
    await receiver.next()
    delivered = await newest(admin, address, until=settled)
    assert (delivered["state"], delivered["attempts"]) == ("delivered", 1)
    found = await admin.get(f"{address}/deliveries", params={"state": "failed"})
    assert found.json()["items"] == []


async def test_a_delivery_that_is_under_way_is_not_replayed(admin, backend, receiver, webhook):
    address, _ = webhook
    receiver.answers = [500]
    await tell(backend)
    await receiver.next()
    delivery = await newest(admin, address, until=lambda each: each["status"] == 500)
    answer = await admin.post(f"{address}/deliveries/{delivery['id']}/replay")
    assert answer.status_code == 409


async def test_a_redirect_is_not_followed(admin, backend, receiver, webhook):
    address, _ = webhook
    receiver.answers = [307]
    await tell(backend)
    await receiver.next()
    delivery = await newest(admin, address, until=lambda each: each["status"] == 307)
    assert "redirects are not followed" in delivery["error"]
    assert receiver.waiting == 0


async def test_a_receiver_that_is_gone_is_told_nothing_more(admin, backend, receiver, webhook):
    address, _ = webhook
    receiver.answers = [410]
    await tell(backend)
    await receiver.next()
    delivery = await newest(admin, address, until=settled)
    assert delivery["state"] == "failed"
    seen = (await admin.get(address)).json()
    assert seen["enabled"] is False
    assert "410" in seen["disabled_because"]
    revived = await admin.patch(address, json={"enabled": True})
    assert revived.json()["disabled_because"] is None


async def test_deliveries_of_a_disabled_webhook_wait_for_a_replay(
    admin, backend, receiver, webhook
):
    address, _ = webhook
    sent = await admin.post(f"{address}/test")
    await receiver.next()
    await newest(admin, address, until=settled)
    await admin.patch(address, json={"enabled": False})
    await tell(backend)
    await admin.post(f"{address}/deliveries/{sent.json()['id']}/replay")
    delivery = await newest(admin, address, until=lambda each: each["state"] == "failed")
    assert "disabled" in delivery["error"]
    assert receiver.waiting == 0


async def test_a_rotated_secret_overlaps_with_the_one_before(admin, backend, receiver, webhook):
    address, before = webhook
    after = (await admin.post(f"{address}/rotate")).json()["secret"]
    assert after != before
    assert (await admin.get(f"{address}/secret")).json()["secret"] == after
    await admin.post(f"{address}/test")
    request = await receiver.next()
    for secret in (before, after):
        message = Webhook(secret).verify(request.body, request.headers)
        assert message["type"] == "webhook.test"
    stored = await backend.stores.webhooks.get(address.rsplit("/", 1)[1])
    await backend.stores.database.webhooks.update_one(
        {"_id": stored.id}, {"$set": {"rotated_at": stored.rotated_at - timedelta(days=1)}}
    )
    await admin.post(f"{address}/test")
    request = await receiver.next()
    Webhook(after).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(before).verify(request.body, request.headers)


async def test_no_secret_is_in_the_database(backend, webhook):
    _, secret = webhook
    stored = await backend.stores.database.webhooks.find({}).to_list()
    assert secret.removeprefix("whsec_") not in repr(stored)


async def test_what_a_killed_process_was_sending_is_sent_by_another(
    admin, backend, receiver, webhook
):
    """Its claim stays behind; once it ends, somebody takes the delivery over."""
    address, _ = webhook
    deliveries = backend.stores.database.deliveries
    receiver.answers = [500]
    await tell(backend)
    await receiver.next()
    delivery = await newest(admin, address, until=lambda each: each["status"] == 500)
    await deliveries.update_one({"_id": delivery["id"]}, {"$set": {"claim": "of the dead"}})
    await deliveries.update_one(
        {"_id": delivery["id"]}, [{"$set": {"due_at": {"$subtract": ["$$NOW", 1]}}}]
    )
    await receiver.next()
    assert (await newest(admin, address, until=settled))["state"] == "delivered"


async def test_two_deliverers_send_each_message_once(backend, receiver, webhook):
    for number in range(20):
        await tell(backend, code=str(number))

    async def claims():
        found = []
        while await backend.stores.webhooks.fan_out():
            pass
        while (claimed := await backend.stores.webhooks.claim()) is not None:
            found.append(claimed[0].event.id)
        return found

    mine = [event for some in await asyncio.gather(claims(), claims()) for event in some]
    # The application's own deliverer takes part, too.
    theirs = [(await receiver.next()).headers["webhook-id"] for _ in range(20 - len(mine))]
    assert len({*mine, *theirs}) == 20


async def test_a_webhook_is_patched_and_conditionally_deleted(admin, webhook):
    address, _ = webhook
    read = await admin.get(address)
    changed = await admin.patch(
        address,
        content=json.dumps({"description": "The portal", "events": ["lecture.ready"]}),
        headers={"If-Match": read.headers["etag"], "Content-Type": "application/merge-patch+json"},
    )
    assert changed.json()["description"] == "The portal"
    stale = await admin.delete(address, headers={"If-Match": read.headers["etag"]})
    assert stale.status_code == 412
    emptied = await admin.patch(address, json={"description": None})
    assert emptied.json()["description"] is None
    refused = await admin.patch(address, json={"events": None, "url": "nonsense"})
    assert {each["pointer"] for each in refused.json()["errors"]} == {"/url"}
