"""The short way from the response cache to a route answers what FastAPI's way answers, byte for byte."""

from __future__ import annotations

import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Scope

from api import studio
from api.app import KEPT
from api.direct_reads import DirectRead, DirectReads
from api.metrics import Metrics
from api.provenance import SCOPE_KEY, Provenance
from api.rate_limits import Limits
from tests.fixtures_api import BASE

SECONDS = Metrics().seconds
TEXTS = st.sampled_from(
    [
        *("", "*", "en", "zh-CN", "fr,en", "e n", "0", "1", "2", "101", "-1", "1.0", "newest"),
        *("title", "popular", "beginner", "Beginner", "direct", "no-such", "Ünïcode", "a" * 200),
    ]
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("lang", "limit", "cursor", "sort", "level", "language", "university"),
                *("programme", "instructor", "kind", "unknown"),
            ]
        ),
        TEXTS,
    ),
    max_size=4,
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Language": st.sampled_from(["en", "zh-TW, fr;q=0.3", "*", "de", ";;;", "fr"]),
        "Origin": st.just("https://front.test"),
        "If-None-Match": st.sampled_from(["*", '"1.abc"']),
    },
)


class Asked:
    """The application as the cache asks it: for this route directly, or through all its layers."""

    def __init__(self, app, route):
        self.app = app
        self.route = route
        self.direct = DirectReads(app, Limits(app.state.settings), Metrics())
        self.provenance = Provenance()
        self.scope: Scope = {}

    async def __call__(self, scope, receive, send):
        self.scope = {**scope, SCOPE_KEY: self.provenance, "app": self.app}
        if self.route is not None:
            answer = await self.direct(self.scope, self.route)
            if answer is not None:
                start = {"status": answer.status, "headers": answer.headers}
                await send({"type": "http.response.start", **start})
                await send({"type": "http.response.body", "body": answer.body})
                return
            self.provenance.marks.clear()
        # Not the application's own `__call__`, which is the cache.
        await self.app.middleware_stack(self.scope, receive, send)


@pytest.fixture(scope="module")
def routes(app):
    return {each.route.name: each.route for each in app.state.response_cache.addresses}


@pytest.fixture(scope="module")
async def addresses(admin, add_course, add_lecture):
    """Some of everything that is kept, by operation."""
    await admin.post("/v1/instructors", json={"slug": "direct", "name": {"en": "Li"}})
    await admin.post("/v1/universities", json={"slug": "direct", "name": {"en": "Wuhan"}})
    await admin.post("/v1/programmes", json={"slug": "direct", "name": {"en": "Data"}})
    named = {"instructors": ["direct"], "universities": ["direct"], "programme": "direct"}
    await add_course("direct", published=True, **named)
    for slug in ("direct-b", "direct-c"):
        await add_course(slug, published=True, level="beginner")
    await add_course("direct-draft")
    lecture = await add_lecture("direct", published=True)
    draft = await add_lecture("direct")
    answer = await admin.post(
        "/v1/opportunities",
        json={
            "title": {"en": "Intern"},
            "organisation": {"en": "Cloud"},
            "kind": "internship",
            "url": "https://partner.test/",
            "closes_on": "2999-01-01",
        },
    )
    assert answer.status_code == 201, answer.text
    return {
        "list_universities": ["/v1/universities"],
        "get_university": ["/v1/universities/direct", "/v1/universities/none"],
        "list_programmes": ["/v1/programmes"],
        "get_programme": ["/v1/programmes/direct"],
        "list_instructors": ["/v1/instructors"],
        "get_instructor": ["/v1/instructors/direct", "/v1/instructors/%E6%9D%8E"],
        "list_courses": ["/v1/courses"],
        "get_course": ["/v1/courses/direct", "/v1/courses/direct-draft", "/v1/courses/no%0Ane"],
        "get_course_poster": ["/v1/courses/direct/poster"],
        "get_lecture": [f"/v1/lectures/{lecture['id']}", f"/v1/lectures/{draft['id']}"],
        "list_opportunities": ["/v1/opportunities"],
        "get_opportunity": [f"/v1/opportunities/{answer.json()['id']}"],
    }


async def both(app, route, path, query=(), headers=()):
    """What it takes, directly and FastAPI's way: answers, and what they were made from."""
    told = []
    for way in (route, None):
        asked = Asked(app, way)
        transport = httpx.ASGITransport(app=asked)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            answer = await client.get(path, params=query or None, headers=dict(headers))
        told.append(
            (
                answer.status_code,
                sorted(each for each in answer.headers.raw if each[0].lower() != b"x-request-id"),
                answer.content,
                asked.provenance.marks,
                asked.scope["route"].path,
                dict(asked.scope["path_params"]),
            )
        )
    return told


def test_every_kept_route_can_be_read_directly(routes):
    assert set(routes) == KEPT
    assert all(DirectRead.of(route, SECONDS) is not None for route in routes.values())


def test_routes_that_ask_for_more_are_left_to_fastapi():
    routes = [each for each in studio.routes.routes if isinstance(each, APIRoute)]
    assert routes
    assert all(DirectRead.of(each, SECONDS) is None for each in routes if each.methods != {"GET"})


@given(data=st.data(), query=QUERIES, headers=HEADERS)
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_both_ways_answer_the_same(app, routes, addresses, data, query, headers):
    operation = data.draw(st.sampled_from(sorted(addresses)))
    path = data.draw(st.sampled_from(addresses[operation]))
    directly, usually = await both(app, routes[operation], path, query, headers.items())
    assert directly == usually


@pytest.mark.parametrize("sort", ["newest", "title", "popular"])
async def test_both_ways_turn_the_same_pages(app, routes, addresses, sort):
    query, pages = {"limit": "1", "sort": sort, "lang": "en"}, 0
    while True:
        directly, usually = await both(app, routes["list_courses"], "/v1/courses", query)
        assert directly == usually
        assert directly[0] == 200
        pages += 1
        cursor = httpx.Response(200, content=directly[2]).json()["next_cursor"]
        if cursor is None:
            break
        query["cursor"] = cursor
    assert pages == 3
