from __future__ import annotations

import asyncio

import pytest


def key(value):
    return {"Idempotency-Key": value}


async def test_a_repeated_request_creates_once_and_gets_the_same_answer(teacher, add_course):
    await add_course("once")
    body = {"title": "One"}
    first = await teacher.post("/v1/courses/once/lectures", json=body, headers=key("a"))
    again = await teacher.post("/v1/courses/once/lectures", json=body, headers=key("a"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    for name in ("etag", "location", "content-type", "content-language", "cache-control"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["idempotent-replay"] == "true"
    assert "idempotent-replay" not in first.headers
    course = (await teacher.get("/v1/courses/once")).json()
    assert len(course["sections"][0]["lectures"]) == 1


async def test_the_same_key_with_another_request_is_refused(teacher, add_course):
    await add_course("other")
    await teacher.post("/v1/courses/other/lectures", json={"title": "One"}, headers=key("b"))
    answer = await teacher.post(
        "/v1/courses/other/lectures", json={"title": "Two"}, headers=key("b")
    )
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:academy:problem:idempotency_key_reused"


async def test_keys_belong_to_whoever_sent_them(teacher, admin):
    def body(slug):
        return {"slug": slug, "title": "T", "language": "en"}

    mine = await teacher.post("/v1/courses", json=body("mine"), headers=key("c"))
    theirs = await admin.post("/v1/courses", json=body("theirs"), headers=key("c"))
    assert mine.json()["slug"] == "mine"
    assert theirs.json()["slug"] == "theirs"


async def test_a_request_that_failed_leaves_its_key_free(teacher, admin):
    body = {"slug": "needs", "title": "T", "language": "en", "programme": "later"}
    refused = await teacher.post("/v1/courses", json=body, headers=key("d"))
    assert refused.status_code == 422
    await admin.post("/v1/programmes", json={"slug": "later", "name": "L"})
    made = await teacher.post("/v1/courses", json=body, headers=key("d"))
    assert made.status_code == 201


async def test_of_requests_at_the_same_moment_one_creates(teacher):
    body = {"slug": "together", "title": "T", "language": "en"}
    answers = await asyncio.gather(
        *(teacher.post("/v1/courses", json=body, headers=key("e")) for _ in range(5))
    )
    statuses = {answer.status_code for answer in answers}
    assert 201 in statuses
    assert statuses <= {201, 409}
    codes = {a.json()["type"].split(":")[-1] for a in answers if a.status_code == 409}
    assert codes <= {"idempotency_in_progress"}


@pytest.mark.parametrize("value", ["", "x" * 256])
async def test_a_key_has_1_to_255_characters(teacher, value):
    answer = await teacher.post("/v1/courses", json={}, headers=key(value))
    assert answer.status_code == 422
    assert {"header"} == {e["in"] for e in answer.json()["errors"] if "in" in e}
