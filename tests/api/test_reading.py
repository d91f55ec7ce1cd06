from __future__ import annotations

import pytest

from academy.playback import Playback
from api.app import create_app
from tests.fixtures_api import BASE, client_of


@pytest.fixture(scope="module")
async def course(add_course, add_lecture, admin):
    await admin.post(
        "/v1/instructors",
        json={"slug": "lin", "name": {"en": "Lin"}, "visiting": True, "bio": {"en": "Long."}},
    )
    await admin.post("/v1/universities", json={"slug": "wuhan", "name": {"en": "Wuhan"}})
    await admin.post("/v1/programmes", json={"slug": "data", "name": {"en": "Data science"}})
    await add_course(
        "read",
        published=True,
        instructors=["lin"],
        universities=["wuhan"],
        programme="data",
        level="beginner",
        sections=[{"title": "S"}],
    )
    return await add_lecture("read", published=True)


PATHS = [
    "/v1/courses",
    "/v1/courses/read",
    "/v1/lectures/{id}",
    "/v1/universities",
    "/v1/universities/wuhan",
    "/v1/programmes",
    "/v1/programmes/data",
    "/v1/instructors",
    "/v1/instructors/lin",
]


@pytest.mark.parametrize("path", PATHS)
async def test_public_reads_may_be_kept_and_must_be_asked_about(anyone, teacher, course, path):
    address = path.format(**course)
    answer = await anyone.get(address)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, no-cache"
    assert answer.headers["content-type"] == "application/json"
    tag = answer.headers["etag"]
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await anyone.get(address, headers={"If-None-Match": header})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert again.headers["vary"] == answer.headers["vary"]
    private = await teacher.get(address)
    assert private.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", PATHS)
async def test_head_says_what_get_says_without_the_body(anyone, course, path):
    address = path.format(**course)
    answer, head = await anyone.get(address), await anyone.head(address)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == answer.headers["etag"]
    assert head.headers["content-length"] == str(len(answer.content))


async def test_a_course_shows_what_it_names(anyone, course):
    card = (await anyone.get("/v1/courses?lang=en&university=wuhan")).json()["items"][0]
    assert card["programme"] == {"slug": "data", "name": "Data science"}
    assert card["universities"] == [{"slug": "wuhan", "name": "Wuhan"}]
    assert [(one["slug"], one["visiting"]) for one in card["instructors"]] == [("lin", True)]
    assert (card["lecture_count"], card["duration"]) == (1, 0.0)
    detail = (await anyone.get("/v1/courses/read?lang=en")).json()
    assert {name: detail[name] for name in card} == card
    assert detail["sections"][-1] == {
        "id": None,
        "title": None,
        "lectures": [
            {
                "id": course["id"],
                "title": "A lecture",
                "duration": None,
                "playable": False,
                "published": True,
                "position": 1,
            }
        ],
    }


async def test_a_lecture_without_instructors_is_taught_by_the_courses(anyone, course):
    lecture = (await anyone.get(f"/v1/lectures/{course['id']}?lang=en")).json()
    assert lecture["course"] == "read"
    assert [one["name"] for one in lecture["instructors"]] == ["Lin"]
    assert lecture["playback"] == Playback().model_dump(mode="json")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"university": "wuhan"}, True),
        ({"university": "fudan"}, False),
        ({"programme": "data", "level": "beginner"}, True),
        ({"programme": "data", "level": "advanced"}, False),
        ({"instructor": "lin", "language": "zh"}, True),
        ({"instructor": "lin", "language": "en"}, False),
    ],
)
async def test_filters_apply_together(anyone, course, query, found):
    items = (await anyone.get("/v1/courses", params=query)).json()["items"]
    assert [each["slug"] for each in items] == (["read"] if found else [])


async def test_counters_follow_publication(anyone, teacher, course):
    async def count():
        return (await anyone.get("/v1/programmes/data")).json()["course_count"]

    assert await count() == 1
    await teacher.post("/v1/courses/read/unpublish")
    assert await count() == 0
    assert (await anyone.get("/v1/courses")).json()["items"] == []
    await teacher.post("/v1/courses/read/publish")
    assert await count() == 1


async def test_other_origins_are_let_in_only_when_named(app, anyone):
    origin = {"Origin": "https://front.test"}
    plain = await anyone.get("/v1/courses", headers=origin)
    assert "access-control-allow-origin" not in plain.headers
    settings = app.state.settings.model_copy(update={"cors_origins": ["https://front.test"]})
    other = create_app(settings)
    other.state.services = app.state.services
    async with client_of(other) as client:
        answer = await client.get("/v1/courses", headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://front.test"
        assert "ETag" in answer.headers["access-control-expose-headers"]
        asked = {**origin, "Access-Control-Request-Method": "PATCH"}
        asked["Access-Control-Request-Headers"] = "authorization,if-match,content-type"
        preflight = await client.options("/v1/courses/read", headers=asked)
        assert preflight.status_code == 200
        assert "PATCH" in preflight.headers["access-control-allow-methods"]
        stranger = await client.get("/v1/courses", headers={"Origin": BASE})
        assert "access-control-allow-origin" not in stranger.headers
