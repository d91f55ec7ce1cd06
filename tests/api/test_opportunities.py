"""Internships and jobs that partners offer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from academy.courses import now
from academy.posting import open_day

TODAY = open_day(now())


def offer(title="Intern", **members):
    usual = {
        "title": {"zh": "实习", "en": title},
        "organisation": "阿里云",
        "kind": "internship",
        "url": "https://partner.example/jobs/1",
        "closes_on": (TODAY + timedelta(days=30)).isoformat(),
    }
    return usual | members


@pytest.fixture
async def post(admin):
    made = []

    async def post_one(**members):
        answer = await admin.post("/v1/opportunities", json=offer(**members))
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
        return answer.json()

    yield post_one
    for each in made:
        await admin.delete(f"/v1/opportunities/{each}")


async def listed(client, **params):
    answer = await client.get("/v1/opportunities", params={"lang": "en", **params})
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["items"]]


async def test_the_next_to_close_comes_first_and_expired_ones_are_gone(post, anyone, admin):
    for title, days in (("later", 9), ("soon", 0), ("over", -1)):
        day = (TODAY + timedelta(days=days)).isoformat()
        made = await post(title=title, closes_on=day)
        found = await anyone.get(f"/v1/opportunities/{made['id']}")
        assert found.status_code == (404 if title == "over" else 200)
    assert await listed(anyone) == ["soon", "later"]
    assert (await admin.get(f"/v1/opportunities/{made['id']}")).status_code == 200


async def test_they_are_filtered_by_programme_and_kind(post, anyone, admin):
    await admin.post("/v1/programmes", json={"slug": "data", "name": "数据科学"})
    await post(title="a", programmes=["data"])
    await post(title="b", programmes=["data"], kind="job")
    await post(title="c")
    assert set(await listed(anyone, programme="data")) == {"a", "b"}
    assert await listed(anyone, programme="data", kind="job") == ["b"]
    assert await listed(anyone, programme="none") == []


async def test_pages_follow_one_another_without_gap(post, anyone):
    titles = [f"t{number}" for number in range(5)]
    for number, title in enumerate(titles):
        await post(title=title, closes_on=(TODAY + timedelta(days=5 + number // 2)).isoformat())
    seen, cursor = [], None
    while True:
        params = {"limit": 2, "lang": "en"} | ({"cursor": cursor} if cursor else {})
        page = (await anyone.get("/v1/opportunities", params=params)).json()
        seen += [each["title"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == titles


async def test_they_are_changed_with_a_merge_patch_and_a_revision(post, admin, anyone):
    made = await post()
    path = f"/v1/opportunities/{made['id']}"
    before = await anyone.get(path)
    patch = {"title": {"en": "Graduate"}, "closes_on": TODAY.isoformat(), "location": "Hangzhou"}
    changed = await admin.patch(
        path, json=patch, headers={"If-Match": before.headers["etag"]}, params={"lang": "*"}
    )
    assert changed.json()["title"] == {"zh": "实习", "en": "Graduate"}
    assert changed.json()["closes_on"] == TODAY.isoformat()
    stale = await admin.patch(path, json=patch, headers={"If-Match": before.headers["etag"]})
    assert stale.status_code == 412
    assert (await admin.patch(path, json={"url": None})).status_code == 422


async def test_unknown_programmes_are_refused(admin):
    answer = await admin.post("/v1/opportunities", json=offer(programmes=["nothing"]))
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/programmes/0"]


async def test_only_administrators_write_them(post, anyone, teacher, sign_in):
    made = await post()
    path = f"/v1/opportunities/{made['id']}"
    for client, status in ((anyone, 401), (teacher, 403), (sign_in("learner"), 403)):
        assert (await client.post("/v1/opportunities", json=offer())).status_code == status
        assert (await client.patch(path, json={})).status_code == status
        assert (await client.delete(path)).status_code == status
