"""Enrolling, reporting what was watched, resuming elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures_learning import watch


@pytest.fixture(scope="module")
async def course(add_curriculum):
    return await add_curriculum(100.0, 200.0)


@pytest.fixture
def learner(sign_in, request):
    return sign_in("learner", request.node.name[:200])


async def progress_in(client, course):
    answer = await client.get("/v1/me/progress", params={"course": course.slug})
    assert answer.status_code == 200, answer.text
    return {each["lecture_id"]: each for each in answer.json()["items"]}


async def my_course(client, course):
    answer = await client.get("/v1/me/courses")
    assert answer.status_code == 200, answer.text
    return next((e for e in answer.json()["items"] if e["course"]["slug"] == course.slug), None)


async def test_enrolling_twice_is_one_enrolment(learner, course):
    path = f"/v1/courses/{course.slug}/enrolment"
    assert (await learner.get(path)).status_code == 404
    first = await learner.put(path)
    again = await learner.put(path)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == (await learner.get(path)).json()
    assert (await my_course(learner, course))["progress"]["share"] == 0


async def test_many_devices_enrol_at_the_same_moment(learner, course):
    path = f"/v1/courses/{course.slug}/enrolment"
    answers = await asyncio.gather(*(learner.put(path) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.text for answer in answers}) == 1


async def test_leaving_is_repeatable_and_keeps_the_progress(learner, course):
    path = f"/v1/courses/{course.slug}/enrolment"
    await learner.put(path)
    await watch(learner, course.lectures[100.0], (0, 30))
    for _ in range(2):
        assert (await learner.delete(path)).status_code == 204
    assert await my_course(learner, course) is None
    assert course.lectures[100.0] in await progress_in(learner, course)


async def test_a_course_with_learners_is_not_deleted(learner, add_curriculum, teacher):
    course = await add_curriculum(10.0)
    path = f"/v1/courses/{course.slug}"
    await learner.put(f"{path}/enrolment")
    refused = await teacher.delete(path)
    assert refused.status_code == 409
    assert "enrolled" in refused.json()["detail"]
    await learner.delete(f"{path}/enrolment")
    assert (await teacher.delete(path)).status_code == 204


async def test_ranges_are_merged_whatever_their_order(learner, course):
    lecture = course.lectures[100.0]
    await watch(learner, lecture, (20, 30))
    await watch(learner, lecture, (0, 10), (25, 40))
    await watch(learner, lecture, (0, 10))
    await watch(learner, lecture, (10, 12.5))
    seen = (await progress_in(learner, course))[lecture]
    assert seen["watched"] == [[0, 12.5], [20, 40]]
    assert seen["covered"] == 32.5
    assert seen["share"] == 0.325
    assert seen["furthest"] == 40
    assert seen["position"] == 12.5


async def test_a_dragged_slider_covers_nothing(learner, course):
    lecture = course.lectures[100.0]
    report = {"position": 99.5, "watched": [[0, 2], [99, 99.5]]}
    assert (await learner.put(f"/v1/me/progress/{lecture}", json=report)).status_code == 204
    seen = (await progress_in(learner, course))[lecture]
    assert (seen["covered"], seen["complete"]) == (2.5, False)


async def test_reports_of_one_visit_are_ordered_by_their_sequence(learner, course):
    lecture = course.lectures[100.0]
    for sequence, position in ((1, 10), (3, 30), (2, 20)):
        report = {"position": position, "watched": [], "session": "tab", "sequence": sequence}
        await learner.put(f"/v1/me/progress/{lecture}", json=report)
    assert (await progress_in(learner, course))[lecture]["position"] == 30
    other_device = {"position": 5, "watched": [], "session": "phone", "sequence": 0}
    await learner.put(f"/v1/me/progress/{lecture}", json=other_device)
    assert (await progress_in(learner, course))[lecture]["position"] == 5


async def test_what_lies_beyond_the_end_does_not_count(learner, course):
    lecture = course.lectures[100.0]
    await watch(learner, lecture, (90, 500))
    seen = (await progress_in(learner, course))[lecture]
    assert (seen["watched"], seen["covered"], seen["position"]) == ([[90, 100]], 10, 100)


async def test_one_goes_on_with_the_lecture_watched_last(learner, course):
    await learner.put(f"/v1/courses/{course.slug}/enrolment")
    first, second = course.ids
    assert (await my_course(learner, course))["next"]["id"] == first
    await watch(learner, first, (0, 100))
    assert (await my_course(learner, course))["next"]["id"] == second
    await watch(learner, second, (0, 50))
    mine = await my_course(learner, course)
    assert (mine["next"]["id"], mine["next"]["position"]) == (second, 50)
    assert mine["progress"] == {"completed": 1, "required": 2, "share": 0.5, "complete": False}
    await watch(learner, second, (50, 180))
    mine = await my_course(learner, course)
    assert (mine["next"], mine["progress"]["complete"]) == (None, True)


@pytest.mark.parametrize(
    ("report", "pointer"),
    [
        ({"watched": []}, "/position"),
        ({"position": -1, "watched": []}, "/position"),
        ({"position": 1, "watched": [[0]]}, "/watched/0"),
        ({"position": 1, "watched": [[0, 1], [5, 2]]}, "/watched/1"),
        ({"position": 1, "watched": [[0, 1e9]]}, "/watched/0/1"),
        ({"position": 1, "watched": [], "positon": 2}, "/positon"),
        ({"position": 1, "watched": [[0, 1]] * 201}, "/watched"),
    ],
)
async def test_a_wrong_report_is_refused_with_a_pointer(learner, course, report, pointer):
    answer = await learner.put(f"/v1/me/progress/{course.ids[0]}", json=report)
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


async def test_a_report_that_is_not_json_is_refused(learner, course):
    path = f"/v1/me/progress/{course.ids[0]}"
    json = {"Content-Type": "application/json"}
    answer = await learner.put(path, content=b"{", headers=json)
    assert (answer.status_code, answer.json()["type"]) == (
        400,
        "urn:academy:problem:malformed_json",
    )
    assert (await learner.put(path, content=b"{}")).status_code == 415


async def test_reports_need_a_token_and_a_lecture(anyone, learner, course, add_lecture):
    body = {"position": 1, "watched": []}
    assert (await anyone.put(f"/v1/me/progress/{course.ids[0]}", json=body)).status_code == 401
    assert (await learner.put("/v1/me/progress/nothing", json=body)).status_code == 404
    draft = (await add_lecture(course.slug))["id"]
    assert (await learner.put(f"/v1/me/progress/{draft}", json=body)).status_code == 404


async def test_progress_pages_by_what_was_watched_last(learner, add_curriculum):
    courses = [await add_curriculum(50.0) for _ in range(3)]
    for course in courses:
        await watch(learner, course.ids[0], (0, 5))
        await progress_in(learner, course)  # written, so that the next one is later
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await learner.get("/v1/me/progress", params=params)).json()
        seen += [each["course"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [course.slug for course in reversed(courses)]
    assert cursor is None


async def test_a_deleted_lecture_takes_its_progress_along(
    learner, add_curriculum, teacher, backend
):
    course = await add_curriculum(10.0, 20.0)
    for lecture in course.ids:
        await watch(learner, lecture, (0, 5))
    assert len(await progress_in(learner, course)) == 2
    await teacher.delete(f"/v1/lectures/{course.ids[0]}")
    assert list(await progress_in(learner, course)) == [course.ids[1]]
    left = backend.stores.database.progress
    assert await left.count_documents({"lecture": course.ids[0]}) == 0


async def test_a_first_report_counts_as_one_view(sign_in, add_curriculum, app, backend):
    course = await add_curriculum(30.0)
    lecture = course.ids[0]
    for name in ("ann", "bob", "ann"):
        await watch(sign_in("learner", f"view-{name}"), lecture, (0, 5))
    await backend.stores.progress.record([])
    heartbeats = app.state.services.learners.heartbeats
    await heartbeats.close()
    assert (await backend.stores.courses.get(course.slug)).views == 2
    document = await backend.stores.database.lectures.find_one({"_id": lecture})
    assert document["views"] == 2
