"""Writing courses and lectures: who may, what a patch means, and which references must exist."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from academy.access import Access
from academy.courses import Course, Lecture, Section, now
from academy.drafts import CoursePatch, LecturePatch, NewCourse, NewLecture, SectionDraft
from academy.errors import Conflict, FieldError, Invalid
from academy.ids import new_id
from academy.localised import merged, written
from academy.patching import Expected, check, merge, rewrite
from academy.stores import Stores


@dataclass(frozen=True, slots=True)
class Editing:
    """Every method raises Unauthenticated, Forbidden or NotFound as `Access` decides."""

    access: Access

    @property
    def stores(self) -> Stores:
        return self.access.stores

    async def add_course(self, new: NewCourse) -> Course:
        """Conflict when the slug is taken; Invalid for references to nothing."""
        owner = self.access.teacher().subject
        await self._references(new)
        course = Course(
            slug=new.slug,
            title=written(new.title, new.language),
            summary=_text(new.summary, new.language),
            description=_text(new.description, new.language),
            language=new.language,
            level=new.level,
            programme=new.programme,
            universities=_unique(new.universities),
            instructors=_unique(new.instructors),
            sections=_sections(new.sections, (), new.language),
            owner=owner,
        )
        await self.stores.courses.add(course)
        return course

    async def change_course(self, slug: str, patch: CoursePatch, expected: Expected) -> Course:
        async def fields(course: Course) -> dict[str, Any]:
            await self._references(patch)
            language = patch.language or course.language
            changed = merge(
                course,
                patch.model_copy(update=_lists(patch)),
                texts=("title", "summary", "description"),
                required=("title", "language"),
                language=language,
            )
            if "sections" in patch.model_fields_set:
                sections = _sections(patch.sections or [], course.sections, language)
                await self._keep_sections_in_use(course, sections)
                changed["sections"] = [section.model_dump() for section in sections]
            return changed

        return await self._rewrite_course(slug, fields, expected)

    async def publish_course(self, slug: str, *, published: bool, expected: Expected) -> Course:
        """Idempotent: a published course keeps its date."""

        async def fields(course: Course) -> dict[str, Any]:
            if course.published == published:
                return {}
            return {"published_at": now() if published else None}

        return await self._rewrite_course(slug, fields, expected)

    async def delete_course(self, slug: str, expected: Expected) -> None:
        """With its lectures. Conflict while learners are enrolled."""
        course = await self.access.course_to_write(slug)
        check(expected, course.revision)
        await self.stores.courses.delete(slug)

    async def add_lecture(self, slug: str, new: NewLecture) -> Lecture:
        course = await self.access.course_to_write(slug)
        await self._references(new)
        _known_section(course, new.section)
        language = new.language or course.language
        return await self.stores.courses.add_lecture(
            Lecture(
                course=slug,
                section=new.section,
                title=written(new.title, language),
                description=_text(new.description, language),
                language=language,
                instructors=_unique(new.instructors),
                created_by=self.access.person().subject,
            )
        )

    async def change_lecture(
        self, lecture_id: str, patch: LecturePatch, expected: Expected
    ) -> Lecture:
        _, course = await self.access.lecture_to_write(lecture_id)

        async def fields(lecture: Lecture) -> dict[str, Any]:
            await self._references(patch)
            _known_section(course, patch.section)
            return merge(
                lecture,
                patch.model_copy(update=_lists(patch)),
                texts=("title", "description"),
                required=("title", "language", "position"),
                language=patch.language or lecture.language,
            )

        return await self._rewrite_lecture(lecture_id, fields, expected)

    async def publish_lecture(
        self, lecture_id: str, *, published: bool, expected: Expected
    ) -> Lecture:
        """Allowed before there is anything to play: it then streams as soon as there is."""
        await self.access.lecture_to_write(lecture_id)

        async def fields(lecture: Lecture) -> dict[str, Any]:
            return {} if lecture.published == published else {"published": published}

        return await self._rewrite_lecture(lecture_id, fields, expected)

    async def delete_lecture(self, lecture_id: str, expected: Expected) -> None:
        lecture, _ = await self.access.lecture_to_write(lecture_id)
        check(expected, lecture.revision)
        await self.stores.courses.delete_lecture(lecture_id)

    async def _rewrite_course(
        self,
        slug: str,
        fields: Callable[[Course], Coroutine[Any, Any, dict[str, Any]]],
        expected: Expected,
    ) -> Course:
        return await rewrite(
            lambda: self.access.course_to_write(slug),
            fields,
            lambda changes: self.stores.courses.change(slug, changes),
            expected,
        )

    async def _rewrite_lecture(
        self,
        lecture_id: str,
        fields: Callable[[Lecture], Coroutine[Any, Any, dict[str, Any]]],
        expected: Expected,
    ) -> Lecture:
        courses = self.stores.courses
        return await rewrite(
            lambda: courses.lecture(lecture_id),
            fields,
            lambda changes: courses.change_lecture(lecture_id, changes),
            expected,
        )

    async def _references(
        self, document: NewCourse | CoursePatch | NewLecture | LecturePatch
    ) -> None:
        """Invalid, with a pointer to each, for slugs that name nothing."""
        wrong: list[FieldError] = []
        instructors = document.instructors or []
        people = await self.stores.instructors.get_many(instructors) if instructors else []
        wrong += _missing("instructors", instructors, [person.slug for person in people])
        if isinstance(document, NewCourse | CoursePatch):
            universities = document.universities or []
            found = await self.stores.universities.get_many(universities) if universities else []
            wrong += _missing("universities", universities, [each.slug for each in found])
            if document.programme is not None and not await self.stores.programmes.get_many(
                [document.programme]
            ):
                wrong.append(FieldError("/programme", f"there is no “{document.programme}”"))
        if wrong:
            raise Invalid(
                "The course or lecture names something that does not exist.", errors=wrong
            )

    async def _keep_sections_in_use(self, course: Course, kept: Sequence[Section]) -> None:
        gone = {section.id for section in course.sections} - {section.id for section in kept}
        if gone and any(
            lecture.section in gone
            for lecture in await self.stores.courses.lectures(course.slug, drafts=True)
        ):
            raise Conflict("A section that still has lectures cannot go: move its lectures first.")


def _text(value: str | dict[str, str] | None, language: str) -> dict[str, str] | None:
    return None if value is None else written(value, language)


def _unique(slugs: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(slugs))


def _lists(patch: CoursePatch | LecturePatch) -> dict[str, Any]:
    """Null empties a list (RFC 7396 knows no empty list otherwise); repeated slugs count once."""
    names = {"universities", "instructors"} & patch.model_fields_set
    return {name: _unique(getattr(patch, name) or []) for name in names}


def _missing(name: str, wanted: Sequence[str], found: Sequence[str]) -> list[FieldError]:
    return [
        FieldError(f"/{name}/{index}", f"there is no “{slug}”")
        for index, slug in enumerate(wanted)
        if slug not in found
    ]


def _known_section(course: Course, section: str | None) -> None:
    if section is not None and section not in {each.id for each in course.sections}:
        raise Invalid(
            "The course has no such section.",
            errors=[FieldError("/section", "use the `id` of one of the course's sections")],
        )


def _sections(
    drafts: Sequence[SectionDraft], stored: Sequence[Section], language: str
) -> list[Section]:
    """Known ids stay, new sections get one. Invalid for an id the course does not have, or twice."""
    left = {section.id: section for section in stored}
    sections: list[Section] = []
    wrong: list[FieldError] = []
    for index, draft in enumerate(drafts):
        before = left.pop(draft.id, None) if draft.id is not None else None
        title = merged(before.title if before else {}, draft.title, language)
        if draft.id is not None and before is None:
            detail = "leave out `id` for a new section; an existing id may appear once"
            wrong.append(FieldError(f"/sections/{index}/id", detail))
        elif not title:
            detail = "give the title in at least one language"
            wrong.append(FieldError(f"/sections/{index}/title", detail))
        else:
            sections.append(Section(id=draft.id or new_id(), title=title))
    if wrong:
        raise Invalid("The list of sections is not valid.", errors=wrong)
    return sections
