"""What one person may see and change, asked of the stores.

A draft does not exist for those who may not write it (NotFound); what everybody can see but not
everybody may change is Forbidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from academy.courses import Course, Lecture
from academy.errors import Forbidden, NotFound, Unauthenticated
from academy.people import Identity, may_write_course
from academy.stores import Stores


@dataclass(slots=True)
class Access:
    """One request's view: `identity` is None for somebody without a token."""

    stores: Stores
    identity: Identity | None
    _profiles: Sequence[str] | None = field(default=None, init=False)

    def person(self) -> Identity:
        if self.identity is None:
            raise Unauthenticated
        return self.identity

    def teacher(self) -> Identity:
        if not self.person().may_teach:
            raise Forbidden("Only instructors and administrators may do this.")
        return self.person()

    def admin(self) -> Identity:
        if not self.person().is_admin:
            raise Forbidden("Only administrators may do this.")
        return self.person()

    async def profiles(self) -> Sequence[str]:
        """Slugs of this person's instructor profiles, read once."""
        if self._profiles is None:
            known = self.identity is not None and self.identity.may_teach
            subject = self.identity.subject if self.identity is not None and known else None
            self._profiles = await self.stores.instructors.profiles_of(subject) if subject else ()
        return self._profiles

    async def may_write(self, course: Course) -> bool:
        return await self.may_write_what(course.owner, course.instructors)

    async def may_write_what(self, owner: str, taught_by: Sequence[str]) -> bool:
        """Of a course of this owner and these instructors."""
        if self.identity is None:
            return False
        return may_write_course(
            self.identity, owner=owner, taught_by=taught_by, profiles=await self.profiles()
        )

    async def course_to_read(self, slug: str) -> Course:
        course = await self.stores.courses.get(slug)
        if not course.published and not await self.may_write(course):
            raise NotFound
        return course

    async def course_to_write(self, slug: str) -> Course:
        self.person()
        course = await self.course_to_read(slug)
        if not await self.may_write(course):
            raise Forbidden("Only those who own or teach this course may change it.")
        return course

    async def lecture_to_read(self, lecture_id: str) -> tuple[Lecture, Course]:
        """A lecture is public once both it and its course are published."""
        lecture = await self.stores.courses.lecture(lecture_id)
        course = await self.course_to_read(lecture.course)
        if not lecture.published and not await self.may_write(course):
            raise NotFound
        return lecture, course

    async def lecture_to_write(self, lecture_id: str) -> tuple[Lecture, Course]:
        self.person()
        lecture, course = await self.lecture_to_read(lecture_id)
        if not await self.may_write(course):
            raise Forbidden("Only those who own or teach this course may change its lectures.")
        return lecture, course
