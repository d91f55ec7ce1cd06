"""The catalogue as clients see it. Texts are already in the reader's language, or maps for `?lang=*`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, Field

from academy.courses import Course, Lecture, Level, Programme, University
from academy.people import Instructor
from academy.playback import Playback
from academy.stores import Stores
from api.languages import FALLBACK, Languages, Text

Item = TypeVar("Item")


class HasSlug(Protocol):
    @property
    def slug(self) -> str: ...


Slugged = TypeVar("Slugged", bound=HasSlug)


class Listing(BaseModel, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = Field(description="For the next page; null on the last one")


class UniversityOut(BaseModel):
    slug: str = Field(examples=["zhejiang-university"])
    name: Text = Field(examples=["Zhejiang University"])
    city: Text | None = Field(examples=["Hangzhou"])
    website: str | None
    course_count: int = Field(description="Published courses")

    @classmethod
    def of(cls, university: University, languages: Languages) -> UniversityOut:
        return cls(
            slug=university.slug,
            name=languages.heading(university.name, FALLBACK),
            city=languages.maybe(university.city, FALLBACK),
            website=university.website,
            course_count=university.course_count,
        )


class ProgrammeOut(BaseModel):
    slug: str = Field(examples=["cloud-computing"])
    name: Text = Field(examples=["Cloud computing"])
    summary: Text | None
    course_count: int = Field(description="Published courses")

    @classmethod
    def of(cls, programme: Programme, languages: Languages) -> ProgrammeOut:
        return cls(
            slug=programme.slug,
            name=languages.heading(programme.name, FALLBACK),
            summary=languages.maybe(programme.summary, FALLBACK),
            course_count=programme.course_count,
        )


class InstructorOut(BaseModel):
    slug: str
    name: Text
    headline: Text | None
    bio: Text | None
    organisation: Text | None
    visiting: bool
    portrait_url: str | None

    @classmethod
    def of(cls, instructor: Instructor, languages: Languages) -> InstructorOut:
        return cls(
            slug=instructor.slug,
            name=languages.heading(instructor.name, FALLBACK),
            headline=languages.maybe(instructor.headline, FALLBACK),
            bio=languages.maybe(instructor.bio, FALLBACK),
            organisation=languages.maybe(instructor.organisation, FALLBACK),
            visiting=instructor.visiting,
            portrait_url=instructor.portrait_url,
        )


class Named(BaseModel):
    """A university or programme, by slug, with the name to show."""

    slug: str
    name: Text


class Teacher(BaseModel):
    """An instructor in short: all but the biography."""

    slug: str
    name: Text
    headline: Text | None
    organisation: Text | None
    visiting: bool
    portrait_url: str | None


class CourseOut(BaseModel):
    slug: str = Field(examples=["introduction-to-cloud-computing"])
    title: Text
    summary: Text | None
    language: str = Field(description="The course's own language", examples=["zh"])
    level: Level | None
    programme: Named | None
    universities: list[Named]
    instructors: list[Teacher]
    lecture_count: int
    duration: float = Field(description="Seconds, of all published lectures")
    poster_url: str | None
    published_at: datetime | None = Field(description="null for a draft")
    demo: bool = Field(description="Whether this is invented demonstration data")


class LectureLine(BaseModel):
    id: str
    title: Text
    duration: float | None = Field(description="Seconds, once known")
    playable: bool
    published: bool = Field(description="Always true for the public")
    position: int


class SectionOut(BaseModel):
    id: str | None = Field(description="null for the lectures that are in no section")
    title: Text | None
    lectures: list[LectureLine]


class CourseDetail(CourseOut):
    description: Text | None
    sections: list[SectionOut]


class LectureOut(BaseModel):
    id: str
    course: str = Field(description="Slug")
    section: str | None
    position: int
    title: Text
    description: Text | None
    language: str
    instructors: list[Teacher]
    duration: float | None = Field(description="Seconds, once known")
    published: bool
    playback: Playback


@dataclass(frozen=True, slots=True)
class References:
    """What courses and lectures name, fetched together: one query per kind."""

    universities: Mapping[str, University]
    programmes: Mapping[str, Programme]
    instructors: Mapping[str, Instructor]

    @classmethod
    async def of(
        cls, stores: Stores, courses: Sequence[Course], lectures: Sequence[Lecture] = ()
    ) -> References:
        people: list[Sequence[str]] = [course.instructors for course in courses]
        people += [lecture.instructors for lecture in lectures]
        universities, programmes, instructors = await asyncio.gather(
            _found(stores.universities.get_many, [course.universities for course in courses]),
            _found(stores.programmes.get_many, [[each.programme or ""] for each in courses]),
            _found(stores.instructors.get_many, people),
        )
        return cls(universities, programmes, instructors)

    def teachers(self, slugs: Sequence[str], languages: Languages, fallback: str) -> list[Teacher]:
        return [
            Teacher(
                slug=person.slug,
                name=languages.text(person.name, fallback),
                headline=languages.maybe(person.headline, fallback),
                organisation=languages.maybe(person.organisation, fallback),
                visiting=person.visiting,
                portrait_url=person.portrait_url,
            )
            for person in map(self.instructors.get, slugs)
            if person is not None
        ]

    def course(self, course: Course, languages: Languages) -> CourseOut:
        own = course.language
        programme = self.programmes.get(course.programme or "")
        return CourseOut(
            slug=course.slug,
            title=languages.heading(course.title, own),
            summary=languages.maybe(course.summary, own),
            language=own,
            level=course.level,
            programme=_named(programme, languages, own) if programme else None,
            universities=[
                _named(each, languages, own)
                for each in map(self.universities.get, course.universities)
                if each is not None
            ],
            instructors=self.teachers(course.instructors, languages, own),
            lecture_count=course.lecture_count,
            duration=course.duration,
            poster_url=course.poster_url,
            published_at=course.published_at,
            demo=course.demo,
        )

    def lecture(
        self, lecture: Lecture, course: Course, playback: Playback, languages: Languages
    ) -> LectureOut:
        """A lecture without instructors of its own is taught by the course's."""
        own = lecture.language
        return LectureOut(
            id=lecture.id,
            course=course.slug,
            section=lecture.section,
            position=lecture.position,
            title=languages.heading(lecture.title, own),
            description=languages.maybe(lecture.description, own),
            language=own,
            instructors=self.teachers(lecture.instructors or course.instructors, languages, own),
            duration=lecture.duration if lecture.duration is not None else playback.duration,
            published=lecture.published,
            playback=playback,
        )


