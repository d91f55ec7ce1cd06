"""Learning: enrolling, reporting what was watched, seeing how far one has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from academy.access import Access
from academy.certificates import Certificate
from academy.completion_rules import CompletionRules
from academy.courses import Course, Lecture, now
from academy.enrolment import Enrolment
from academy.errors import FieldError, Invalid, NotFound
from academy.heartbeats import HeartbeatBuffer
from academy.learner_stores import LearnerStores
from academy.patching import Expected, check, rewrite
from academy.progress import Heartbeat, Progress
from academy.public_lectures import PublicLectures
from academy.standing import Standing, standing
from academy.store_values import Page, Position
from academy.watched import Range, merged

LONGEST: Final = 172_800.0
"""Seconds: two days, beyond any lecture."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """An enrolment with all that a page about it shows. `next` is where to go on watching."""

    enrolment: Enrolment
    course: Course
    standing: Standing
    next: Lecture | None
    at: Progress | None
    """The progress in `next`, if it was begun."""
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class Learning:
    access: Access
    stores: LearnerStores
    heartbeats: HeartbeatBuffer
    lectures: PublicLectures

    async def enrol(self, slug: str) -> tuple[Enrolment, bool]:
        """The enrolment, and whether it is new."""
        person = self.access.person()
        course = await self.access.course_to_read(slug)
        return await self.stores.enrolments.enrol(
            Enrolment(subject=person.subject, course=course.slug)
        )

    async def enrolment(self, slug: str) -> Enrolment:
        """NotFound when not enrolled."""
        found = await self.stores.enrolments.get(self.access.person().subject, slug)
        if found is None:
            raise NotFound("You are not enrolled in this course.")
        return found

    async def leave(self, slug: str) -> None:
        """Progress and certificates stay. Idempotent."""
        await self.stores.enrolments.leave(self.access.person().subject, slug)

    async def report(
        self,
        lecture_id: str,
        *,
        position: float,
        watched: Sequence[Sequence[float]],
        session: str | None = None,
        sequence: int = 0,
    ) -> None:
        """One heartbeat. Returns when it is written, together with others: within about 250 ms."""
        person = self.access.person()
        course = await self.lectures.course_of(lecture_id)
        if course is None:  # a draft, for those who may see it
            course = (await self.access.lecture_to_read(lecture_id))[1].slug
        await self.heartbeats.report(
            Heartbeat(
                subject=person.subject,
                lecture=lecture_id,
                course=course,
                position=round(position, 3),
                watched=tuple(checked(watched)),
                at=now(),
                session=session,
                sequence=sequence,
            )
        )

    async def progress(
        self, *, limit: int, after: Position | None = None, course: str | None = None
    ) -> Page[Progress]:
        """Of one course all at once; else page by page, last watched first."""
        subject = await self._settled()
        if course is None:
            return await self.stores.progress.list(subject, limit=limit, after=after)
        found = await self.stores.progress.of_course(subject, course)
        return Page(items=sorted(found.values(), key=lambda each: each.at, reverse=True))

    async def attending(self, *, limit: int, after: Position | None = None) -> Page[Attendance]:
        """The courses one is enrolled in, newest enrolment first. Those hidden meanwhile are left out."""
        subject = await self._settled()
        page = await self.stores.enrolments.list(subject, limit=limit, after=after)
        slugs = [each.course for each in page.items]
        progress, certificates = await asyncio.gather(
            self.stores.progress.of_courses(subject, slugs),
            self.stores.certificates.of(subject, slugs),
        )

        async def attendance(enrolment: Enrolment) -> Attendance | None:
            try:
                course = await self.access.course_to_read(enrolment.course)
            except NotFound:
                return None
            lectures = await self.stores.courses.lectures(course.slug, drafts=False)
            mine = progress.get(course.slug, {})
            where = standing(rules_of(course), lectures, mine)
            follow = _next(lectures, where, mine)
            return Attendance(
                enrolment=enrolment,
                course=course,
                standing=where,
                next=follow,
                at=mine.get(follow.id) if follow else None,
                certificate=certificates.get(course.slug),
            )

        found = await asyncio.gather(*(attendance(each) for each in page.items))
        return Page(items=[each for each in found if each is not None], next=page.next)

    async def standing(self, course: Course) -> Standing:
        subject = await self._settled()
        lectures, progress = await asyncio.gather(
            self.stores.courses.lectures(course.slug, drafts=False),
            self.stores.progress.of_course(subject, course.slug),
        )
        return standing(rules_of(course), lectures, progress)

    async def set_rules(self, slug: str, rules: CompletionRules, expected: Expected) -> Course:
        """For those who may write the course. Invalid for lectures that are not of this course."""
        course = await self.access.course_to_write(slug)
        check(expected, course.revision)
        if rules.lectures is not None:
            known = {each.id for each in await self.stores.courses.lectures(slug, drafts=True)}
            wrong = [
                FieldError(f"/lectures/{index}", "this course has no such lecture")
                for index, lecture in enumerate(rules.lectures)
                if lecture not in known
            ]
            if wrong:
                raise Invalid("Only lectures of this course can count.", errors=wrong)

        async def fields(stored: Course) -> dict[str, object]:
            return {} if rules == stored.completion else {"completion": rules.model_dump()}

        return await rewrite(
            lambda: self.access.course_to_write(slug),
            fields,
            lambda changes: self.stores.courses.change(slug, changes),
            expected,
        )

    async def _settled(self) -> str:
        """Who asks; what they sent to this process can be read now."""
        subject = self.access.person().subject
        await self.heartbeats.settle(subject)
        return subject


def rules_of(course: Course) -> CompletionRules:
    return course.completion or CompletionRules()


def checked(watched: Sequence[Sequence[float]]) -> list[Range]:
    """Merged, in whole milliseconds. Invalid, with a pointer to each, for what is no range."""
    wrong = [
        FieldError(f"/watched/{index}", f"give [start, end] with 0 ≤ start ≤ end ≤ {LONGEST:.0f}")
        for index, each in enumerate(watched)
        if not (len(each) == 2 and 0 <= each[0] <= each[1] <= LONGEST)
    ]
    if wrong:
        raise Invalid("Watched ranges are pairs of seconds.", errors=wrong)
    return merged((round(start, 3), round(end, 3)) for start, end in watched)


def _next(
    lectures: Sequence[Lecture], where: Standing, progress: Mapping[str, Progress]
) -> Lecture | None:
    """Where to go on: the lecture watched last unless it is done, else the first that is not."""
    left = [each for each in lectures if each.id not in where.completed]
    begun = [each for each in left if each.id in progress]
    if begun:
        return max(begun, key=lambda each: progress[each.id].at)
    return left[0] if left else None
