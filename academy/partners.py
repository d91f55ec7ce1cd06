"""Universities, programmes and instructors: written by administrators only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from academy.access import Access
from academy.courses import Programme, University
from academy.drafts import (
    InstructorPatch,
    NewInstructor,
    NewProgramme,
    NewUniversity,
    ProgrammePatch,
    UniversityPatch,
)
from academy.localised import written
from academy.patching import OWN_LANGUAGE, Expected, check, merge, rewrite
from academy.people import Instructor


def _text(value: str | Mapping[str, str] | None) -> dict[str, str] | None:
    return None if value is None else written(value, OWN_LANGUAGE)


@dataclass(frozen=True, slots=True)
class Partners:
    """Every method raises Unauthenticated or Forbidden for anybody but an administrator.

    The stores refuse to delete what courses still name (Conflict).
    """

    access: Access

    async def add_university(self, new: NewUniversity) -> University:
        self.access.admin()
        university = University(
            slug=new.slug,
            name=written(new.name, OWN_LANGUAGE),
            city=_text(new.city),
            website=new.website,
        )
        await self.access.stores.universities.add(university)
        return university

    async def change_university(
        self, slug: str, patch: UniversityPatch, expected: Expected
    ) -> University:
        self.access.admin()
        store = self.access.stores.universities

        async def fields(stored: University) -> dict[str, Any]:
            return merge(
                stored, patch, texts=("name", "city"), required=("name",), language=OWN_LANGUAGE
            )

        return await rewrite(
            lambda: store.get(slug), fields, lambda changes: store.change(slug, changes), expected
        )

    async def delete_university(self, slug: str, expected: Expected) -> None:
        self.access.admin()
        store = self.access.stores.universities
        check(expected, (await store.get(slug)).revision)
        await store.delete(slug)

    async def add_programme(self, new: NewProgramme) -> Programme:
        self.access.admin()
        programme = Programme(
            slug=new.slug, name=written(new.name, OWN_LANGUAGE), summary=_text(new.summary)
        )
        await self.access.stores.programmes.add(programme)
        return programme

    async def change_programme(
        self, slug: str, patch: ProgrammePatch, expected: Expected
    ) -> Programme:
        self.access.admin()
        store = self.access.stores.programmes

        async def fields(stored: Programme) -> dict[str, Any]:
            return merge(
                stored, patch, texts=("name", "summary"), required=("name",), language=OWN_LANGUAGE
            )

        return await rewrite(
            lambda: store.get(slug), fields, lambda changes: store.change(slug, changes), expected
        )

    async def delete_programme(self, slug: str, expected: Expected) -> None:
        self.access.admin()
        store = self.access.stores.programmes
        check(expected, (await store.get(slug)).revision)
        await store.delete(slug)

    async def add_instructor(self, new: NewInstructor) -> Instructor:
        self.access.admin()
        instructor = Instructor(
            slug=new.slug,
            name=written(new.name, OWN_LANGUAGE),
            headline=_text(new.headline),
            bio=_text(new.bio),
            organisation=_text(new.organisation),
            visiting=new.visiting,
            portrait_url=new.portrait_url,
            subject=new.subject,
        )
        await self.access.stores.instructors.add(instructor)
        return instructor

    async def change_instructor(
        self, slug: str, patch: InstructorPatch, expected: Expected
    ) -> Instructor:
        self.access.admin()
        store = self.access.stores.instructors

        async def fields(stored: Instructor) -> dict[str, Any]:
            return merge(
                stored,
                patch,
                texts=("name", "headline", "bio", "organisation"),
                required=("name", "visiting"),
                language=OWN_LANGUAGE,
            )

        return await rewrite(
            lambda: store.get(slug), fields, lambda changes: store.change(slug, changes), expected
        )

    async def delete_instructor(self, slug: str, expected: Expected) -> None:
        self.access.admin()
        store = self.access.stores.instructors
        check(expected, (await store.get(slug)).revision)
        await store.delete(slug)
