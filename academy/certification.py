"""Issuing certificates to those who completed a course, and taking back what was issued wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from academy.access import Access
from academy.certificates import Certificate, normal_code
from academy.courses import Course
from academy.errors import Conflict
from academy.learner_stores import LearnerStores
from academy.learning import Learning, rules_of
from academy.standing import Standing
from academy.store_values import Page, Position

_NAMED = 5
"""Missing lectures that a message names."""


@dataclass(frozen=True, slots=True)
class Certification:
    access: Access
    stores: LearnerStores
    learning: Learning

    async def claim(self, slug: str, name: str | None = None) -> tuple[Certificate, bool]:
        """The learner's certificate, and whether it is new. Conflict while something is missing.

        Claimed again it is the same one, with the name it was first issued to. `name` is what shall be
        printed; without it, the token's.
        """
        person = self.access.person()
        course = await self.access.course_to_read(slug)
        held = await self.stores.certificates.find(person.subject, slug)
        if held is not None:
            return held, False
        where = await self.learning.standing(course)
        if not where.complete:
            raise Conflict(_missing(where), code="course_not_completed")
        certificate = Certificate(
            subject=person.subject,
            name=name or person.name,
            course=course.slug,
            title=course.title,
            language=course.language,
            lectures=len(where.completed),
            duration=where.counted,
            share=rules_of(course).share,
            **await self._names(course),
        )
        return await self.stores.certificates.issue(certificate)

    async def mine(self, *, limit: int, after: Position | None = None) -> Page[Certificate]:
        subject = self.access.person().subject
        return await self.stores.certificates.list(subject, limit=limit, after=after)

    async def verify(self, code: str) -> Certificate:
        """By whoever has the code, however they write it. NotFound without one."""
        return await self.stores.certificates.get(normal_code(code))

    async def revoke(self, code: str, reason: str) -> Certificate:
        """Administrators only. The certificate stays, and says so. Repeatable."""
        self.access.admin()
        return await self.stores.certificates.revoke(normal_code(code), reason)

    async def _names(self, course: Course) -> Mapping[str, object]:
        programmes = [course.programme] if course.programme else []
        found = await self.stores.programmes.get_many(programmes)
        universities = await self.stores.universities.get_many(course.universities)
        instructors = await self.stores.instructors.get_many(course.instructors)
        return {
            "programme": found[0].name if found else None,
            "universities": [each.name for each in universities],
            "instructors": [each.name for each in instructors],
        }


def _missing(where: Standing) -> str:
    if not where.completed and not where.missing:
        return "Nothing in this course can be completed yet: none of its lectures has a recording."
    titles = [f"“{next(iter(each.title.values()))}”" for each in where.missing[:_NAMED]]
    rest = len(where.missing) - len(titles)
    more = f" and {rest} more" if rest else ""
    return f"Watch these lectures to their end first: {', '.join(titles)}{more}."
