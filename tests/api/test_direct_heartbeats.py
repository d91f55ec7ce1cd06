"""The short way of a heartbeat answers what FastAPI's way answers, and leaves to it whatever is not plain."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest

from academy.courses import now
from academy.progress import Heartbeat
from api.app import create_app
from api.direct_heartbeats import MOST
from tests.fixtures_api import BASE

REPORT = {"position": 8.0, "watched": [[0, 8]], "session": "a", "sequence": 1}
PLAIN = json.dumps(REPORT).encode()


class Usual:
    """The application without the cache and the short ways in front of it."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app.middleware_stack({**scope, "app": self.app}, receive, send)


@pytest.fixture(scope="module")
async def course(add_curriculum):
    return await add_curriculum(100.0)


async def answers(app, learner, path, body, headers):
    """(status, headers, body) of both ways. Ids and what is left of a limit differ."""
    told = []
    for way in (app, Usual(app)):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=way), base_url=BASE
        ) as client:
            sent = {"Authorization": learner.headers["Authorization"], **headers}
            answer = await client.put(path, content=body, headers=sent)
        told.append(
            (
                answer.status_code,
                sorted(
                    (
                        name.lower(),
                        b"" if name.lower() in {b"ratelimit", b"x-request-id"} else value,
                    )
                    for name, value in answer.headers.raw
                ),
                json.loads(answer.content) | {"instance": ""} if answer.content else None,
            )
        )
    return told


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (PLAIN, JSON, 204),
        (PLAIN, JSON | {"Origin": "https://front.test"}, 204),
        (PLAIN, JSON | {"Origin": "https://elsewhere.test"}, 204),
        (PLAIN, {"Content-Type": "application/json; charset=utf-8"}, 204),
        (PLAIN, {"Content-Type": "text/plain"}, 415),
        (PLAIN, {}, 415),
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b'{"position": -1, "watched": []}', JSON, 422),
        (PLAIN, JSON | {"Authorization": "Bearer nobody"}, 401),
        (PLAIN + b" " * MOST, JSON, 204),
        (PLAIN + b" " * (2 << 20), JSON, 413),
    ],
)
async def test_both_ways_answer_the_same(app, sign_in, course, body, headers, status):
    learner = sign_in("learner", "both-ways")
    path = f"/v1/me/progress/{course.lectures[100.0]}"
    short, usual = await answers(app, learner, path, body, headers)
    assert short == usual
    assert short[0] == status


@pytest.mark.parametrize("name", ["no-such-lecture", "a/b", ""])
async def test_a_lecture_that_is_not_there_is_told_the_usual_way(app, sign_in, name):
    learner = sign_in("learner", "both-ways")
    short, usual = await answers(app, learner, f"/v1/me/progress/{name}", PLAIN, JSON)
    assert short == usual
    assert short[0] in {404, 405}


async def test_what_was_reported_is_kept_once_it_is_answered(sign_in, course):
    learner = sign_in("learner", "short-way")
    lecture = course.lectures[100.0]
    answer = await learner.put(f"/v1/me/progress/{lecture}", json=REPORT)
    assert answer.status_code == 204
    assert answer.headers["X-Request-Id"]
    kept = (await learner.get("/v1/me/progress", params={"course": course.slug})).json()["items"]
    assert [(each["lecture_id"], each["watched"]) for each in kept] == [(lecture, [[0.0, 8.0]])]


async def test_what_waits_as_the_server_stops_is_written(api_settings, stores, course, monkeypatch):
    monkeypatch.setattr("academy.heartbeats.EVERY", 600.0)  # it is the end that writes
    lecture = course.lectures[100.0]
    stopping = create_app(api_settings)
    async with stopping.router.lifespan_context(stopping):
        buffer = stopping.state.services.learners.heartbeats
        await buffer.add(Heartbeat("late", lecture, course.slug, 8.0, ((0.0, 8.0),), now()))
        assert await stores.progress.of_course("late", course.slug) == {}
    kept = await stores.progress.of_course("late", course.slug)
    assert kept[lecture].watched == ((0.0, 8.0),)


async def test_a_client_learns_its_limit_and_when_it_is_over(api_settings, sign_in, course):
    limited = create_app(api_settings.model_copy(update={"rate_limit_writes": "2/minute"}))
    path = f"/v1/me/progress/{course.lectures[100.0]}"
    token = {"Authorization": sign_in("learner", "hasty").headers["Authorization"]}
    transport = httpx.ASGITransport(app=limited)
    async with (
        limited.router.lifespan_context(limited),
        httpx.AsyncClient(transport=transport, base_url=BASE, headers=token) as client,
    ):
        first = await client.put(path, json=REPORT)
        assert first.status_code == 204
        assert re.fullmatch(r'"heartbeats";r=239;t=\d+', first.headers["RateLimit"])
        answers = await asyncio.gather(*(client.put(path, json=REPORT) for _ in range(260)))
    assert [each.status_code for each in answers].count(204) == 239
    refused = next(each for each in answers if each.status_code == 429)
    assert int(refused.headers["Retry-After"]) >= 1
