"""What one person may see and change, asked of the stores.

A draft does not exist for those who may not write it (NotFound); what everybody can see but not
everybody may change is Forbidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from academy.courses import Course, Lecture
from academy.errors import Forbidden, NotFound, Unauthenticated
from academy.invitations import Invitation
from academy.people import Identity, may_write_course
from academy.stores import Stores
from academy.uploads import Upload


@dataclass(slots=True)
class Access:
    """One request's view: `identity` is None for somebody without a token."""

    stores: Stores
    identity: Identity | None
    guest: Invitation | None = None
    """In place of an account: then `identity` names the invitation and has no role."""
    upload_granted: str | None = None
    """An upload that whoever asks may go on with, whoever they are."""
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

    def invitation(self) -> Invitation:
        self.person()
        if self.guest is None:
            raise Forbidden("This is for those who were invited to send a recording.")
        return self.guest

    async def lecture_to_send_to(self, lecture_id: str) -> Lecture:
        """A lecture one may write, or was invited to send a recording to."""
        if self.guest is None:
            return (await self.lecture_to_write(lecture_id))[0]
        if lecture_id != self.guest.lecture_id:
            raise NotFound
        return await self.stores.courses.lecture(lecture_id)

    async def check_may_send(self, upload: Upload) -> None:
        """NotFound for somebody else's upload."""
        if self.upload_granted == upload.id:
            return
        await self.lecture_to_send_to(upload.lecture_id)
        if self.guest is not None and upload.created_by != self.guest.subject:
            raise NotFound
