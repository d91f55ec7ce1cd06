from __future__ import annotations

import logging

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.settings import Settings
from api.app import create_app
from api.invalid_input import pointer_of
from tests.fixtures_api import BASE


def check(answer, status, code):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem["type"] == f"urn:academy:problem:{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == answer.request.url.path
    return problem


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/assets/nothing.js", "/v1/courses/"])
async def test_unknown_routes_are_problems(anyone, path):
    check(await anyone.get(path), 404, "not_found")


async def test_unknown_methods_are_problems_that_say_what_is_possible(anyone):
    answer = await anyone.put("/v1/courses/x")
    check(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("body", [b"{", b"", b"[1,", b"\xff\xfe"])
async def test_a_body_that_is_not_json_is_a_problem(teacher, body):
    headers = {"Content-Type": "application/json"}
    answer = await teacher.post("/v1/courses", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"null", b"3", b'"text"', b"[]"])
async def test_a_body_that_is_no_object_points_to_the_whole(teacher, body):
    headers = {"Content-Type": "application/json"}
    answer = await teacher.post("/v1/courses", content=body, headers=headers)
    problem = check(answer, 422, "invalid")
    assert [each["pointer"] for each in problem["errors"]] == [""]


async def test_every_wrong_member_is_listed_once(teacher):
    body = {
        "slug": "Not A Slug",
        "title": {"en": 5, "zh": ""},
        "language": "en",
        "sections": [{"title": "fine"}, {"titel": "x"}],
        "level": "expert",
    }
    problem = check(await teacher.post("/v1/courses", json=body), 422, "invalid")
    pointers = [each["pointer"] for each in problem["errors"]]
    assert sorted(pointers) == sorted(
        ["/slug", "/title/en", "/title/zh", "/sections/1/title", "/sections/1/titel", "/level"]
    )


async def test_a_body_over_the_limit_is_refused_announced_or_not(teacher):
    async def pieces():
        for _ in range(20):
            yield b" " * 100_000

    headers = {"Content-Type": "application/json"}
    announced = await teacher.post("/v1/courses", content=b" " * 2_000_000, headers=headers)
    check(announced, 413, "too_large")
    chunked = await teacher.post("/v1/courses", content=pieces(), headers=headers)
    assert chunked.status_code == 413
    assert chunked.headers["content-type"] == "application/problem+json"


async def test_what_nobody_expected_is_a_500_with_an_id_that_the_log_has(caplog):
    app = create_app(Settings.model_construct(cors_origins=["https://other.test"]))

    async def fail() -> None:
        raise RuntimeError("the reason stays inside")

    app.add_api_route("/fail", fail)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        with caplog.at_level(logging.ERROR, logger="api.problems"):
            answer = await client.get("/fail", headers={"Origin": "https://other.test"})
    problem = check(answer, 500, "internal_error")
    assert problem["error_id"] in caplog.text
    assert "the reason stays inside" in caplog.text
    assert "the reason" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "https://other.test"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(json_values, st.data())
def test_a_pointer_leads_to_the_member_it_names(body, data):
    path, here = [], body
    while isinstance(here, dict | list) and here and data.draw(st.booleans()):
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        path.append(data.draw(st.sampled_from(keys)))
        here = here[path[-1]]
    found = body
    pointer = pointer_of(path, body) if body is not None else ""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    assert found == here


def test_branches_of_a_union_leave_no_step_in_the_pointer():
    body = {"title": {"en": ""}, "sections": [{"title": 3}]}
    path = ("title", "dict[constrained-str,constrained-str]", "en")
    assert pointer_of(path, body) == "/title/en"
    assert pointer_of(("sections", 0, "title", "constrained-str"), body) == "/sections/0/title"
    assert pointer_of(("sections", 0, "id"), body) == "/sections/0/id"
    assert pointer_of(("title", "dict[...]", "xx yy", "[key]"), {"title": {"xx yy": "a"}}) == (
        "/title/xx yy"
    )
