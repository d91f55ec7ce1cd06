from __future__ import annotations

import asyncio

import pytest


async def titles(client, path):
    return (await client.get(path, params={"lang": "*"})).json()["title"]


async def order(client, slug):
    course = (await client.get(f"/v1/courses/{slug}?lang=en")).json()
    return [each["title"] for part in course["sections"] for each in part["lectures"]]


async def test_a_map_merges_and_null_removes_a_language(teacher, add_course):
    await add_course("merge", title={"zh": "一", "en": "One"})
    await teacher.patch("/v1/courses/merge", json={"title": {"fr": "Un", "en": None}})
    assert await titles(teacher, "/v1/courses/merge") == {"zh": "一", "fr": "Un"}
    await teacher.patch("/v1/courses/merge", json={"title": "二"})
    assert await titles(teacher, "/v1/courses/merge") == {"zh": "二", "fr": "Un"}


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"title": None}, "/title"),
        ({"title": {"zh": None}}, "/title"),
        ({"title": {}}, None),
        ({"title": {"zh": ""}}, "/title/zh"),
        ({"title": {"not a tag": "x"}}, "/title/not a tag"),
        ({"language": None}, "/language"),
        ({"level": "expert"}, "/level"),
        ({"slug": "other"}, "/slug"),
        ({"programme": "nothing"}, "/programme"),
        ({"universities": ["a", "nothing"]}, "/universities/0"),
        ({"instructors": ["nobody"]}, "/instructors/0"),
        ({"sections": [{"title": "a"}, {"id": "nothing", "title": "b"}]}, "/sections/1/id"),
        ({"sections": [{"title": {}}]}, "/sections/0/title"),
    ],
)
async def test_a_wrong_member_is_named_by_its_pointer(teacher, add_course, patch, pointer):
    slug = f"wrong-{abs(hash(str(patch)))}"
    await add_course(slug, title={"zh": "题"})
    answer = await teacher.patch(f"/v1/courses/{slug}", json=patch)
    if pointer is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 422
        assert pointer in [wrong["pointer"] for wrong in answer.json()["errors"]]
    assert await titles(teacher, f"/v1/courses/{slug}") == {"zh": "题"}


async def test_null_empties_what_may_be_empty(teacher, admin, add_course):
    await admin.post("/v1/programmes", json={"slug": "cloud", "name": "云计算"})
    await add_course("full", programme="cloud", level="advanced", summary={"en": "S"})
    patch = {"programme": None, "level": None, "summary": None, "universities": None}
    answer = (await teacher.patch("/v1/courses/full", json=patch)).json()
    assert (answer["programme"], answer["level"], answer["summary"]) == (None, None, None)
    assert answer["universities"] == []


async def test_an_empty_patch_changes_nothing_not_even_the_revision(teacher, add_course):
    await add_course("still")
    before = (await teacher.get("/v1/courses/still")).headers["etag"]
    answer = await teacher.patch("/v1/courses/still", json={"title": {"en": "still"}})
    assert answer.headers["etag"] == before


async def test_sections_keep_their_id_their_lectures_and_their_other_languages(
    teacher, add_course, add_lecture
):
    made = await add_course(
        "parts", sections=[{"title": {"zh": "甲", "en": "A"}}, {"title": {"en": "B"}}]
    )
    first, second = (each["id"] for each in made["sections"])
    lecture = await add_lecture("parts", section=first)
    sections = [{"id": second, "title": {"en": "B2"}}, {"id": first, "title": "乙"}]
    answer = await teacher.patch(
        "/v1/courses/parts", json={"sections": [*sections, {"title": "C"}]}, params={"lang": "*"}
    )
    shown = answer.json()["sections"]
    assert [each["id"] for each in shown][:2] == [second, first]
    assert [each["title"] for each in shown] == [
        {"en": "B2"},
        {"zh": "乙", "en": "A"},
        {"zh": "C"},
    ]
    assert shown[1]["lectures"][0]["id"] == lecture["id"]
    gone = await teacher.patch("/v1/courses/parts", json={"sections": sections[:1]})
    assert gone.status_code == 409
    await teacher.patch(f"/v1/lectures/{lecture['id']}", json={"section": second})
    gone = await teacher.patch("/v1/courses/parts", json={"sections": sections[:1]})
    assert gone.status_code == 200


async def test_a_lecture_moves_to_its_place_and_the_others_make_room(
    teacher, add_course, add_lecture
):
    await add_course("moves")
    made = [await add_lecture("moves", title={"en": title}) for title in "abcd"]
    assert [each["position"] for each in made] == [1, 2, 3, 4]
    await teacher.patch(f"/v1/lectures/{made[3]['id']}", json={"position": 1})
    assert await order(teacher, "moves") == ["d", "a", "b", "c"]
    last = await teacher.patch(f"/v1/lectures/{made[0]['id']}", json={"position": 99})
    assert last.json()["position"] == 4
    assert await order(teacher, "moves") == ["d", "b", "c", "a"]


