"""Who may do what: every writing route, asked by everybody."""

from __future__ import annotations

import pytest

from academy.uploads import MIB

PEOPLE = ("nobody", "learner", "stranger", "owner", "colleague", "admin")


@pytest.fixture(scope="module")
async def people(anyone, sign_in, admin, teacher):
    """`owner` made the course, `colleague` teaches it, `stranger` is another instructor."""
    return {
        "nobody": anyone,
        "learner": sign_in("learner", "lea"),
        "stranger": sign_in("instructor", "stranger"),
        "owner": teacher,
        "colleague": sign_in("instructor", "colleague"),
        "admin": admin,
    }


@pytest.fixture(scope="module")
async def course(admin, add_course, add_lecture):
    """A published course with a published lecture and an open upload, and a draft of each."""
    await admin.post(
        "/v1/instructors", json={"slug": "colleague", "name": "Col", "subject": "colleague"}
    )
    await add_course("open", published=True, instructors=["colleague"])
    await add_course("hidden", instructors=["colleague"])
    found = {}
    for slug in ("open", "hidden"):
        lecture = await add_lecture(slug, published=slug == "open")
        begun = await admin.post(
            f"/v1/lectures/{lecture['id']}/uploads", json={"filename": "a.mp4", "size": 9 * MIB}
        )
        found[slug] = {"lecture": lecture["id"], "upload": begun.json()["id"]}
    return found


# Without a matching revision nothing changes, so one course serves every case.
STALE = {"If-Match": '"999.x"'}

COURSE_ROUTES = [
    ("PATCH", "/v1/courses/{course}", {"level": "beginner"}),
    ("DELETE", "/v1/courses/{course}", None),
    ("POST", "/v1/courses/{course}/publish", None),
    ("POST", "/v1/courses/{course}/unpublish", None),
    ("PATCH", "/v1/lectures/{lecture}", {"title": "Other"}),
    ("DELETE", "/v1/lectures/{lecture}", None),
    ("POST", "/v1/lectures/{lecture}/publish", None),
    ("POST", "/v1/lectures/{lecture}/unpublish", None),
]
"""Allowed: 412, since the revision is stale."""

WORK_ROUTES = [
    ("POST", "/v1/lectures/{lecture}/uploads", {"filename": "a", "size": 2**60}, 413),
    ("GET", "/v1/uploads/{upload}", None, 200),
    ("POST", "/v1/uploads/{upload}/parts", {"numbers": [7]}, 422),
    ("POST", "/v1/uploads/{upload}/complete", None, 409),
    ("GET", "/v1/lectures/{lecture}/recording", None, 404),
    ("GET", "/v1/lectures/{lecture}/recording/events", None, 404),
    ("POST", "/v1/lectures/{lecture}/recording/retry", None, 404),
    ("POST", "/v1/lectures/{lecture}/recording/cancel", None, 404),
]
"""With the status that those allowed get."""


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("slug", ["open", "hidden"])
@pytest.mark.parametrize(("method", "path", "body"), COURSE_ROUTES)
async def test_a_course_is_written_by_those_who_own_or_teach_it(
    people, course, person, slug, method, path, body
):
    address = path.format(course=slug, **course[slug])
    answer = await people[person].request(method, address, json=body, headers=STALE)
    assert answer.status_code == expected(person, slug, 412), answer.text


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("slug", ["open", "hidden"])
@pytest.mark.parametrize(("method", "path", "body", "allowed"), WORK_ROUTES)
async def test_uploads_and_recordings_belong_to_those_who_may_write_the_lecture(
    people, course, person, slug, method, path, body, allowed
):
    address = path.format(course=slug, **course[slug])
    answer = await people[person].request(method, address, json=body)
    assert answer.status_code == expected(person, slug, allowed), answer.text
    problem = answer.json().get("detail", "")
    if allowed == 404 and person in {"owner", "colleague", "admin"}:
        assert "no recording yet" in problem
    else:
        assert "no recording yet" not in problem


def expected(person, slug, allowed):
    if person == "nobody":
        return 401
    if person in {"owner", "colleague", "admin"}:
        return allowed
    return 404 if slug == "hidden" else 403


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("path", ["/v1/courses/hidden", "/v1/lectures/{lecture}"])
async def test_drafts_are_invisible_to_everybody_else(people, course, person, path):
    answer = await people[person].get(path.format(**course["hidden"]))
    assert answer.status_code == (200 if person in {"owner", "colleague", "admin"} else 404)


@pytest.mark.parametrize("person", PEOPLE)
async def test_a_draft_lecture_of_a_public_course_is_listed_for_its_teachers_only(
    people, course, add_lecture, person
):
    draft = await add_lecture("open")
    try:
        seen = await people[person].get("/v1/courses/open")
        listed = [each["id"] for part in seen.json()["sections"] for each in part["lectures"]]
        assert course["open"]["lecture"] in listed
        assert (draft["id"] in listed) == (person in {"owner", "colleague", "admin"})
        answer = await people[person].get(f"/v1/lectures/{draft['id']}")
        assert (answer.status_code == 200) == (person in {"owner", "colleague", "admin"})
    finally:
        await people["owner"].delete(f"/v1/lectures/{draft['id']}")


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (method, path, body)
        for noun in ("universities", "programmes", "instructors")
        for method, path, body in [
            ("POST", f"/v1/{noun}", {"slug": "colleague-2", "name": "X"}),
            ("PATCH", f"/v1/{noun}/nothing", {"name": "X"}),
            ("DELETE", f"/v1/{noun}/nothing", None),
        ]
    ],
)
async def test_universities_programmes_and_instructors_are_written_by_administrators(
    people, person, method, path, body
):
    answer = await people[person].request(method, path, json=body)
    if person == "nobody":
        assert answer.status_code == 401
    elif person != "admin":
        assert answer.status_code == 403
    else:
        assert answer.status_code == (201 if method == "POST" else 404)


@pytest.mark.parametrize("person", PEOPLE)
async def test_courses_are_begun_by_instructors_and_administrators(people, person):
    body = {"slug": f"of-{person}", "title": "T", "language": "en"}
    answer = await people[person].post("/v1/courses", json=body)
    assert answer.status_code == {"nobody": 401, "learner": 403}.get(person, 201)


async def test_ones_own_courses_include_drafts_and_what_one_teaches(people, course):
    async def mine(person):
        answer = await people[person].get("/v1/me/teaching", params={"limit": 100})
        return answer.status_code, {each["slug"] for each in answer.json().get("items", [])}

    assert {"open", "hidden"} <= (await mine("owner"))[1]
    assert {"open", "hidden"} <= (await mine("colleague"))[1]
    status, courses = await mine("stranger")
    assert status == 200
    assert not courses & {"open", "hidden"}
    assert (await mine("learner"))[0] == 403
    assert (await mine("nobody"))[0] == 401


async def test_an_instructor_profile_without_an_account_gives_no_rights(people, course, admin):
    await admin.post("/v1/instructors", json={"slug": "ghost", "name": "Ghost"})
    await people["owner"].patch("/v1/courses/open", json={"instructors": ["colleague", "ghost"]})
    answer = await people["stranger"].patch("/v1/courses/open", json={})
    assert answer.status_code == 403


async def test_the_last_way_to_a_stolen_token_is_closed(anyone, course):
    for value in ("Bearer nonsense", "Basic YTpi", "Bearer", "Bearer " + "x" * 9000):
        answer = await anyone.get("/v1/courses", headers={"Authorization": value})
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    plain = await anyone.post("/v1/courses", json={})
    assert plain.headers["www-authenticate"] == 'Bearer realm="academy"'
