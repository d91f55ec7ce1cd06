"""A course's audience, for those who teach it. Counted anew at most once a minute per course and process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from academy.access import Access
from academy.courses import Course, Lecture, now
from academy.learner_stores import LearnerStores
from academy.learning import rules_of
from academy.statistics import BUCKETS, Funnel, Moment, Need, moments

KEPT: Final = 60.0
"""Seconds."""
MOST: Final = 500
ACTIVE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class LectureAudience:
    """`viewers[k]`: how many saw part k of equal parts; `moments`: where many leave."""

    lecture: Lecture
    started: int
    completed: int
    viewers: Sequence[int]
    moments: Sequence[Moment]


@dataclass(frozen=True, slots=True)
class CourseAudience:
    counted_at: datetime
    funnel: Funnel
    lectures: Sequence[LectureAudience]


@dataclass(slots=True)
class Audiences:
    """One per process."""

    stores: LearnerStores
    clock: Callable[[], float]
    _counted: dict[str, tuple[float, asyncio.Task[CourseAudience]]] = field(
        default_factory=dict, init=False
    )

    async def of(self, access: Access, slug: str) -> CourseAudience:
        """Only for those who may write the course: Forbidden or NotFound for others."""
        course = await access.course_to_write(slug)
        due, task = self._counted.get(slug, (0.0, None))
        if task is None or due <= self.clock() or (task.done() and task.exception()):
            if len(self._counted) >= MOST:
                self._counted.clear()
            task = asyncio.create_task(self._count(course))
            self._counted[slug] = (self.clock() + KEPT, task)
        return await asyncio.shield(task)

    async def _count(self, course: Course) -> CourseAudience:
        rules = rules_of(course)
        lectures = rules.counted(await self.stores.courses.lectures(course.slug, drafts=False))
        needs = [Need(each.id, each.duration or 0.0, rules.needed(each)) for each in lectures]
        at = now()
        store = self.stores.statistics
        funnel, attention = await asyncio.gather(
            store.funnel(course.slug, needs, since=at - ACTIVE), store.attention(needs, BUCKETS)
        )
        return CourseAudience(
            counted_at=at,
            funnel=funnel,
            lectures=[
                LectureAudience(
                    lecture=lecture,
                    started=seen.started,
                    completed=seen.completed,
                    viewers=seen.viewers,
                    moments=moments(seen.leavers, need.duration),
                )
                for lecture, need, seen in zip(lectures, needs, attention, strict=True)
            ],
        )
