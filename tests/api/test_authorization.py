"""Who may do what: the whole table, asked by everybody, and what a table cannot say."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Mount

from academy.uploads import MIB
from api.etags import DIGITS
from tests.api.authorization_table import INSIDERS, PEOPLE, TABLE, UNLISTED

STRONG = re.compile(rf'"[0-9]+\.[0-9a-f]{{{DIGITS}}}"')


@pytest.fixture(scope="module")
async def people(anyone, sign_in, admin, teacher):
    return {
        "nobody": anyone,
        "learner": sign_in("learner", "lea"),
        "stranger": sign_in("instructor", "stranger"),
        "owner": teacher,
        "colleague": sign_in("instructor", "colleague"),
        "admin": admin,
    }


@pytest.fixture(scope="module")
async def courses(admin, add_course, add_lecture):
    """A published course with a published lecture and an open upload, and a draft of each."""
    await admin.post(
        "/v1/instructors", json={"slug": "colleague", "name": "Col", "subject": "colleague"}
    )
    found = {}
    for slug in ("open", "hidden"):
        await add_course(slug, published=slug == "open", instructors=["colleague"])
        lecture = await add_lecture(slug, published=slug == "open")
        begun = await admin.post(
            f"/v1/lectures/{lecture['id']}/uploads", json={"filename": "a.mp4", "size": 9 * MIB}
        )
        found[slug] = {
            "slug": slug,
            "lecture_id": lecture["id"],
            "upload_id": begun.json()["id"],
            **dict.fromkeys(
                ("code", "kid", "token", "name", "job_id", "webhook_id", "delivery_id"), "none"
            ),
            "opportunity_id": "none",
            "language": "de",
            "invitation_id": "none",
            "number": 1,
        }
    return found


def every_route(routes):
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from every_route(included.routes)
        elif not isinstance(route, Mount):  # folders of files
            yield route


def test_every_route_is_in_the_table(app):
    described = {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    assert described - set(TABLE) == set(), "add a row to tests/api/authorization_table.py"
    assert set(TABLE) - described == set(), "rows of routes that are gone"
    hidden = {
        f"{method} {route.path}"
        for route in every_route(app.routes)
        if not route.include_in_schema
        for method in route.methods
    }
    assert hidden == UNLISTED


@pytest.mark.parametrize("route", TABLE)
async def test_everybody_gets_what_the_table_says(people, courses, route):
    row = TABLE[route]
    method, template = route.split(" ")
    for slug in ["open"] if row.hidden is None else ["open", "hidden"]:
        path = template.format(**courses[slug])
        found = {
            person: (await people[person].request(method, path, json=row.body, headers=row.headers))
            for person in PEOPLE
        }
        wanted = {
            person: row.expected(person) if slug == "open" else row.expected_of_draft(person)
            for person in PEOPLE
        }
        assert {person: answer.status_code for person, answer in found.items()} == wanted, {
            person: answer.text[:300] for person, answer in found.items()
        }
        for person, answer in found.items():
            if method == "GET" and template.startswith("/v1/") and answer.status_code == 200:
                assert STRONG.fullmatch(answer.headers["etag"]), person
            # What one may not see answers as if it did not exist; the reason must not tell more.
            if slug == "hidden" and person not in INSIDERS and wanted[person] == 404:
                assert answer.json()["detail"].startswith("There is nothing here, or")


@pytest.mark.parametrize("person", PEOPLE)
async def test_a_draft_lecture_of_a_public_course_is_listed_for_its_teachers_only(
    people, courses, add_lecture, person
):
    draft = await add_lecture("open")
    try:
        seen = await people[person].get("/v1/courses/open")
        listed = [each["id"] for part in seen.json()["sections"] for each in part["lectures"]]
        assert courses["open"]["lecture_id"] in listed
        assert (draft["id"] in listed) == (person in INSIDERS)
        answer = await people[person].get(f"/v1/lectures/{draft['id']}")
        assert (answer.status_code == 200) == (person in INSIDERS)
    finally:
        await people["owner"].delete(f"/v1/lectures/{draft['id']}")


@pytest.mark.parametrize("person", PEOPLE)
async def test_courses_are_begun_by_instructors_and_administrators(people, person):
    body = {"slug": f"of-{person}", "title": "T", "language": "en"}
    answer = await people[person].post("/v1/courses", json=body)
    assert answer.status_code == {"nobody": 401, "learner": 403}.get(person, 201)


async def test_ones_own_courses_include_drafts_and_what_one_teaches(people, courses):
    async def mine(person):
        answer = await people[person].get("/v1/me/teaching", params={"limit": 100})
        return {each["slug"] for each in answer.json()["items"]}

    assert {"open", "hidden"} <= await mine("owner")
    assert {"open", "hidden"} <= await mine("colleague")
    assert not await mine("stranger") & {"open", "hidden"}


async def test_an_instructor_profile_without_an_account_gives_no_rights(people, courses, admin):
    await admin.post("/v1/instructors", json={"slug": "ghost", "name": "Ghost"})
    await people["owner"].patch("/v1/courses/open", json={"instructors": ["colleague", "ghost"]})
    answer = await people["stranger"].patch("/v1/courses/open", json={})
    assert answer.status_code == 403


async def test_the_last_way_to_a_stolen_token_is_closed(anyone, courses):
    for value in ("Bearer nonsense", "Basic YTpi", "Bearer", "Bearer " + "x" * 9000):
        answer = await anyone.get("/v1/courses", headers={"Authorization": value})
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    plain = await anyone.post("/v1/courses", json={})
    assert plain.headers["www-authenticate"] == 'Bearer realm="academy"'
