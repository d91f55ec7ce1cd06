"""Which lectures are public, remembered for half a minute: heartbeats ask thousands of times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from academy.catalogue_stores import CourseStore

KEPT: Final = 30.0
"""Seconds. For so long a lecture just hidden still takes heartbeats, which nobody sees."""
MOST: Final = 20_000


@dataclass(slots=True)
class PublicLectures:
    """One per process."""

    courses: CourseStore
    clock: Callable[[], float]
    _known: dict[str, tuple[float, str | None]] = field(default_factory=dict, init=False)
    _asking: dict[str, asyncio.Task[str | None]] = field(default_factory=dict, init=False)

    async def course_of(self, lecture_id: str) -> str | None:
        """The slug of its course; None for a lecture that is not public. NotFound without one."""
        due, course = self._known.get(lecture_id, (0.0, None))
        if due > self.clock():
            return course
        task = self._asking.get(lecture_id)
        if task is None:
            # Asked once however many wait, and whoever of them leaves.
            task = self._asking[lecture_id] = asyncio.create_task(self._ask(lecture_id))
            task.add_done_callback(lambda _: self._asking.pop(lecture_id))
        return await asyncio.shield(task)

    async def _ask(self, lecture_id: str) -> str | None:
        lecture = await self.courses.lecture(lecture_id)
        course = await self.courses.get(lecture.course)
        public = course.slug if lecture.published and course.published else None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[lecture_id] = (self.clock() + KEPT, public)
        return public
