"""What an instructor sees of a course's audience."""

from __future__ import annotations

import pytest

from academy.statistics import BUCKETS, moments, running_totals
from tests.fixtures_learning import watch


async def statistics(client, course):
    answer = await client.get(f"/v1/courses/{course.slug}/statistics")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
async def audience(add_curriculum, sign_in, teacher):
    """Ten learners: all begin, six leave in the middle of the first lecture, two finish both."""
    course = await add_curriculum(100.0, 50.0)
    first, second = course.ids
    for number in range(10):
        learner = sign_in("learner", f"statistics-{number}")
        await learner.put(f"/v1/courses/{course.slug}/enrolment")
        if number < 6:
            await watch(learner, first, (0, 20), (22, 41))
        else:
            await watch(learner, first, (0, 100))
        if number >= 8:
            await watch(learner, second, (0, 50))
            await learner.post(f"/v1/courses/{course.slug}/certificate")
    visitor = sign_in("learner", "statistics-visitor")
    await watch(visitor, second, (0, 10))
    await visitor.get("/v1/me/progress")
    return course


async def test_the_funnel_counts_enrolled_learners_step_by_step(audience, teacher):
    seen = await statistics(teacher, audience)
    assert seen["funnel"] == {
        "enrolled": 10,
        "started": 10,
        "halfway": 4,
        "completed": 2,
        "certified": 2,
    }
    assert (seen["learners"], seen["active"]) == (10, 10)


async def test_the_retention_curve_shows_who_saw_what(audience, teacher):
    first, second = (await statistics(teacher, audience))["lectures"]
    assert len(first["viewers"]) == BUCKETS
    # Parts of two seconds: six watched up to 20 s and from 22 s to 41 s.
    assert first["viewers"][:10] == [10] * 10
    assert first["viewers"][10] == 4
    assert first["viewers"][11:20] == [10] * 9
    assert first["viewers"][21:] == [4] * (BUCKETS - 21)
    assert (first["started"], first["completed"]) == (10, 4)
    assert (second["started"], second["completed"]) == (3, 2)


async def test_the_moment_where_many_leave_is_named(audience, teacher):
    first, _ = (await statistics(teacher, audience))["lectures"]
    assert first["leaving"] == [{"start": 40.0, "end": 42.0, "learners": 6}]


async def test_statistics_are_for_those_who_teach(audience, anyone, sign_in, admin):
    path = f"/v1/courses/{audience.slug}/statistics"
    assert (await anyone.get(path)).status_code == 401
    assert (await sign_in("learner", "curious").get(path)).status_code == 403
    assert (await sign_in("instructor", "stranger").get(path)).status_code == 403
    assert (await admin.get(path)).status_code == 200


async def test_a_course_without_learners_has_statistics_too(add_course, teacher):
    await add_course("lonely", published=True)
    answer = await teacher.get("/v1/courses/lonely/statistics")
    assert answer.json()["funnel"]["enrolled"] == 0
    assert answer.json()["lectures"] == []


def test_totals_run_from_the_left():
    assert running_totals({0: 3, 2: -1, 3: 1, 5: -3}, 5) == (3, 3, 2, 3, 3)


def test_the_end_of_a_lecture_is_no_moment_of_leaving():
    leavers = [0] * 20
    leavers[19] = 50
    assert moments(leavers, 200.0) == []
    leavers[4] = 5
    assert [(each.start, each.end, each.learners) for each in moments(leavers, 200.0)] == [
        (40.0, 50.0, 5)
    ]