def course_detail(
    card: CourseOut,
    course: Course,
    lectures: Sequence[Lecture],
    playable: Callable[[Lecture], bool],
    languages: Languages,
) -> CourseDetail:
    """`lectures` in their order; those in no (or a vanished) section come last, under a null one."""

    def lines(chosen: Iterable[Lecture]) -> list[LectureLine]:
        return [
            LectureLine(
                id=each.id,
                title=languages.text(each.title, each.language),
                duration=each.duration,
                playable=playable(each),
                published=each.published,
                position=each.position,
            )
            for each in chosen
        ]

    known = {section.id for section in course.sections}
    loose = [lecture for lecture in lectures if lecture.section not in known]
    sections = [
        SectionOut(
            id=section.id,
            title=languages.text(section.title, course.language),
            lectures=lines(each for each in lectures if each.section == section.id),
        )
        for section in course.sections
    ]
    if loose:
        sections.append(SectionOut(id=None, title=None, lectures=lines(loose)))
    return CourseDetail(
        **dict(card),
        description=languages.maybe(course.description, course.language),
        sections=sections,
    )


def _named(each: University | Programme, languages: Languages, fallback: str) -> Named:
    return Named(slug=each.slug, name=languages.text(each.name, fallback))


async def _found(
    get_many: Callable[[Sequence[str]], Awaitable[Sequence[Slugged]]],
    groups: Iterable[Sequence[str]],
) -> dict[str, Slugged]:
    slugs = sorted({slug for group in groups for slug in group if slug})
    return {each.slug: each for each in await get_many(slugs)} if slugs else {}