async def test_a_lecture_takes_only_sections_of_its_course(teacher, add_course):
    await add_course("here", sections=[{"title": "s"}])
    answer = await teacher.post(
        "/v1/courses/here/lectures", json={"title": "x", "section": "elsewhere"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/section"


async def test_a_write_after_somebody_elses_is_refused_when_it_names_the_revision(
    teacher, add_course
):
    await add_course("shared")
    read = await teacher.get("/v1/courses/shared", params={"lang": "en"})
    mine = {"If-Match": read.headers["etag"]}
    theirs = await teacher.patch("/v1/courses/shared", json={"level": "beginner"})
    answer = await teacher.patch("/v1/courses/shared", json={"level": "advanced"}, headers=mine)
    assert answer.status_code == 412
    again = {"If-Match": theirs.headers["etag"]}
    answer = await teacher.patch("/v1/courses/shared", json={"level": "advanced"}, headers=again)
    assert answer.status_code == 200
    assert answer.headers["etag"] == (await teacher.get("/v1/courses/shared")).headers["etag"]


async def test_writes_at_the_same_moment_all_arrive_when_none_names_a_revision(teacher, add_course):
    await add_course("busy", title={"zh": "忙"})
    tags = ["en", "fr", "de", "it"]
    answers = await asyncio.gather(
        *(teacher.patch("/v1/courses/busy", json={"title": {tag: tag}}) for tag in tags)
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert set(await titles(teacher, "/v1/courses/busy")) == {"zh", *tags}


async def test_of_writes_that_name_the_same_revision_one_wins(teacher, add_course):
    await add_course("race")
    mine = {"If-Match": (await teacher.get("/v1/courses/race")).headers["etag"]}
    answers = await asyncio.gather(
        *(
            teacher.patch("/v1/courses/race", json={"title": {tag: tag}}, headers=mine)
            for tag in ("fr", "de", "it")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]


async def test_publishing_shows_and_unpublishing_hides(teacher, anyone, add_course, add_lecture):
    await add_course("show")
    lecture = await add_lecture("show", published=True)
    path = f"/v1/lectures/{lecture['id']}"
    assert (await anyone.get(path)).status_code == 404
    first = (await teacher.post("/v1/courses/show/publish")).json()["published_at"]
    assert (await anyone.get(path)).status_code == 200
    assert (await teacher.post("/v1/courses/show/publish")).json()["published_at"] == first
    await teacher.post("/v1/courses/show/unpublish")
    assert (await anyone.get(path)).status_code == 404
    assert (await anyone.get("/v1/courses/show")).status_code == 404


async def test_a_deleted_course_takes_its_lectures_along(teacher, add_course, add_lecture):
    await add_course("gone")
    lecture = await add_lecture("gone")
    assert (await teacher.delete("/v1/courses/gone")).status_code == 204
    assert (await teacher.get(f"/v1/lectures/{lecture['id']}")).status_code == 404
    assert (await teacher.delete("/v1/courses/gone")).status_code == 404


async def test_a_slug_is_taken_once(add_course, teacher):
    await add_course("taken")
    body = {"slug": "taken", "title": "x", "language": "en"}
    answer = await teacher.post("/v1/courses", json=body)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:academy:problem:conflict"


async def test_what_courses_name_cannot_be_deleted(admin, add_course):
    for noun in ("universities", "programmes", "instructors"):
        made = await admin.post(f"/v1/{noun}", json={"slug": "named", "name": "N"})
        assert made.headers["location"] == f"/v1/{noun}/named"
    await add_course("naming", universities=["named"], programme="named", instructors=["named"])
    for noun in ("universities", "programmes", "instructors"):
        assert (await admin.delete(f"/v1/{noun}/named")).status_code == 409
    await admin.delete("/v1/courses/naming")
    for noun in ("universities", "programmes", "instructors"):
        assert (await admin.delete(f"/v1/{noun}/named")).status_code == 204


async def test_universities_programmes_and_instructors_are_patched(admin, anyone):
    for noun in ("universities", "programmes", "instructors"):
        made = await admin.post(f"/v1/{noun}", json={"slug": "patched", "name": "名"})
        mine = {"If-Match": made.headers["etag"]}
        patch = {"name": {"en": "Name"}}
        changed = await admin.patch(f"/v1/{noun}/patched", json=patch, headers=mine)
        assert changed.status_code == 200
        stale = await admin.patch(f"/v1/{noun}/patched", json=patch, headers=mine)
        assert stale.status_code == 412
        read = await anyone.get(f"/v1/{noun}/patched?lang=*")
        assert read.json()["name"] == {"zh": "名", "en": "Name"}


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//evil.example/x", "/\\evil.example", "data:text/html,x"]
)
async def test_addresses_that_a_page_should_not_follow_are_refused(admin, address):
    body = {"slug": "evil", "name": "E", "portrait_url": address}
    assert (await admin.post("/v1/instructors", json=body)).status_code == 422
    body = {"slug": "evil", "name": "E", "website": address}
    assert (await admin.post("/v1/universities", json=body)).status_code == 422
