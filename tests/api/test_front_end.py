"""What front ends count on at every route alike: links, merge patches, content types, pointers."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest

from api.app import create_app
from tests.fixtures_api import client_of


@pytest.fixture(scope="module")
async def courses(add_course):
    for number in range(5):
        await add_course(f"course-{number}", published=True, level="beginner")


async def pages_by_link(client, address):
    """Follows `Link: …; rel="next"` as RFC 8288 says, from address to address."""
    while address:
        answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        yield answer
        found = re.fullmatch(r'<([^>]*)>; rel="next"', answer.headers.get("link", ""))
        address = urljoin(str(answer.request.url), found[1]) if found else None


async def test_links_lead_from_page_to_page_with_filters_and_language(anyone, courses):
    query = "?limit=2&level=beginner&sort=title&lang=en"
    seen, titles = [], []
    async for answer in pages_by_link(anyone, f"/v1/courses{query}"):
        items = answer.json()["items"]
        assert len(items) <= 2
        assert answer.headers["content-language"] == "en"
        seen += [each["slug"] for each in items]
        titles += [each["title"] for each in items]
        assert ("link" in answer.headers) == (answer.json()["next_cursor"] is not None)
    assert seen == [f"course-{number}" for number in range(5)]
    assert titles == seen


async def test_a_link_repeats_no_parameter_that_the_route_does_not_know(anyone, courses):
    answer = await anyone.get("/v1/courses?limit=2&campaign=x%3E%22&cursor=")
    assert answer.status_code == 400
    answer = await anyone.get("/v1/courses?limit=2&campaign=x%3E%22")
    assert "campaign" not in answer.headers["link"]
    assert answer.headers["link"].startswith("<?limit=2&cursor=")


async def test_a_merge_patch_is_taken_under_its_own_name_and_as_json(teacher, add_course):
    await add_course("patched")
    for name in ("application/merge-patch+json", "application/json; charset=utf-8"):
        answer = await teacher.patch(
            "/v1/courses/patched", content='{"level": null}', headers={"Content-Type": name}
        )
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", ["application/json-patch+json", "text/plain", ""])
async def test_what_is_no_merge_patch_is_refused_by_name(teacher, add_course, name):
    answer = await teacher.patch(
        "/v1/courses/anything", content='{"level": null}', headers={"Content-Type": name}
    )
    assert answer.status_code == 415
    assert answer.headers["accept-patch"] == "application/merge-patch+json, application/json"
    assert answer.json()["type"] == "urn:academy:problem:unsupported_media_type"


async def test_a_body_that_is_not_said_to_be_json_is_refused_by_name(teacher):
    answer = await teacher.post(
        "/v1/courses", content='{"slug": "x"}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


async def test_a_merge_patch_means_what_rfc_7396_says(teacher, add_course):
    await add_course("merged", title={"en": "One", "zh": "一"}, level="beginner")
    address = "/v1/courses/merged?lang=*"

    async def patched(**members):
        answer = await teacher.patch(address, json=members)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert (await patched())["level"] == "beginner"  # absent: unchanged
    assert (await patched(level=None))["level"] is None  # null: removed
    merged = await patched(title={"en": None, "fr": "Un"})  # objects merge, member by member
    assert merged["title"] == {"zh": "一", "fr": "Un"}
    sections = (await patched(sections=[{"title": "A"}, {"title": "B"}]))["sections"]
    assert len(sections) == 2
    replaced = await patched(sections=[{"title": "C"}])  # arrays are replaced as a whole
    assert [each["title"] for each in replaced["sections"]] == [{"zh": "C"}]


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "5", ""])
async def test_a_patch_that_is_no_object_is_invalid(teacher, add_course, body):
    answer = await teacher.patch(
        "/v1/courses/merged", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/v1/courses", {}, {"/slug", "/title", "/language"}),
        ("/v1/courses", {"slug": "A b", "title": {"en": 5}, "language": "!"},
         {"/slug", "/title/en", "/language"}),
        ("/v1/courses", {"slug": "a", "title": "t", "language": "en", "sections": [{}], "x": 1},
         {"/sections/0/title", "/x"}),
        ("/v1/courses", {"slug": "a", "title": "t", "language": "en", "universities": ["none"]},
         {"/universities/0"}),
    ],
)  # fmt: skip
async def test_pointers_name_the_members_wherever_the_mistake_is_found(
    teacher, path, body, pointers
):
    answer = await teacher.post(path, json=body)
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == pointers


async def test_pointers_into_query_and_header_say_so(teacher):
    answer = await teacher.get("/v1/courses?limit=0&sort=best")
    assert {(each["in"], each["pointer"]) for each in answer.json()["errors"]} == {
        ("query", "/limit"),
        ("query", "/sort"),
    }
    long = await teacher.post("/v1/courses", json={}, headers={"Idempotency-Key": "x" * 256})
    assert {
        "pointer": "/idempotency-key",
        "in": "header",
        "detail": long.json()["errors"][0]["detail"],
    } in long.json()["errors"]


@pytest.fixture(scope="module")
async def shared_with(api_settings):
    made = create_app(api_settings.model_copy(update={"cors_origins": ["https://portal.example"]}))
    async with made.router.lifespan_context(made):
        yield made


async def test_other_origins_that_are_allowed_may_send_and_read_what_front_ends_need(shared_with):
    asked = "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id"
    async with client_of(shared_with, {"Origin": "https://portal.example"}) as client:
        preflight = await client.options(
            "/v1/courses/x",
            headers={
                "Access-Control-Request-Method": "PATCH",
                "Access-Control-Request-Headers": asked,
            },
        )
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://portal.example"
        for path, status in (("/v1/courses", 200), ("/v1/courses/none", 404)):
            answer = await client.get(path)
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == "https://portal.example"
            exposed = answer.headers["access-control-expose-headers"].lower()
            assert {"etag", "link", "location", "ratelimit", "retry-after"} <= set(
                exposed.split(", ")
            )
            assert "origin" in answer.headers["vary"].lower()


async def test_other_origins_that_are_not_allowed_get_no_header(shared_with, anyone):
    async with client_of(shared_with, {"Origin": "https://elsewhere.example"}) as client:
        assert "access-control-allow-origin" not in (await client.get("/v1/courses")).headers
    answer = await anyone.get("/v1/courses", headers={"Origin": "https://portal.example"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("?lang=en", "zh", "en"),
        ("?lang=fr", None, "zh"),  # missing: the resource's own
        ("", "en;q=0.8, zh;q=0.1", "en"),
        ("", None, "zh"),
    ],
)
async def test_caches_are_told_which_language_and_what_it_depended_on(
    anyone, courses, query, accepted, language
):
    headers = {"Accept-Language": accepted} if accepted else {}
    answer = await anyone.get(f"/v1/courses/course-1{query}", headers=headers)
    assert answer.headers["content-language"] == language
    varies = {each.strip() for each in answer.headers["vary"].split(",")}
    # With `lang` a shared cache needs one copy per address, whatever browsers prefer.
    assert ("Accept-Language" in varies) == (not query)
    assert "Authorization" in varies


async def test_all_languages_at_once_are_no_language(anyone, courses):
    answer = await anyone.get("/v1/courses/course-1?lang=*")
    assert "content-language" not in answer.headers
