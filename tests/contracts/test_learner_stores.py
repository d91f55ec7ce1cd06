"""The learners' stores against a real MongoDB, where the API does not reach."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from academy.certificates import Certificate
from academy.courses import now
from academy.enrolment import Enrolment
from academy.errors import Conflict, NotFound
from academy.ids import new_id
from academy.learner_stores import LearnerStores
from academy.mongo import statistics
from academy.mongo.stores import MongoStores
from academy.progress import Heartbeat
from academy.statistics import Need
from tests.documents import a_course, a_slug


def test_the_stores_are_what_the_protocols_ask_for(stores: MongoStores) -> None:
    asked: LearnerStores = stores  # mypy compares every signature
    assert asked.progress is stores.progress


def a_certificate(subject: str | None, course: str) -> Certificate:
    return Certificate(
        subject=subject,
        name="N",
        course=course,
        title={"en": "T"},
        language="en",
        lectures=1,
        duration=60.0,
        share=0.9,
    )


async def test_enrolling_and_deleting_a_course_never_pass_each_other(stores: MongoStores) -> None:
    for _ in range(5):
        course = a_course()
        await stores.courses.add(course)
        enrolling = stores.enrolments.enrol(Enrolment(subject="ann", course=course.slug))
        results = await asyncio.gather(
            enrolling, stores.courses.delete(course.slug), return_exceptions=True
        )
        refused = [each for each in results if isinstance(each, Conflict | NotFound)]
        assert len(refused) == 1, results
        kept = await stores.enrolments.get("ann", course.slug)
        there = await stores.database.courses.find_one({"_id": course.slug})
        assert (kept is None) == (there is None)


async def test_nobody_enrols_in_a_course_that_is_not_there(stores: MongoStores) -> None:
    with pytest.raises(NotFound):
        await stores.enrolments.enrol(Enrolment(subject="ann", course="none"))


async def test_enrolments_page_by_their_time(stores: MongoStores) -> None:
    subject, at = new_id(), now()
    slugs = []
    for number in range(5):
        course = a_course()
        await stores.courses.add(course)
        begun = at + timedelta(seconds=number // 2)
        await stores.enrolments.enrol(
            Enrolment(subject=subject, course=course.slug, enrolled_at=begun)
        )
        slugs.append((begun, course.slug))
    seen, after = [], None
    while True:
        page = await stores.enrolments.list(subject, limit=2, after=after)
        seen += [(each.enrolled_at, each.course) for each in page.items]
        after = page.next
        if after is None:
            break
    assert seen == sorted(slugs, key=lambda each: (-each[0].timestamp(), each[1]))


async def test_erased_learners_of_one_course_do_not_collide(stores: MongoStores) -> None:
    course = a_slug()
    for subject in ("one", "two"):
        await stores.certificates.issue(a_certificate(subject, course))
        await stores.personal_data.erase(subject, keep_certificates=True)
    kept = await stores.database.certificates.count_documents({"course": course})
    assert kept == 2
    _, new = await stores.certificates.issue(a_certificate("one", course))
    assert new


async def test_many_learners_are_counted_by_a_sample(
    stores: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "SAMPLE", 200)
    course, lecture, learners = a_slug(), new_id(), 2_000
    beats = [
        Heartbeat(f"sample-{number}", lecture, course, 50.0, ((0.0, 50.0),), now())
        for number in range(learners)
    ]
    await stores.progress.record(beats)
    need = Need(lecture, 100.0, 40.0)
    seen = (await stores.statistics.attention([need], 10))[0]
    # Of 200 ± 13 counted; the bounds are ten times as wide.
    assert seen.started == pytest.approx(learners, rel=0.6)
    assert seen.completed == seen.started
    assert seen.viewers == (seen.started,) * 5 + (0,) * 5
    assert seen.leavers[5] == seen.started
